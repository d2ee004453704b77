namespace Guardian.Actors.Monitoring;

/// <summary>
/// An exact sliding window over event times: does some half-open stretch <c>[t, t + window)</c> that holds the newest
/// entry hold <c>count</c> entries? Entries may arrive up to <see cref="Lateness"/> out of order. Not thread-safe.
/// </summary>
/// <remarks>
/// Half-open, so that a steady 9 a second never looks like 10 within one second. While the rule has not fired fewer than
/// <c>count</c> entries lie in any window, so that what must be kept is bounded; after it fired the oldest go first.
/// </remarks>
internal sealed class SlidingWindow<TTag>(int count, TimeSpan window)
{
    /// <summary>How far behind the newest an entry may arrive: digests of different nodes, clocks kept by NTP.</summary>
    public static readonly TimeSpan Lateness = TimeSpan.FromSeconds(5);

    private readonly List<(long At, TTag Tag)> _entries = [];

    /// <summary>Fewer than count entries per window, over the windows that the retained stretch touches.</summary>
    private readonly int _capacity = count * ((int)(Lateness.Ticks / window.Ticks) + 3);

    public int Count => _entries.Count;

    public void Clear() => _entries.Clear();

    public void RemoveAll(Predicate<TTag> tag) => _entries.RemoveAll(x => tag(x.Tag));

    /// <summary>Adds an entry; true when a window around it holds enough entries.</summary>
    public bool Add(long at, TTag tag)
    {
        var index = _entries.Count;
        while (index > 0 && _entries[index - 1].At > at) index--;
        _entries.Insert(index, (at, tag));
        var reached = Reached(index);
        Prune();
        return reached;
    }

    private bool Reached(int index)
    {
        for (var first = Math.Max(0, index - count + 1); first <= index && first + count <= _entries.Count; first++)
            if (_entries[first + count - 1].At - _entries[first].At < window.Ticks)
                return true;
        return false;
    }

    private void Prune()
    {
        var horizon = _entries[^1].At - window.Ticks - Lateness.Ticks;
        var stale = 0;
        while (_entries[stale].At < horizon) stale++;
        stale = Math.Max(stale, _entries.Count - _capacity);
        if (stale > 0) _entries.RemoveRange(0, stale);
    }
}

/// <summary>A bucket that fills by one for each violation and from which one leaks every <c>window / count</c>.</summary>
internal struct LeakyBucket
{
    private int _level;
    private long _leakFrom;

    /// <summary>Fills; true when it holds <paramref name="count"/>. It holds no more than that.</summary>
    public bool Add(long at, long violations, int count, TimeSpan window)
    {
        var interval = Math.Max(1, window.Ticks / count);
        var leaked = Math.Max(0, at - _leakFrom) / interval;
        if (_level == 0 || leaked >= _level) (_level, _leakFrom) = (0, at);
        else (_level, _leakFrom) = (_level - (int)leaked, _leakFrom + leaked * interval);
        _level = (int)Math.Min(count, _level + violations);
        return _level >= count;
    }

    public void Clear() => _level = 0;
}
