using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Guardian.Host.Cli;

/// <summary>What concerns the playbooks of a running node: <c>guardian playbooks [list | show | run | enable | disable]</c>.</summary>
internal static class PlaybooksNode
{
    /// <summary>The list is also what the bare command shows.</summary>
    public static void AddTo(Command playbooks, CliOptions options)
    {
        var list = new Command("list", "Playbooks in force on a node");
        list.SetAction((parsed, cancellation) => ListAsync(options, parsed, cancellation));
        playbooks.SetAction((parsed, cancellation) => ListAsync(options, parsed, cancellation));
        playbooks.Add(list);
        playbooks.Add(Show(options));
        playbooks.Add(Run(options));
        playbooks.Add(Direct(options, "enable", "Lets a playbook start runs again"));
        playbooks.Add(Direct(options, "disable", "Keeps a playbook from starting runs, cluster-wide, until it is enabled"));
        playbooks.Add(Direct(options, "reset-breaker", "Closes a playbook's circuit breaker again"));
    }

    private static async Task<int> ListAsync(CliOptions options, ParseResult parsed, CancellationToken cancellation)
    {
        using var client = options.Client(parsed);
        var output = options.Output(parsed);
        output.List(await client.GetAsync("api/v1/playbooks", cancellation), "no playbooks",
            "name=name", "version=version", "mode=mode", "enabled=enabled", "breaker=breaker.state", "hash=hash", "description=description");
        if (output.Json) return ExitCodes.Done;
        var status = await client.GetAsync("api/v1/status", cancellation);
        if (!status.TryGetProperty("playbooks", out var playbooks)) return ExitCodes.Done;
        foreach (var error in playbooks.GetProperty("errors").EnumerateArray())
            output.Problem($"not in force: {error}");
        return ExitCodes.Done;
    }

    private static Command Show(CliOptions options)
    {
        var name = Name();
        var command = new Command("show", "One playbook: its triggers, steps and checks") { name };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = options.Client(parsed);
            var output = options.Output(parsed);
            var detail = await client.GetAsync("api/v1/playbooks/" + Uri.EscapeDataString(parsed.GetRequiredValue(name)), cancellation);
            if (output.Json) output.JsonLine(detail);
            else Show(output, detail);
            return ExitCodes.Done;
        });
        return command;
    }

    private static void Show(CliOutput output, JsonElement detail)
    {
        var playbook = detail.GetProperty("playbook");
        output.Facts(((string[])["name", "version", "hash", "mode", "owner", "description", "enabled"]).Select(x => (x, CliOutput.Text(playbook, x))));
        if (playbook.TryGetProperty("switched", out var word))
            output.Line($"{"switched",-14} by {CliOutput.Text(word, "by")} at {CliOutput.Text(word, "at")}: {CliOutput.Text(word, "reason")}");
        foreach (var trigger in playbook.GetProperty("triggers").EnumerateArray())
            output.Line($"{"trigger",-14} {CliOutput.Text(trigger, "event")}{(trigger.TryGetProperty("when", out var when) ? $" when {when}" : "")}");
        if (playbook.TryGetProperty("breaker", out var breaker))
            output.Line($"{"breaker",-14} {CliOutput.Text(breaker, "state")}; opens after {CliOutput.Text(breaker, "opens")}{(breaker.TryGetProperty("reason", out var why) ? $"; {why}" : "")}");
        foreach (var error in playbook.GetProperty("errors").EnumerateArray()) output.Line($"{"not in force",-14} {error}");
        output.Table(["step", "action", "risk", "if"], detail.GetProperty("steps").EnumerateArray().Select(x => (string[])
            [CliOutput.Text(x, "id"), CliOutput.Text(x, "action"), CliOutput.Text(x, "risk"), CliOutput.Text(x, "if")]));
        foreach (var check in detail.GetProperty("verify").EnumerateArray()) output.Line($"{"verify",-14} {check}");
    }

    private static Command Run(CliOptions options)
    {
        var name = Name();
        var incident = new Option<string>("--incident") { Description = "Its fields as a JSON object; 'type' where several events start the playbook", Required = true };
        var reason = new Option<string?>("--reason") { Description = "Why" };
        var command = new Command("run", "Start a run for an incident that you describe; 'playbooks plan --url' shows what it would do") { name, incident, reason };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = options.Client(parsed);
            var output = options.Output(parsed);
            var given = PlaybooksCommand.JsonObject("--incident", parsed.GetRequiredValue(incident));
            var answer = await client.SendAsync(HttpMethod.Post, $"api/v1/playbooks/{Uri.EscapeDataString(parsed.GetRequiredValue(name))}/runs",
                new JsonObject { ["incident"] = JsonNode.Parse(given.GetRawText()), ["reason"] = parsed.GetValue(reason) }, cancellation);
            if (output.Json) output.JsonLine(answer);
            else output.Line($"run {CliOutput.Text(answer, "id")} of incident {CliOutput.Text(answer, "incident")} is under way; 'guardian runs {CliOutput.Text(answer, "id")}' shows it");
            return ExitCodes.Done;
        });
        return command;
    }

    private static Command Direct(CliOptions options, string verb, string summary)
    {
        var name = Name();
        var reason = new Option<string?>("--reason") { Description = "Why" };
        var command = new Command(verb, summary) { name, reason };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = options.Client(parsed);
            var which = parsed.GetRequiredValue(name);
            await client.SendAsync(HttpMethod.Post, $"api/v1/playbooks/{Uri.EscapeDataString(which)}/{verb}", new JsonObject { ["reason"] = parsed.GetValue(reason) }, cancellation);
            var output = options.Output(parsed);
            if (output.Json) output.JsonLine(JsonSerializer.SerializeToElement(new JsonObject { ["playbook"] = which, ["done"] = verb }, CliJson.Default.JsonObject));
            else output.Line(verb == "reset-breaker" ? $"{which}: its circuit breaker is closed" : $"{which}: {verb}d");
            return ExitCodes.Done;
        });
        return command;
    }

    private static Argument<string> Name() => new("name") { Description = "The playbook" };
}
