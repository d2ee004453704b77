using System.CommandLine;
using System.Text.Json.Nodes;

namespace Guardian.Host.Cli;

/// <summary><c>guardian kernels jobs | submit | retry</c>: a pool's jobs.</summary>
internal static class JobsCommands
{
    public static void AddTo(Command kernels, CliOptions options)
    {
        kernels.Add(List(options));
        kernels.Add(Submit(options));
        kernels.Add(Retry(options));
    }

    private static Command List(CliOptions options)
    {
        var (name, state, limit) = (Name(), new Option<string?>("--state") { Description = "queued, running, succeeded, failed or timed_out" }, new Option<int>("--limit") { Description = "At most so many", DefaultValueFactory = _ => 20 });
        var command = new Command("jobs", "A pool's jobs, the newest first") { name, state, limit };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = options.Client(parsed);
            var query = FormattableString.Invariant($"?limit={parsed.GetValue(limit)}") + (parsed.GetValue(state) is { } only ? "&state=" + Uri.EscapeDataString(only) : "");
            options.Output(parsed).List(await client.GetAsync(Path(parsed.GetRequiredValue(name)) + query, cancellation), "there are none",
                "id=id", "command=command", "state=state", "attempt=attempt", "exit code=exitCode", "accepted=acceptedAt", "reason=reason");
            return ExitCodes.Done;
        });
        return command;
    }

    private static Command Submit(CliOptions options)
    {
        var name = Name();
        var (declared, payload, priority) = (new Option<string?>("--command") { Description = "A declared command" }, new Option<string?>("--payload") { Description = "Its standard input" },
            new Option<string>("--priority") { Description = "low, normal, high or critical", DefaultValueFactory = _ => "normal" });
        var command = new Command("submit", "Give a pool a job") { name, declared, payload, priority };
        command.SetAction((parsed, cancellation) => SendAsync(options, parsed, Path(parsed.GetRequiredValue(name)), new JsonObject
        {
            ["command"] = parsed.GetValue(declared), ["payload"] = parsed.GetValue(payload), ["priority"] = parsed.GetValue(priority),
        }, cancellation));
        return command;
    }

    private static Command Retry(CliOptions options)
    {
        var (name, job) = (Name(), new Argument<string>("job") { Description = "Its id" });
        var command = new Command("retry", "One more attempt for a job that has failed") { name, job };
        command.SetAction((parsed, cancellation) => SendAsync(options, parsed, $"{Path(parsed.GetRequiredValue(name))}/{Uri.EscapeDataString(parsed.GetRequiredValue(job))}/retry", [], cancellation));
        return command;
    }

    private static async Task<int> SendAsync(CliOptions options, ParseResult parsed, string path, JsonObject body, CancellationToken cancellation)
    {
        using var client = options.Client(parsed);
        var output = options.Output(parsed);
        var answer = await client.SendAsync(HttpMethod.Post, path, body, cancellation);
        if (output.Json) output.JsonLine(answer);
        else output.Line($"{CliOutput.Text(answer, "id")}: {CliOutput.Text(answer, "state")}");
        return ExitCodes.Done;
    }

    private static Argument<string> Name() => new("name") { Description = "The pool" };

    private static string Path(string kernel) => $"api/v1/kernels/{Uri.EscapeDataString(kernel)}/jobs";
}
