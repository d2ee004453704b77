namespace Guardian.Actors.Chaos;

/// <summary>
/// A node's clock whose UTC a fault may set forward or back, as an operator or a time server does; what is monotonic, timers
/// included, runs on. In use where <c>Guardian:Chaos:Enabled</c> is set. Thread-safe.
/// </summary>
internal sealed class JumpableTime(TimeProvider inner) : TimeProvider
{
    private long _shift;

    /// <summary>How far UTC is off.</summary>
    public TimeSpan Shift => new(Interlocked.Read(ref _shift));

    public override TimeZoneInfo LocalTimeZone => inner.LocalTimeZone;

    public override long TimestampFrequency => inner.TimestampFrequency;

    /// <summary>Off by so much more.</summary>
    public void Jump(TimeSpan by) => Interlocked.Add(ref _shift, by.Ticks);

    public override DateTimeOffset GetUtcNow() => inner.GetUtcNow() + Shift;

    public override long GetTimestamp() => inner.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => inner.CreateTimer(callback, state, dueTime, period);
}
