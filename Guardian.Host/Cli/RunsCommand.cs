using System.CommandLine;
using System.Globalization;
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
        var incident = new Option<string?>("--incident") { Description = "Only of this incident" };
        var limit = new Option<int>("--limit") { Description = "At most so many, 1 to 500", DefaultValueFactory = _ => 50 };
        var command = new Command("runs", "Runs of playbooks, newest first") { id, playbook, incident, limit };
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
            if (parsed.GetValue(incident) is { } of) query += "&incident=" + Uri.EscapeDataString(of);
            output.List(await client.GetAsync(query, cancellation), "no runs", "id=id", "playbook=playbook", "incident=incidentKey", "state=state", "started=startedAt", "ended=endedAt", "reason=reason");
            return ExitCodes.Done;
        });
        return command;
    }

    public static Command Direct(CliOptions options, string verb)
    {
        var id = new Argument<string>("run") { Description = "The run" };
        var reason = new Option<string?>("--reason") { Description = "Why" };
        var step = new Option<string?>("--step") { Description = "The step that you saw waiting; another one is left alone" };
        var command = new Command(verb, verb == "cancel" ? "Cancel a run; its steps are undone" : $"{char.ToUpperInvariant(verb[0])}{verb[1..]} the step of a run that waits for approval") { id, reason };
        if (verb != "cancel") command.Add(step);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = options.Client(parsed);
            var run = parsed.GetRequiredValue(id);
            var body = new JsonObject { ["reason"] = parsed.GetValue(reason) };
            if (verb != "cancel") body["step"] = parsed.GetValue(step);
            await client.SendAsync(HttpMethod.Post, $"api/v1/runs/{Uri.EscapeDataString(run)}/{verb}", body, cancellation);
            var output = options.Output(parsed);
            if (output.Json) output.JsonLine(JsonSerializer.SerializeToElement(new JsonObject { ["run"] = run, ["done"] = verb }, CliJson.Default.JsonObject));
            else output.Line($"done; 'guardian runs {run}' shows what follows");
            return ExitCodes.Done;
        });
        return command;
    }

    /// <summary>A run as a story: why, each step with its outcome and its undo, each check.</summary>
    public static void Show(CliOutput output, JsonElement run)
    {
        if (output.Json)
        {
            output.JsonLine(run);
            return;
        }

        output.Facts(
        [
            ("run", CliOutput.Text(run, "id")), ("playbook", $"{CliOutput.Text(run, "playbook")} version {CliOutput.Text(run, "version")}"),
            ("incident", $"{CliOutput.Text(run, "incident")} {CliOutput.Text(run, "incidentKey")}"), ("state", CliOutput.Text(run, "state")),
            ("reason", CliOutput.Text(run, "reason")), ("started", CliOutput.Text(run, "startedAt")), ("took", Took(run)),
        ]);
        foreach (var why in run.GetProperty("explain").EnumerateArray()) output.Line("  " + why);
        output.Table(["step", "action", "state", "attempt", "took", "undo", "why"], run.GetProperty("steps").EnumerateArray().Select(x => (string[])
            [CliOutput.Text(x, "id"), CliOutput.Text(x, "action"), CliOutput.Text(x, "state"), CliOutput.Text(x, "attempt"), Took(x), CliOutput.Text(x, "undo"), CliOutput.Text(x, "reason")]));
        if (run.GetProperty("verify").GetArrayLength() > 0)
        {
            output.Table(["check", "passed", "result", "why"], run.GetProperty("verify").EnumerateArray().Select(x => (string[])
                [CliOutput.Text(x, "id"), CliOutput.Text(x, "passed"), CliOutput.Text(x, "result"), CliOutput.Text(x, "reason")]));
        }

        foreach (var waiting in run.GetProperty("steps").EnumerateArray().Where(x => CliOutput.Text(x, "state") == "awaiting_approval"))
            output.Line($"step {CliOutput.Text(waiting, "id")} waits: 'guardian approve {CliOutput.Text(run, "id")}' or 'guardian reject {CliOutput.Text(run, "id")}'; its input is {CliOutput.Text(waiting, "input")}");
    }

    private static string Took(JsonElement item) =>
        item.TryGetProperty("startedAt", out var start) && item.TryGetProperty("endedAt", out var end) && start.TryGetDateTimeOffset(out var from) && end.TryGetDateTimeOffset(out var to)
            ? string.Create(CultureInfo.InvariantCulture, $"{(to - from).TotalMilliseconds:0} ms")
            : "-";
}
