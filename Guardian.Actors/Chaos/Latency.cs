namespace Guardian.Actors.Chaos;

/// <summary>The load's p99, quiet against flooded.</summary>
/// <param name="Quiet">Median of the quiet windows' p99.</param>
/// <param name="Flooded">Median of the flooded windows' p99.</param>
/// <param name="Limit">max(factor × quiet, quiet + slack).</param>
/// <param name="Pairs">Windows of each kind.</param>
internal sealed record LatencyResult(TimeSpan Quiet, TimeSpan Flooded, TimeSpan Limit, int Pairs)
{
    public bool Within => Flooded <= Limit;
}

internal static class Latency
{
    /// <summary>Null where a window has no operations or there are fewer pairs than asked for: unknown is not fast.</summary>
    public static LatencyResult? Compare(LatencyBound bound, IReadOnlyList<LoadWindow> windows, IReadOnlyList<Operation> operations)
    {
        var quiet = P99s(windows.Where(x => !x.Flooded), operations);
        var flooded = P99s(windows.Where(x => x.Flooded), operations);
        var pairs = Math.Min(quiet.Count, flooded.Count);
        if (pairs < bound.Windows) return null;
        var calm = Median(quiet);
        var limit = calm * bound.Factor > calm + bound.Slack ? calm * bound.Factor : calm + bound.Slack;
        return new LatencyResult(calm, Median(flooded), limit, pairs);
    }

    /// <summary>The nearest-rank percentile.</summary>
    public static TimeSpan Percentile(IReadOnlyList<TimeSpan> sorted, double percent) =>
        sorted[Math.Clamp((int)Math.Ceiling(percent / 100 * sorted.Count) - 1, 0, sorted.Count - 1)];

    private static List<TimeSpan> P99s(IEnumerable<LoadWindow> windows, IReadOnlyList<Operation> operations) =>
    [
        .. windows
            .Select(w => operations.Where(x => x.SentAt >= w.From && x.SentAt < w.To).Select(x => x.Latency).Order().ToList())
            .Where(x => x.Count > 0)
            .Select(x => Percentile(x, 99)),
    ];

    private static TimeSpan Median(List<TimeSpan> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}
