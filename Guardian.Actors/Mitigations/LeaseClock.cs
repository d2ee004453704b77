namespace Guardian.Actors.Mitigations;

/// <summary>
/// How leases are timed, everywhere: their ends are UTC in journal, cluster and lists, and monotonic timestamps in the process from
/// receipt on. A wall clock that is set forward or back ends nothing early or late.
/// </summary>
internal static class LeaseClock
{
    /// <summary>The monotonic timestamp at which a lease until then, UTC, lapses; now where that is past.</summary>
    public static long DeadlineOf(this TimeProvider time, DateTimeOffset until) =>
        time.GetTimestamp() + Math.Max(0, time.Ticks(until - time.GetUtcNow()));

    /// <summary>A length in units of the monotonic timestamp.</summary>
    public static long Ticks(this TimeProvider time, TimeSpan length) => (long)(length.TotalSeconds * time.TimestampFrequency);
}

/// <summary>
/// The present for whoever lets stored leases lapse by their UTC ends: a wall clock that is set forward moves it on by elapsed time
/// alone, so nothing ends early; one that is set back is followed.
/// </summary>
internal sealed class LapseClock(TimeProvider time)
{
    private readonly DateTimeOffset _start = time.GetUtcNow();
    private readonly long _started = time.GetTimestamp();

    /// <summary>UTC.</summary>
    public DateTimeOffset Now
    {
        get
        {
            var (wall, steady) = (time.GetUtcNow(), _start + time.GetElapsedTime(_started));
            return wall < steady ? wall : steady;
        }
    }
}
