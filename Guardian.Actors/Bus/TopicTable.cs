using System.Collections.Concurrent;

namespace Guardian.Actors.Bus;

/// <summary>
/// The topics in memory, at most <paramref name="max"/>. Beyond it the first idle one that was not used since the hand came by
/// falls out (CLOCK, second chance). <paramref name="retired"/> is told, to stop the actor. Thread-safe.
/// </summary>
internal sealed class TopicTable(int max, Action<TopicState> retired)
{
    // Looks at so many before giving up: a publisher's cost is bounded even when all topics are busy.
    private const int Looks = 64;

    private readonly ConcurrentDictionary<string, TopicState> _topics = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<TopicState> _ring = new();
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public IEnumerable<TopicState> All => _topics.Values;

    /// <summary>The topic's state; null when the table is full of busy topics.</summary>
    public TopicState? GetOrAdd(string topic)
    {
        if (_topics.TryGetValue(topic, out var state))
        {
            if (!state.Used) state.Used = true;
            return state;
        }

        if (Count >= max && !Evict(Looks)) return null;
        var fresh = new TopicState(topic);
        state = _topics.GetOrAdd(topic, fresh);
        if (!ReferenceEquals(state, fresh)) return state;
        Interlocked.Increment(ref _count);
        _ring.Enqueue(fresh);
        return fresh;
    }

    /// <summary>Drops topics that were idle since the last sweep.</summary>
    public void Sweep()
    {
        for (var left = _ring.Count; left > 0; left--) Evict(1);
    }

    private bool Evict(int looks)
    {
        for (; looks > 0 && _ring.TryDequeue(out var state); looks--)
        {
            if (state.Used) state.Used = false;
            else if (state.TryRetire())
            {
                _topics.TryRemove(new KeyValuePair<string, TopicState>(state.Topic, state));
                Interlocked.Decrement(ref _count);
                retired(state);
                return true;
            }

            _ring.Enqueue(state);
        }

        return false;
    }
}
