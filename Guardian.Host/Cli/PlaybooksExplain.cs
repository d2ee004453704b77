using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Planning;
using Guardian.Playbooks.Validation;

namespace Guardian.Host.Cli;

/// <summary><c>guardian playbooks explain</c>: which playbooks an event starts, and which clause of the others does not hold.</summary>
internal static class PlaybooksExplain
{
    public static Command Create(CliOptions options, Func<Vocabulary> vocabulary)
    {
        var given = new Option<string>("--event") { Description = "The incident as a JSON object with its 'type'", Required = true };
        var path = new Option<string?>("--path") { Description = "File or folder of the playbooks, by default Guardian:Files:Playbooks" };
        var command = new Command("explain", "Which playbooks an event starts and which clause fails; exit code 1 where none matches; with --url on the running node") { given, path };
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = options.Output(parsed);
            var incident = PlaybooksCommand.JsonObject("--event", parsed.GetRequiredValue(given));
            var matches = parsed.GetValue(options.Url) is null
                ? OfFiles(options, incident, parsed.GetValue(path), vocabulary(), output)
                : await OfNodeAsync(options, parsed, incident, cancellation);
            if (output.Json) output.JsonLine(matches);
            else Show(output, matches);
            return matches.EnumerateArray().Any(x => x.GetProperty("matches").GetBoolean()) ? ExitCodes.Done : ExitCodes.Negative;
        });
        return command;
    }

    private static JsonElement OfFiles(CliOptions options, JsonElement given, string? path, Vocabulary vocabulary, CliOutput output)
    {
        var playbooks = PlaybooksCommand.LoadValid(options, path, vocabulary, output);
        var (type, error) = DescribedIncident.TypeFor(vocabulary, given);
        IReadOnlyList<string> errors = type is null ? [error!] : DescribedIncident.Check(type, given);
        if (errors.Count > 0) throw new CliException(ExitCodes.Usage, string.Join(Environment.NewLine, errors.Select(x => "--event: " + x)));
        var complete = DescribedIncident.Complete(type!, given, PlaybooksCommand.NodeName(options), TimeProvider.System.GetUtcNow());
        return JsonSerializer.SerializeToElement(PlaybookMatcher.Explain(playbooks, type!.Name, complete), PlanningJson.Default.Matches);
    }

    private static async Task<JsonElement> OfNodeAsync(CliOptions options, ParseResult parsed, JsonElement given, CancellationToken cancellation)
    {
        using var client = options.Client(parsed);
        return await client.SendAsync(HttpMethod.Post, "api/v1/playbooks/explain", new JsonObject { ["event"] = JsonNode.Parse(given.GetRawText()) }, cancellation);
    }

    private static void Show(CliOutput output, JsonElement matches)
    {
        foreach (var match in matches.EnumerateArray())
        {
            var verdict = match.GetProperty("matches").GetBoolean() switch
            {
                false => "does not match",
                _ when match.GetProperty("chosen").GetBoolean() => "matches and would run",
                _ when !match.GetProperty("enabled").GetBoolean() => "matches, but an operator disabled it",
                _ => "matches, but an earlier one by name would run",
            };
            output.Line($"{CliOutput.Text(match, "playbook")} version {CliOutput.Text(match, "version")}: {verdict}");
            foreach (var clause in match.GetProperty("clauses").EnumerateArray()) output.Line($"    {CliOutput.Text(clause, "because")}");
        }
    }
}
