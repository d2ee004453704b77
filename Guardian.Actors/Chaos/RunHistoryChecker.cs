using System.Globalization;
using System.Text.Json;
using Guardian.Actors.Chaos.Targets;

namespace Guardian.Actors.Chaos;

/// <summary>An event of a run, as it stands in the journal.</summary>
/// <param name="Ordering">Its place among all events.</param>
/// <param name="PersistenceId">Of its run.</param>
/// <param name="Manifest">Its kind.</param>
/// <param name="Event">It, an object.</param>
internal sealed record RunRow(long Ordering, string PersistenceId, string Manifest, JsonElement Event);

/// <summary>
/// What the journal itself says of the runs: never two at once for one key, each incarnation under a higher epoch than those before it,
/// and every effect asked for under one key, <c>run/step</c>, however often it is tried.
/// </summary>
internal static class RunHistoryChecker
{
    public const string Started = "run-started:v1";
    public const string Recovered = "run-recovered:v1";
    public const string Dispatched = "step-dispatched:v1";
    public const string Ended = "run-ended:v1";

    public static IReadOnlyList<string> Kinds { get; } = [Started, Recovered, Dispatched, Ended];

    public static IReadOnlyList<string> Check(IReadOnlyList<RunRow> rows)
    {
        var problems = new List<string>();
        var runs = rows.GroupBy(x => x.PersistenceId, StringComparer.Ordinal).Select(x => x.OrderBy(r => r.Ordering).ToList()).ToList();
        foreach (var run in runs)
        {
            var epoch = 0L;
            foreach (var row in run.Where(x => x.Manifest == Recovered))
            {
                var next = TargetJson.Number(row.Event, "epoch") ?? 0;
                if (next <= epoch) problems.Add(string.Create(CultureInfo.InvariantCulture, $"journal: {row.PersistenceId} was taken over under epoch {next} after {epoch}"));
                epoch = next;
            }

            foreach (var step in run.Where(x => x.Manifest == Dispatched).GroupBy(x => TargetJson.Text(x.Event, "stepId"), StringComparer.Ordinal))
            {
                var keys = step.Select(x => TargetJson.Text(x.Event, "key")).Distinct().ToList();
                if (keys.Count > 1) problems.Add($"journal: step {step.Key} of {run[0].PersistenceId} was asked for under several keys: {string.Join(", ", keys)}");
            }
        }

        foreach (var key in runs.Where(x => x[0].Manifest == Started).GroupBy(x => TargetJson.Text(x[0].Event, "incidentKey"), StringComparer.Ordinal))
        {
            List<RunRow>? before = null;
            foreach (var run in key.OrderBy(x => x[0].Ordering))
            {
                var end = before?.Find(x => x.Manifest == Ended)?.Ordering ?? long.MaxValue;
                if (before is not null && run[0].Ordering < end) problems.Add($"journal: {run[0].PersistenceId} began while {before[0].PersistenceId} was under way, both for {key.Key}");
                before = run;
            }
        }

        return problems;
    }

    /// <summary>When the first of the runs was taken over after the moment; null where none was.</summary>
    public static DateTimeOffset? TakenOver(IReadOnlyList<RunRow> rows, DateTimeOffset after) => rows.Where(x => x.Manifest == Recovered)
        .Select(x => x.Event.TryGetProperty("at", out var at) && at.TryGetDateTimeOffset(out var when) ? when : (DateTimeOffset?)null)
        .Where(x => x > after).Min();
}
