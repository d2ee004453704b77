using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Guardian.Host.Cli;

/// <summary><c>guardian mode [observe|propose|enforce]</c>, <c>guardian hold</c>, <c>guardian resume</c>.</summary>
internal static class ModeCommand
{
    public static Command Create(CliOptions options)
    {
        var mode = new Argument<string?>("mode") { Description = "observe, propose or enforce; none shows what is in force", Arity = ArgumentArity.ZeroOrOne };
        mode.AcceptOnlyFromAmong("observe", "propose", "enforce");
        var (length, reason) = Common();
        var command = new Command("mode", "How far Guardian acts by itself, cluster-wide") { mode, length, reason };
        command.SetAction((parsed, cancellation) => ApplyAsync(options, parsed, parsed.GetValue(mode), parsed.GetValue(length), parsed.GetValue(reason), cancellation));
        return command;
    }

    public static Command Hold(CliOptions options)
    {
        var (length, reason) = Common();
        var command = new Command("hold", "Stop all acting, cluster-wide; denials and recording go on") { length, reason };
        command.SetAction((parsed, cancellation) => ApplyAsync(options, parsed, "hold", parsed.GetValue(length), parsed.GetValue(reason), cancellation));
        return command;
    }

    public static Command Resume(CliOptions options)
    {
        var (_, reason) = Common();
        var command = new Command("resume", "Go on after a hold") { reason };
        command.SetAction((parsed, cancellation) => ApplyAsync(options, parsed, "resume", null, parsed.GetValue(reason), cancellation));
        return command;
    }

    private static (Option<string?> Length, Option<string?> Reason) Common() =>
        (new Option<string?>("--for") { Description = "How long, e.g. 30m; without it until changed" }, new Option<string?>("--reason") { Description = "Why" });

    private static async Task<int> ApplyAsync(CliOptions options, ParseResult parsed, string? mode, string? length, string? reason, CancellationToken cancellation)
    {
        using var client = options.Client(parsed);
        var output = options.Output(parsed);
        JsonElement answer = mode is null
            ? await client.GetAsync("api/v1/mode", cancellation)
            : await client.SendAsync(HttpMethod.Put, "api/v1/mode", new JsonObject { ["mode"] = mode, ["for"] = length, ["reason"] = reason ?? "set on the command line" }, cancellation);
        if (output.Json) output.JsonLine(answer);
        else output.Facts(((string[])["mode", "underlying", "reason", "by", "since", "until"]).Select(x => (x, CliOutput.Text(answer, x))));
        return ExitCodes.Done;
    }
}
