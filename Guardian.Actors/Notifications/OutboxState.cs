namespace Guardian.Actors.Notifications;

/// <summary>
/// A channel's outbox as its events tell it: what waits, in the order of acceptance, and the keys that came to an end.
/// Owned by one actor; the fold takes its time from the events.
/// </summary>
internal sealed class OutboxState
{
    /// <summary>Ended keys remembered. A step repeats its request for minutes at most; 10,000 keys outlive that at any rate a node reaches.</summary>
    public const int MaxEnded = 10_000;

    /// <summary>An ended key older than this is forgotten: longer than any run lasts.</summary>
    public static readonly TimeSpan EndedAge = TimeSpan.FromDays(7);

    private readonly LinkedList<DeliveryAccepted> _pending = new();
    private readonly Dictionary<string, LinkedListNode<DeliveryAccepted>> _waiting = new(StringComparer.Ordinal);
    private readonly Queue<EndedKey> _ended = new();
    private readonly HashSet<string> _endedKeys = new(StringComparer.Ordinal);

    /// <summary>Items that wait.</summary>
    public int Pending => _waiting.Count;

    /// <summary>The next one to deliver.</summary>
    public DeliveryAccepted? Head => _pending.First?.Value;

    public long Delivered { get; private set; }

    public long Dead { get; private set; }

    /// <summary>Ended keys remembered now.</summary>
    public int Remembered => _ended.Count;

    /// <summary>True where the key waits or came to an end.</summary>
    public bool Knows(string key) => _waiting.ContainsKey(key) || _endedKeys.Contains(key);

    public void Apply(OutboxEvent e)
    {
        switch (e)
        {
            case DeliveryAccepted accepted:
                if (!Knows(accepted.Item.Key)) _waiting[accepted.Item.Key] = _pending.AddLast(accepted);
                break;
            case DeliveryDone done:
                if (End(done.Key, done.At)) Delivered++;
                break;
            case DeliveryDead dead:
                if (End(dead.Key, dead.At)) Dead++;
                break;
        }
    }

    public OutboxSnapshot ToSnapshot() => new()
    {
        Pending = [.. _pending],
        Ended = [.. _ended],
        Delivered = Delivered,
        Dead = Dead,
    };

    public static OutboxState From(OutboxSnapshot snapshot)
    {
        var state = new OutboxState { Delivered = snapshot.Delivered, Dead = snapshot.Dead };
        foreach (var ended in snapshot.Ended) state.Remember(ended);
        foreach (var accepted in snapshot.Pending) state.Apply(accepted);
        return state;
    }

    private bool End(string key, DateTimeOffset at)
    {
        if (!_waiting.Remove(key, out var node)) return false;
        _pending.Remove(node);
        Remember(new EndedKey(key, at));
        while (_ended.Count > MaxEnded || (_ended.TryPeek(out var oldest) && oldest.At < at - EndedAge))
            _endedKeys.Remove(_ended.Dequeue().Key);
        return true;
    }

    private void Remember(EndedKey ended)
    {
        if (_endedKeys.Add(ended.Key)) _ended.Enqueue(ended);
    }
}
