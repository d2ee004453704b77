namespace Guardian.Actors.Chaos.Drills;

/// <summary>The one monotonic clock of a drill.</summary>
internal sealed class DrillClock(TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();

    public TimeProvider Time { get; } = time;

    public TimeSpan Now => Time.GetElapsedTime(_start);

    public async Task UntilAsync(TimeSpan moment, CancellationToken cancellation)
    {
        var left = moment - Now;
        if (left > TimeSpan.Zero) await Task.Delay(left, Time, cancellation).ConfigureAwait(false);
    }
}
