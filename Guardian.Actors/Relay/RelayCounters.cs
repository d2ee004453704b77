namespace Guardian.Actors.Relay;

/// <summary>What the relay has done since the node started.</summary>
/// <param name="Sent">Messages sent to other nodes, once per node.</param>
/// <param name="Dropped">Not sent, since a node takes them too slowly or not at all.</param>
/// <param name="Received">Messages that came from other nodes.</param>
/// <param name="Lost">Gaps in what came: sent, or dropped there, and never arrived.</param>
/// <param name="Refused">Came, and could not be handed to a subscriber: its queue was full, or this node is going down.</param>
/// <param name="Rejected">Batches that were not from a member of the cluster.</param>
/// <param name="Waiting">Waiting for other nodes now.</param>
internal sealed record RelayCounters(long Sent, long Dropped, long Received, long Lost, long Refused, long Rejected, long Waiting);

/// <summary>The counts as they grow; survives the relay's restarts. Thread-safe.</summary>
internal sealed class RelayMetrics
{
    private long _sent;
    private long _dropped;
    private long _received;
    private long _lost;
    private long _refused;
    private long _rejected;

    public void Sent(int count) => Interlocked.Add(ref _sent, count);

    public void Dropped(long count = 1) => Interlocked.Add(ref _dropped, count);

    public void Received() => Interlocked.Increment(ref _received);

    public void Lost(long count) => Interlocked.Add(ref _lost, count);

    public void Refused() => Interlocked.Increment(ref _refused);

    public void Rejected() => Interlocked.Increment(ref _rejected);

    public RelayCounters Snapshot(long waiting) => new(
        Volatile.Read(ref _sent), Volatile.Read(ref _dropped), Volatile.Read(ref _received), Volatile.Read(ref _lost), Volatile.Read(ref _refused), Volatile.Read(ref _rejected), waiting);
}
