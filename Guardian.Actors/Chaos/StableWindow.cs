namespace Guardian.Actors.Chaos;

/// <summary>Finds the start of the first unbroken window in which every check held.</summary>
internal sealed class StableWindow(TimeSpan length)
{
    private TimeSpan? _since;

    /// <summary>Null until a window is complete; then it stays.</summary>
    public TimeSpan? Start { get; private set; }

    /// <param name="measuredFrom">When the measurement began: it vouches for no earlier moment.</param>
    /// <param name="measuredTo">When it ended.</param>
    /// <param name="holds">Whether all checks held.</param>
    public void Add(TimeSpan measuredFrom, TimeSpan measuredTo, bool holds)
    {
        if (Start is not null) return;
        if (!holds)
        {
            _since = null;
            return;
        }

        _since ??= measuredFrom;
        if (measuredTo - _since >= length) Start = _since;
    }
}
