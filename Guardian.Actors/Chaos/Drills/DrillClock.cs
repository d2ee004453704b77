namespace Guardian.Actors.Chaos.Drills;

/// <summary>The one monotonic clock of a drill.</summary>
internal sealed class DrillClock(TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();

    public TimeProvider Time { get; } = time;

    public TimeSpan Now => Time.GetElapsedTime(_start);

    /// <summary>The wall clock at a moment of this one.</summary>
    public DateTimeOffset At(TimeSpan moment) => Time.GetUtcNow() - Now + moment;

    /// <summary>This clock at a moment of the wall clock.</summary>
    public TimeSpan Of(DateTimeOffset moment) => Now - (Time.GetUtcNow() - moment);

    public async Task UntilAsync(TimeSpan moment, CancellationToken cancellation)
    {
        var left = moment - Now;
        if (left > TimeSpan.Zero) await Task.Delay(left, Time, cancellation).ConfigureAwait(false);
    }
}
