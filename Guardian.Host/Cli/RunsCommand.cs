using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Guardian.Host.Cli;

/// <summary><c>guardian runs [id]</c>, and an operator's word on one: <c>approve</c>, <c>reject</c>, <c>cancel</c>.</summary>
internal static class RunsCommand
{
    public static Command Create(CliOptions options)
    {
        var id = new Argument<string?>("id") { Description = "One run, step by step", Arity = ArgumentArity.ZeroOrOne };
        var playbook = new Option<string?>("--playbook") { Description = "Only of this playbook" };
        var limit = new Option<int>("--limit") { Description = "At most so many, 1 to 500", DefaultValueFactory = _ => 50 };
        var command = new Command("runs", "Runs of playbooks, newest first") { id, playbook, limit };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = options.Client(parsed);
            var output = options.Output(parsed);
            if (parsed.GetValue(id) is { } one)
            {
                Show(output, await client.GetAsync("api/v1/runs/" + Uri.EscapeDataString(one), cancellation));
                return ExitCodes.Done;
            }

            var query = FormattableString.Invariant($"api/v1/runs?limit={parsed.GetValue(limit)}");
            if (parsed.GetValue(playbook) is { } wanted) query += "&playbook=" + Uri.EscapeDataString(wanted);
            output.List(await client.GetAsync(query, cancellation), "no runs", "id=id", "playbook=playbook", "incident=incidentKey", "state=state", "started=startedAt", "ended=endedAt");
            return ExitCodes.Done;
        });
        return command;
    }

    public static Command Direct(CliOptions options, string verb)
    {
        var id = new Argument<string>("run") { Description = "The run" };
        var reason = new Option<string?>("--reason") { Description = "Why" };
        var command = new Command(verb, $"{char.ToUpperInvariant(verb[0])}{verb[1..]} a run") { id, reason };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = options.Client(parsed);
            await client.SendAsync(HttpMethod.Post, $"api/v1/runs/{Uri.EscapeDataString(parsed.GetRequiredValue(id))}/{verb}",
                new JsonObject { ["reason"] = parsed.GetValue(reason) }, cancellation);
            options.Output(parsed).Line("done");
            return ExitCodes.Done;
        });
        return command;
    }

    /// <summary>A run as a story: why, each step with its outcome, each check.</summary>
    public static void Show(CliOutput output, JsonElement run)
    {
        if (output.Json)
        {
            output.JsonLine(run);
            return;
        }

        output.Facts([("run", CliOutput.Text(run, "id")), ("playbook", CliOutput.Text(run, "playbook")), ("incident", CliOutput.Text(run, "incidentKey")),
            ("state", CliOutput.Text(run, "state")), ("reason", CliOutput.Text(run, "reason"))]);
        foreach (var why in run.GetProperty("explain").EnumerateArray()) output.Line("  " + why);
        output.Table(["step", "action", "state", "attempt", "reason"], run.GetProperty("steps").EnumerateArray().Select(x => (string[])
            [CliOutput.Text(x, "id"), CliOutput.Text(x, "action"), CliOutput.Text(x, "state"), CliOutput.Text(x, "attempt"), CliOutput.Text(x, "reason")]));
        output.Table(["check", "passed", "reason"], run.GetProperty("verify").EnumerateArray().Select(x => (string[])
            [CliOutput.Text(x, "id"), CliOutput.Text(x, "passed"), CliOutput.Text(x, "reason")]));
    }
}
