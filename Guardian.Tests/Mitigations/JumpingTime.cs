namespace Guardian.Tests.Mitigations;

/// <summary>A clock whose UTC is set forward and back while its monotonic time runs on.</summary>
internal sealed class JumpingTime : TimeProvider
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private TimeSpan _elapsed;
    private TimeSpan _shift;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _elapsed.Ticks;

    public override DateTimeOffset GetUtcNow() => Start + _elapsed + _shift;

    public void Advance(TimeSpan by) => _elapsed += by;

    public void Jump(TimeSpan by) => _shift += by;
}
