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
    public static LatencyResult? Compare(LatencyBound bound, IReadOnlyList<LoadWindow> windows, IReadOnlyList<Operation> operations, IReadOnlyList<Delivery>? deliveries = null)
    {
        var samples = bound.Delivered ? Delivered(operations, deliveries ?? []) : [.. operations.Select(x => (x.SentAt, x.Latency))];
        var quiet = P99s(windows.Where(x => !x.Flooded), samples);
        var flooded = P99s(windows.Where(x => x.Flooded), samples);
        var pairs = Math.Min(quiet.Count, flooded.Count);
        if (pairs < bound.Windows) return null;
        var calm = Median(quiet);
        var limit = calm * bound.Factor > calm + bound.Slack ? calm * bound.Factor : calm + bound.Slack;
        return new LatencyResult(calm, Median(flooded), limit, pairs);
    }

    /// <summary>The nearest-rank percentile.</summary>
    public static TimeSpan Percentile(IReadOnlyList<TimeSpan> sorted, double percent) =>
        sorted[Math.Clamp((int)Math.Ceiling(percent / 100 * sorted.Count) - 1, 0, sorted.Count - 1)];

    /// <summary>What never arrived is the history checker's business.</summary>
    private static List<(TimeSpan SentAt, TimeSpan Latency)> Delivered(IReadOnlyList<Operation> operations, IReadOnlyList<Delivery> deliveries)
    {
        var arrived = new Dictionary<string, TimeSpan>(deliveries.Count, StringComparer.Ordinal);
        foreach (var delivery in deliveries) arrived.TryAdd(delivery.OperationId, delivery.At);
        return [.. operations.Where(x => arrived.ContainsKey(x.Id)).Select(x => (x.SentAt, arrived[x.Id] - x.SentAt))];
    }

    private static List<TimeSpan> P99s(IEnumerable<LoadWindow> windows, IReadOnlyList<(TimeSpan SentAt, TimeSpan Latency)> samples) =>
    [
        .. windows
            .Select(w => samples.Where(x => x.SentAt >= w.From && x.SentAt < w.To).Select(x => x.Latency).Order().ToList())
            .Where(x => x.Count > 0)
            .Select(x => Percentile(x, 99)),
    ];

    private static TimeSpan Median(List<TimeSpan> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}
