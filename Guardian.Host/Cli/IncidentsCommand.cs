using System.CommandLine;
using System.Text.Json.Nodes;

namespace Guardian.Host.Cli;

/// <summary><c>guardian incidents [id]</c>, <c>guardian incidents close &lt;id&gt;</c>.</summary>
internal static class IncidentsCommand
{
    public static Command Create(CliOptions options)
    {
        var id = new Argument<string?>("id") { Description = "One incident", Arity = ArgumentArity.ZeroOrOne };
        var state = new Option<string?>("--state") { Description = "open, running, resolved, rolled_back, escalated or closed" };
        var limit = new Option<int>("--limit") { Description = "At most so many, 1 to 500", DefaultValueFactory = _ => 50 };
        var command = new Command("incidents", "Incidents, newest first") { id, state, limit };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = options.Client(parsed);
            var output = options.Output(parsed);
            if (parsed.GetValue(id) is { } one)
            {
                output.JsonLine(await client.GetAsync("api/v1/incidents/" + Uri.EscapeDataString(one), cancellation));
                return ExitCodes.Done;
            }

            var query = FormattableString.Invariant($"api/v1/incidents?limit={parsed.GetValue(limit)}");
            if (parsed.GetValue(state) is { } wanted) query += "&state=" + Uri.EscapeDataString(wanted);
            output.List(await client.GetAsync(query, cancellation), "no incidents",
                "id=id", "key=key", "state=state", "violations=violations", "occurrences=occurrences", "opened=openedAt", "runs=runs");
            return ExitCodes.Done;
        });
        command.Add(Close(options));
        return command;
    }

    private static Command Close(CliOptions options)
    {
        var id = new Argument<string>("id") { Description = "The incident" };
        var reason = new Option<string?>("--reason") { Description = "Why" };
        var command = new Command("close", "Close an open incident") { id, reason };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = options.Client(parsed);
            await client.SendAsync(HttpMethod.Post, $"api/v1/incidents/{Uri.EscapeDataString(parsed.GetRequiredValue(id))}/close",
                new JsonObject { ["reason"] = parsed.GetValue(reason) }, cancellation);
            options.Output(parsed).Line("closed");
            return ExitCodes.Done;
        });
        return command;
    }
}
