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
/// Samples that come faster than the interval, near a limit, are averaged over it: a peak of a quarter of a second is none.
/// A break in the samples (a starved or suspended machine) counts as two intervals at most. What was not measured was not calm: after
/// a value that is not known, or a break that a whole pressure fits into, calm begins anew. Pure; not thread-safe.
/// </summary>
internal sealed class PressureRule(PressureThresholds limits, ResourceMonitorOptions options)
{
    /// <summary>Less than the whole interval, so that samples in its own rhythm are never averaged.</summary>
    private const double AveragedOver = 0.9;

    private static readonly TimeSpan TrendOver = TimeSpan.FromSeconds(3);

    private readonly Queue<(TimeSpan Clock, double Value)> _recent = new();
    private TimeSpan? _last;
    private bool _known;
    private TimeSpan _at;
    private TimeSpan _below;
    private TimeSpan _firedAt;
    private TimeSpan _sinceFired;
    private TimeSpan _cooldownUntil = TimeSpan.MinValue;

    /// <summary>True from <see cref="PressureChange.Entered"/> to <see cref="PressureChange.Left"/>.</summary>
    public bool Pressed { get; private set; }

    /// <summary>How long the value has been at its limit, less what dips took off.</summary>
    public TimeSpan Sustained => _at;

    /// <summary>How long the value has been below <c>Leave</c> without a break, under pressure or not; null where it was not known at that clock.</summary>
    public TimeSpan? CalmAt(TimeSpan clock) => _known && _last == clock ? _below : null;

    /// <summary>True where a closer look is worth its cost.</summary>
    public bool NearLimit { get; private set; }

    /// <summary>Takes in a value; null where it is not known, which neither raises nor ends anything.</summary>
    public PressureChange Observe(TimeSpan clock, double? value)
    {
        var since = clock - (_last ?? clock);
        _last = clock;
        _known = value is not null && since >= TimeSpan.Zero;
        if (!_known)
        {
            _below = TimeSpan.Zero;
            return PressureChange.None;
        }

        var (elapsed, known) = (Min(since, 2 * options.Interval.Value), value!.Value);
        Remember(clock, known);
        NearLimit = Pressed || known >= limits.Enter - (limits.Enter - limits.Leave) / 2;
        var average = Average(clock);
        _below = average >= limits.Leave || since >= options.Sustained.Value ? TimeSpan.Zero : _below + elapsed;
        return Pressed ? Under(clock, average, elapsed) : Unpressed(clock, average, elapsed);
    }

    /// <summary>Its incident came to an end: what follows is judged from zero, after the cooldown.</summary>
    public void Over()
    {
        if (_last is not { } clock) return;
        Rest(clock);
    }

    private PressureChange Unpressed(TimeSpan clock, double value, TimeSpan elapsed)
    {
        _at = Add(_at, value, elapsed);
        if (value < limits.Enter || _at < options.Sustained.Value || clock < _cooldownUntil || Falls(clock, value)) return PressureChange.None;
        (Pressed, _firedAt, _sinceFired) = (true, clock, TimeSpan.Zero);
        return PressureChange.Entered;
    }

    private PressureChange Under(TimeSpan clock, double value, TimeSpan elapsed)
    {
        if (value >= limits.Enter) _at += elapsed;
        _sinceFired = Add(_sinceFired, value, elapsed);
        if (_below >= options.Dwell.Value)
        {
            Rest(clock);
            return PressureChange.Left;
        }

        // A peak on a machine that is nearly calm again is no pressure that lasts.
        if (value < limits.Enter || clock - _firedAt < options.Repeat.Value || _sinceFired < options.Sustained.Value) return PressureChange.None;
        (_firedAt, _sinceFired) = (clock, TimeSpan.Zero);
        return PressureChange.Again;
    }

    /// <summary>Time at the limit: a dip takes off twice its length, calm all.</summary>
    private TimeSpan Add(TimeSpan sum, double value, TimeSpan elapsed) =>
        value >= limits.Enter ? sum + elapsed : value < limits.Leave ? TimeSpan.Zero : Max(TimeSpan.Zero, sum - 2 * elapsed);

    private double Average(TimeSpan clock)
    {
        var (sum, count) = (0.0, 0);
        foreach (var (at, value) in _recent)
        {
            if (clock - at >= options.Interval.Value * AveragedOver) continue;
            sum += value;
            count++;
        }

        return sum / count;
    }

    private void Rest(TimeSpan clock)
    {
        (Pressed, _at) = (false, TimeSpan.Zero);
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
