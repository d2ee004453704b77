using System.CommandLine;
using System.Text.Json.Nodes;

namespace Guardian.Host.Cli;

/// <summary><c>guardian silence list|add|remove</c>.</summary>
internal static class SilenceCommand
{
    public static Command Create(CliOptions options)
    {
        var command = new Command("silence", "Maintenance windows: mute notifications, or hold acting, for some incidents");
        command.Add(List(options));
        command.Add(Add(options));
        command.Add(Remove(options));
        return command;
    }

    private static Command List(CliOptions options)
    {
        var command = new Command("list", "Silences in force");
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = options.Client(parsed);
            options.Output(parsed).List(await client.GetAsync("api/v1/silences", cancellation), "nothing is silenced",
                "id=id", "actions=actions", "type=match.type", "key=match.key", "subject=match.subject", "until=until", "by=by", "reason=reason");
            return ExitCodes.Done;
        });
        return command;
    }

    private static Command Add(CliOptions options)
    {
        Option<string?> Pattern(string name, string what) => new(name) { Description = $"{what}; * stands for any text" };
        var (type, key, subject) = (Pattern("--type", "The incident's type, e.g. message_bus.*"), Pattern("--key", "The incident's key, e.g. acl/principal/*"), Pattern("--subject", "Whom or what it is about"));
        var length = new Option<string?>("--for") { Description = "How long, e.g. 30m" };
        var until = new Option<string?>("--until") { Description = "Instead of --for: a time, e.g. 2030-01-31T12:00:00Z" };
        var reason = new Option<string?>("--reason") { Description = "Why" };
        var hold = new Option<bool>("--hold") { Description = "Hold acting; without it notifications are muted" };
        var command = new Command("add", "Mute notifications, or hold acting, for the incidents that match") { type, key, subject, length, until, reason, hold };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = options.Client(parsed);
            var output = options.Output(parsed);
            var match = new JsonObject();
            foreach (var (name, option) in new[] { ("type", type), ("key", key), ("subject", subject) })
                if (parsed.GetValue(option) is { } pattern) match[name] = pattern;
            var answer = await client.SendAsync(HttpMethod.Post, "api/v1/silences", new JsonObject
            {
                ["match"] = match, ["for"] = parsed.GetValue(until) is null ? parsed.GetValue(length) ?? "1h" : parsed.GetValue(length), ["until"] = parsed.GetValue(until),
                ["reason"] = parsed.GetValue(reason) ?? "set on the command line", ["actions"] = parsed.GetValue(hold) ? "hold" : "mute",
            }, cancellation);
            if (output.Json) output.JsonLine(answer);
            else output.Line($"{CliOutput.Text(answer, "id")}: {CliOutput.Text(answer, "actions")} until {CliOutput.Text(answer, "until")}");
            return ExitCodes.Done;
        });
        return command;
    }

    private static Command Remove(CliOptions options)
    {
        var id = new Argument<string>("id") { Description = "As the list shows it" };
        var command = new Command("remove", "End a silence") { id };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = options.Client(parsed);
            await client.SendAsync(HttpMethod.Delete, "api/v1/silences/" + Uri.EscapeDataString(parsed.GetRequiredValue(id)), null, cancellation);
            options.Output(parsed).Line("ended");
            return ExitCodes.Done;
        });
        return command;
    }
}
