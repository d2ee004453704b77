namespace Guardian.Actors.Bus;

/// <summary>
/// What the bus counts. Each publish ends with exactly one outcome and is counted once, under it; what was sent is the sum of
/// the outcomes, so that <c>sent = accepted + refused</c> holds in every snapshot, also one taken in the middle of a flood.
/// </summary>
internal sealed class BusMetrics
{
    private readonly StripedCounter[] _outcomes = [.. Enum.GetValues<PublishOutcome>().Select(_ => new StripedCounter())];

    /// <summary>Messages handed to a subscriber, once per subscriber.</summary>
    public StripedCounter Delivered { get; } = new();

    /// <summary>Messages that <c>onFull: drop_oldest</c> took from a subscriber.</summary>
    public StripedCounter Dropped { get; } = new();

    public void Count(PublishOutcome outcome) => _outcomes[(int)outcome].Add();

    public long Of(PublishOutcome outcome) => _outcomes[(int)outcome].Value;

    public BusCounters Snapshot(long queued, long topics, long subscriptions, long restarts, long parked)
    {
        var values = _outcomes.Select(x => x.Value).ToArray();
        return new BusCounters
        {
            Sent = values.Sum(),
            Accepted = values[(int)PublishOutcome.Accepted],
            AclDenied = values[(int)PublishOutcome.AclDenied],
            Blacklisted = values[(int)PublishOutcome.Blacklisted],
            RateLimited = values[(int)PublishOutcome.RateLimited],
            QueueFull = values[(int)PublishOutcome.QueueFull],
            Invalid = values[(int)PublishOutcome.InvalidTopic] + values[(int)PublishOutcome.TooLarge] + values[(int)PublishOutcome.InvalidContentType],
            Draining = values[(int)PublishOutcome.Draining],
            Revoked = values[(int)PublishOutcome.Revoked],
            Delivered = Delivered.Value,
            Dropped = Dropped.Value,
            Queued = queued,
            Topics = topics,
            Subscriptions = subscriptions,
            Restarts = restarts,
            Parked = parked,
        };
    }
}
