using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Guardian.Actors.Access;
using Guardian.Actors.Replay;

namespace Guardian.Host.Cli;

/// <summary><c>guardian policy diff</c>: what a new policy would change; without a running node.</summary>
internal static class PolicyDiffCommand
{
    public static Command Create(CliOptions options)
    {
        var next = new Argument<string>("new") { Description = "The policy that is to come" };
        var traces = new Option<string[]>("--trace") { Description = "Compare for the denied traffic of these recorded traces alone", AllowMultipleArgumentsPerToken = true };
        var file = new Option<string?>("--file") { Description = "The policy now, by default Guardian:Files:Policy" };
        var command = new Command("diff", "Which decisions a new policy would take differently; exit code 1 where there are any, or where a file has errors") { next, traces, file };
        command.SetAction(parsed =>
        {
            var output = options.Output(parsed);
            var before = PolicyCommand.Load(ShippedFiles.Find(parsed.GetValue(file) ?? options.Configured.Files.Policy), output);
            var after = PolicyCommand.Load(parsed.GetRequiredValue(next), output);
            if (before is null || after is null) return ExitCodes.Negative;
            var complete = true;
            var changes = parsed.GetValue(traces) is { Length: > 0 } files
                ? PolicyDiff.Of(before, after, files.SelectMany(x => Traffic(x, output)))
                : PolicyDiff.Of(before, after, out complete);
            output.List(JsonSerializer.SerializeToElement(new JsonArray([.. changes.Select(Row)])), "no decision changes",
                "Principal=principal", "Operation=operation", "Topic=topic", "Before=before", "After=after");
            if (!complete) output.Problem($"the rules tell more than {PolicyDiff.MaxTopics} kinds of topics apart; compared on so many");
            return changes.Count == 0 && complete ? ExitCodes.Done : ExitCodes.Negative;
        });
        return command;
    }

    private static JsonObject Row(ChangedDecision x) => new()
    {
        ["principal"] = x.Principal,
        ["operation"] = x.Operation == BusOperation.Publish ? "publish" : "subscribe",
        ["topic"] = x.Topic,
        ["before"] = Said(x.Before),
        ["after"] = Said(x.After),
    };

    private static string Said(AccessDecision decision) => $"{(decision.Allowed ? "allowed" : "denied")} ({decision.RuleId})";

    private static IEnumerable<(string, BusOperation, string)> Traffic(string file, CliOutput output)
    {
        foreach (var (line, error) in TraceLines.Read(file))
        {
            if (error is not null) output.Problem(error);
            foreach (var row in line?.Violations?.Rows ?? [])
                yield return (row.Principal, row.Operation == "subscribe" ? BusOperation.Subscribe : BusOperation.Publish, row.Topic);
        }
    }
}
