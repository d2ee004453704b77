namespace Guardian.Actors.Monitoring;

/// <summary>What a value means.</summary>
internal enum PressureChange
{
    None,

    /// <summary>The pressure has lasted long enough.</summary>
    Entered,

    /// <summary>It still lasts, a while after it was raised.</summary>
    Again,

    /// <summary>It is over.</summary>
    Left,
}

/// <summary>
/// One resource against its limits. Time is what the samples' clock says. Time at the limit adds up, a dip below it takes off
/// twice its length: a short break in a flood does not start over, and a load that swings around the limit never gets there.
/// A break in the samples (a starved or suspended machine) counts as two intervals at most. Pure; not thread-safe.
/// </summary>
internal sealed class PressureRule(PressureThresholds limits, ResourceMonitorOptions options)
{
    private static readonly TimeSpan TrendOver = TimeSpan.FromSeconds(3);

    private readonly Queue<(TimeSpan Clock, double Value)> _recent = new();
    private TimeSpan? _last;
    private TimeSpan _at;
    private TimeSpan _below;
    private TimeSpan _firedAt;
    private TimeSpan _cooldownUntil = TimeSpan.MinValue;

    /// <summary>True from <see cref="PressureChange.Entered"/> to <see cref="PressureChange.Left"/>.</summary>
    public bool Pressed { get; private set; }

    /// <summary>How long the value has been at its limit, less what dips took off.</summary>
    public TimeSpan Sustained => _at;

    /// <summary>True where a closer look is worth its cost.</summary>
    public bool NearLimit { get; private set; }

    /// <summary>Takes in a value; null where it is not known, which neither raises nor ends anything.</summary>
    public PressureChange Observe(TimeSpan clock, double? value)
    {
        var elapsed = _last is { } last ? Min(clock - last, 2 * options.Interval.Value) : TimeSpan.Zero;
        _last = clock;
        if (value is not { } known || elapsed < TimeSpan.Zero) return PressureChange.None;
        Remember(clock, known);
        NearLimit = Pressed || known >= limits.Enter - (limits.Enter - limits.Leave) / 2;
        return Pressed ? Under(clock, known, elapsed) : Calm(clock, known, elapsed);
    }

    /// <summary>Its incident came to an end: what follows is judged from zero, after the cooldown.</summary>
    public void Over()
    {
        if (_last is not { } clock) return;
        Rest(clock);
    }

    private PressureChange Calm(TimeSpan clock, double value, TimeSpan elapsed)
    {
        if (value >= limits.Enter) _at += elapsed;
        else if (value < limits.Leave) _at = TimeSpan.Zero;
        else _at = Max(TimeSpan.Zero, _at - 2 * elapsed);
        if (value < limits.Enter || _at < options.Sustained.Value || clock < _cooldownUntil || Falls(clock, value)) return PressureChange.None;
        (Pressed, _below, _firedAt) = (true, TimeSpan.Zero, clock);
        return PressureChange.Entered;
    }

    private PressureChange Under(TimeSpan clock, double value, TimeSpan elapsed)
    {
        _below = value < limits.Leave ? _below + elapsed : TimeSpan.Zero;
        if (value >= limits.Enter) _at += elapsed;
        if (_below >= options.Dwell.Value)
        {
            Rest(clock);
            return PressureChange.Left;
        }

        if (value < limits.Enter || clock - _firedAt < options.Repeat.Value) return PressureChange.None;
        _firedAt = clock;
        return PressureChange.Again;
    }

    private void Rest(TimeSpan clock)
    {
        (Pressed, _at, _below) = (false, TimeSpan.Zero, TimeSpan.Zero);
        _cooldownUntil = clock + options.Cooldown.Value;
    }

    private void Remember(TimeSpan clock, double value)
    {
        _recent.Enqueue((clock, value));
        while (_recent.Count > 2 && _recent.Peek().Clock < clock - TrendOver) _recent.Dequeue();
    }

    private bool Falls(TimeSpan clock, double value)
    {
        var (from, was) = _recent.Peek();
        var seconds = (clock - from).TotalSeconds;
        return seconds > 0 && (was - value) / seconds > options.FallingVeto;
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
