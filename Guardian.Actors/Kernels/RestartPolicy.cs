namespace Guardian.Actors.Kernels;

/// <summary>What follows a crash.</summary>
/// <param name="Again">False: the limit is reached, it is a crash loop.</param>
/// <param name="Wait">Before it is started again.</param>
internal readonly record struct RestartDecision(bool Again, TimeSpan Wait);

/// <summary>
/// When a replica that ended is started again. At most <see cref="RestartSpec.Max"/> restarts within a sliding window, never a
/// lifetime count. The first restart after a healthy stretch is immediate; each further one in a row waits twice as long, the upper
/// half of the wait at random. Pure.
/// </summary>
internal sealed class RestartPolicy(RestartSpec spec)
{
    private readonly Queue<TimeSpan> _restarts = new();
    private int _inARow;

    /// <summary>Restarts within the window that ends at <paramref name="now"/>.</summary>
    public int Recent(TimeSpan now)
    {
        while (_restarts.TryPeek(out var oldest) && now - oldest >= spec.Within) _restarts.Dequeue();
        return _restarts.Count;
    }

    /// <summary>A replica ended by itself.</summary>
    /// <param name="now">When, on a monotonic clock.</param>
    /// <param name="lived">How long it had lived.</param>
    /// <param name="random">0 to 1.</param>
    public RestartDecision Crashed(TimeSpan now, TimeSpan lived, double random)
    {
        if (Recent(now) >= spec.Max) return new RestartDecision(false, TimeSpan.Zero);
        _restarts.Enqueue(now);
        _inARow = lived >= spec.Healthy ? 1 : _inARow + 1;
        if (_inARow == 1) return new RestartDecision(true, TimeSpan.Zero);
        var doubled = spec.Initial.TotalMilliseconds * Math.Pow(2, Math.Min(_inARow - 2, 30));
        var wait = Math.Min(doubled, spec.Longest.TotalMilliseconds);
        return new RestartDecision(true, TimeSpan.FromMilliseconds(wait * (0.5 + random / 2)));
    }

    /// <summary>An operator or a run starts it anew: what was is forgotten.</summary>
    public void Reset()
    {
        _restarts.Clear();
        _inARow = 0;
    }
}
