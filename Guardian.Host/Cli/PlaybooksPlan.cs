using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Planning;

namespace Guardian.Host.Cli;

/// <summary><c>guardian playbooks plan</c>: what would run for a described incident, and why; on files, or with <c>--url</c> on a node.</summary>
internal static class PlaybooksPlan
{
    public static Command Create(CliOptions options, Func<Vocabulary> vocabulary)
    {
        var name = new Argument<string>("name") { Description = "The playbook" };
        var incident = new Option<string>("--incident") { Description = "Its fields as a JSON object; 'type' where several events start the playbook", Required = true };
        var path = new Option<string?>("--path") { Description = "File or folder of the playbooks, by default Guardian:Files:Playbooks" };
        var command = new Command("plan", "What would run for an incident and why; with --url as the running node would do it") { name, incident, path };
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = options.Output(parsed);
            var given = PlaybooksCommand.JsonObject("--incident", parsed.GetRequiredValue(incident));
            var plan = parsed.GetValue(options.Url) is null
                ? OfFiles(options, parsed.GetRequiredValue(name), given, parsed.GetValue(path), vocabulary(), output)
                : await OfNodeAsync(options, parsed, parsed.GetRequiredValue(name), given, cancellation);
            if (output.Json) output.JsonLine(plan);
            else Show(output, plan);
            return plan.GetProperty("starts").GetBoolean() ? ExitCodes.Done : ExitCodes.Negative;
        });
        return command;
    }

    private static JsonElement OfFiles(CliOptions options, string name, JsonElement given, string? path, Vocabulary vocabulary, CliOutput output)
    {
        var playbooks = PlaybooksCommand.LoadValid(options, path, vocabulary, output);
        var playbook = playbooks.FirstOrDefault(x => x.Name == name)
            ?? throw new CliException(ExitCodes.Negative, $"no valid playbook is called '{name}'; there are: {string.Join(", ", playbooks.Select(x => x.Name))}");
        var (type, error) = DescribedIncident.TypeFor(playbook, vocabulary, given);
        IReadOnlyList<string> errors = type is null ? [error!] : DescribedIncident.Check(type, given);
        if (errors.Count > 0) throw new CliException(ExitCodes.Usage, string.Join(Environment.NewLine, errors.Select(x => "--incident: " + x)));
        var (mode, autonomy) = (options.Configured.Mode, options.Configured.Autonomy);
        var planner = new PlaybookPlanner(vocabulary, new PlanAutonomy(mode, autonomy.For));
        var complete = DescribedIncident.Complete(type!, given, PlaybooksCommand.NodeName(options), TimeProvider.System.GetUtcNow());
        return JsonSerializer.SerializeToElement(planner.Plan(playbook, type!, complete), PlanningJson.Default.RunPlan);
    }

    private static async Task<JsonElement> OfNodeAsync(CliOptions options, ParseResult parsed, string name, JsonElement given, CancellationToken cancellation)
    {
        using var client = options.Client(parsed);
        return await client.SendAsync(HttpMethod.Post, $"api/v1/playbooks/{Uri.EscapeDataString(name)}/runs",
            new JsonObject { ["incident"] = JsonNode.Parse(given.GetRawText()), ["dryRun"] = true }, cancellation);
    }

    private static void Show(CliOutput output, JsonElement plan)
    {
        output.Facts(
        [
            ("playbook", $"{CliOutput.Text(plan, "playbook")} version {CliOutput.Text(plan, "version")} ({CliOutput.Text(plan, "hash")[..12]})"),
            ("starts", $"{CliOutput.Text(plan, "starts")}: {CliOutput.Text(plan, "because")}"),
            .. plan.TryGetProperty("held", out _) ? [("held", CliOutput.Text(plan, "held"))] : Array.Empty<(string, string)>(),
            ("timeout", CliOutput.Text(plan, "timeout")),
            .. plan.GetProperty("guards").EnumerateArray().Select(x => ("guard", x.ToString())),
        ]);
        foreach (var step in plan.GetProperty("steps").EnumerateArray()) Show(output, "step", step);
        foreach (var check in plan.GetProperty("verify").EnumerateArray())
        {
            output.Line($"verify {CliOutput.Text(check, "id")}: {CliOutput.Text(check, "check")}");
            Details(output, check, ("probe", "probe"), ("input", "input"), ("pace", "pace"));
        }

        foreach (var step in plan.GetProperty("finally").EnumerateArray()) Show(output, "finally", step);
        output.Line($"rollback on {CliOutput.Text(plan, "rollbackOn")}");
    }

    private static void Show(CliOutput output, string what, JsonElement step)
    {
        output.Line($"{what} {CliOutput.Text(step, "id")}: {CliOutput.Text(step, "action")} {CliOutput.Text(step, "decision")}");
        Details(output, step, ("because", "because"), ("input", "input"), ("risk", "risk"), ("autonomy", "autonomy"), ("target", "target"),
            ("undo", "undo"), ("undo on", "undoOn"), ("attempts", "attempts"), ("skip when", "skipWhen"));
    }

    private static void Details(CliOutput output, JsonElement item, params (string Title, string Field)[] details)
    {
        foreach (var (title, field) in details)
        {
            var text = CliOutput.Text(item, field);
            if (text is not ("-" or "")) output.Line($"    {title,-10} {text}");
        }
    }
}
