namespace Guardian.Actors.Chaos;

/// <summary>How a load operation ended for its client.</summary>
internal enum OperationOutcome
{
    /// <summary>Answered as accepted.</summary>
    Ok,

    /// <summary>Refused with a reason.</summary>
    Fail,

    /// <summary>Not known: a time-out, a broken connection.</summary>
    Info,
}

/// <summary>One publish of a load client. <see cref="Sequence"/> grows per principal and topic in the order of sending.</summary>
internal sealed record Operation(string Id, string Principal, string Topic, int Sequence, OperationOutcome Outcome, string Answer, TimeSpan SentAt, TimeSpan AnsweredAt)
{
    /// <summary>The node that answered; empty where there is one alone.</summary>
    public string Node { get; init; } = "";

    public TimeSpan Latency => AnsweredAt - SentAt;
}

/// <summary>What the reader received, in the order of receiving.</summary>
internal sealed record Delivery(string OperationId, string Principal, string Topic, TimeSpan At);

internal enum AnomalyKind { Lost, Doubled, DeliveredThoughRefused, NeverSent, OutOfOrder, WrongLabel }

internal sealed record Anomaly(AnomalyKind Kind, string OperationId, string Detail);

/// <summary>
/// Nothing lost: every ok exactly once, no fail present, info at most once, nothing that was never sent, order kept per
/// principal and topic as long as it publishes on one node, and nothing under somebody else's name. What was under way while the node was down counts as info.
/// The classes ok, fail and info are those of Jepsen.
/// </summary>
internal static class HistoryChecker
{
    public static IReadOnlyList<Anomaly> Check(IReadOnlyList<Operation> operations, IReadOnlyList<Delivery> deliveries, IReadOnlyList<BlindSpan>? blind = null)
    {
        var anomalies = new List<Anomaly>();
        var sent = new Dictionary<string, Operation>(operations.Count, StringComparer.Ordinal);
        foreach (var operation in operations) sent[operation.Id] = operation;
        var received = new Dictionary<string, int>(deliveries.Count, StringComparer.Ordinal);
        var last = new Dictionary<(string, string, string), int>();

        foreach (var delivery in deliveries)
        {
            if (!sent.TryGetValue(delivery.OperationId, out var operation))
            {
                anomalies.Add(new(AnomalyKind.NeverSent, delivery.OperationId, $"{delivery.Principal} on {delivery.Topic}"));
                continue;
            }

            var times = received[operation.Id] = received.GetValueOrDefault(operation.Id) + 1;
            if (times > 1)
            {
                anomalies.Add(new(AnomalyKind.Doubled, operation.Id, $"received {times} times"));
                continue;
            }

            if (operation.Outcome == OperationOutcome.Fail)
                anomalies.Add(new(AnomalyKind.DeliveredThoughRefused, operation.Id, $"was answered {operation.Answer}"));
            if (operation.Principal != delivery.Principal || operation.Topic != delivery.Topic)
                anomalies.Add(new(AnomalyKind.WrongLabel, operation.Id, $"sent by {operation.Principal} on {operation.Topic}, received as {delivery.Principal} on {delivery.Topic}"));

            var stream = (operation.Principal, operation.Topic, operation.Node);
            if (last.TryGetValue(stream, out var before) && operation.Sequence < before)
                anomalies.Add(new(AnomalyKind.OutOfOrder, operation.Id, $"number {operation.Sequence} after {before} of {operation.Principal} on {operation.Topic}"));
            else
                last[stream] = operation.Sequence;
        }

        foreach (var operation in operations)
        {
            if (blind is not null && blind.Any(x => x.Covers(operation))) continue;
            if (operation.Outcome == OperationOutcome.Ok && !received.ContainsKey(operation.Id))
                anomalies.Add(new(AnomalyKind.Lost, operation.Id, $"accepted from {operation.Principal} on {operation.Topic}, never received"));
        }

        return anomalies;
    }
}
