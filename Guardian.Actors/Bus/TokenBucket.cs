using System.Diagnostics;
using System.Threading.RateLimiting;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Bus;

/// <summary>
/// A token bucket that holds one period of the rate and is filled by whoever asks: no timer per bucket, so a hundred thousand
/// idle buckets cost nothing. The framework's limiter counts elapsed time itself; it is only told when a slice has passed.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "Without automatic replenishment the limiter has no timer, and without a queue nobody waits: there is nothing to dispose of.")]
internal sealed class TokenBucket
{
    // Fill at most a hundred times a second: finer slices would only cost time on the publisher's thread.
    private static readonly long FinestSlice = TimeSpan.FromMilliseconds(10).Ticks;

    private readonly TokenBucketRateLimiter _limiter;
    private readonly long _sliceInTimestamps;
    private long _nextFill;

    public TokenBucket(Rate rate)
    {
        Rate = rate;
        var tokens = (int)Math.Clamp(((FinestSlice * rate.Count) + rate.Period.Ticks - 1) / rate.Period.Ticks, 1, rate.Count);
        Slice = TimeSpan.FromTicks(Math.Max(1, rate.Period.Ticks * tokens / rate.Count));
        _sliceInTimestamps = (long)(Slice.TotalSeconds * Stopwatch.Frequency);
        _nextFill = Stopwatch.GetTimestamp() + _sliceInTimestamps;
        _limiter = new TokenBucketRateLimiter(new TokenBucketRateLimiterOptions
        {
            TokenLimit = rate.Count,
            TokensPerPeriod = tokens,
            ReplenishmentPeriod = Slice,
            AutoReplenishment = false,
            QueueLimit = 0,
        });
    }

    public Rate Rate { get; }

    /// <summary>Until the next token, at most.</summary>
    public TimeSpan Slice { get; }

    /// <summary>Takes a token; false when there is none. Any thread, no allocation while tokens are left.</summary>
    public bool TryTake()
    {
        // Filling before taking matters: what ran over while the bucket was full must not be credited later.
        var now = Stopwatch.GetTimestamp();
        var next = Volatile.Read(ref _nextFill);
        if (now >= next && Interlocked.CompareExchange(ref _nextFill, now + _sliceInTimestamps, next) == next) _limiter.TryReplenish();
        using var lease = _limiter.AttemptAcquire();
        return lease.IsAcquired;
    }
}
