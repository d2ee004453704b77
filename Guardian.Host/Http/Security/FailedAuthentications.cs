using System.Collections.Concurrent;
using System.Net;

namespace Guardian.Host.Http.Security;

/// <summary>
/// Failed authentications per remote address and minute. Only who presents a wrong key is ever refused by it: a valid
/// key is looked at first. When the table is full, further addresses share one count, so guessing from many
/// addresses stays bounded too.
/// </summary>
internal sealed class FailedAuthentications(TimeProvider time, int tableSize = FailedAuthentications.TableSize)
{
    /// <summary>Addresses counted at once; about 1 MiB.</summary>
    public const int TableSize = 10_000;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private sealed class Count(long start)
    {
        public long Start = start;
        public int Failures;
    }

    private readonly ConcurrentDictionary<IPAddress, Count> _counts = new();
    private readonly Count _others = new(0);
    private long _overflow;

    /// <summary>Failures that were counted in the shared count because the table was full.</summary>
    public long Overflow => Interlocked.Read(ref _overflow);

    /// <summary>Counts a failure; the time to wait where the address has used up its minute.</summary>
    public TimeSpan? Fail(IPAddress? address, int limit)
    {
        var now = time.GetTimestamp();
        var count = CountOf(address ?? IPAddress.None, now);
        lock (count)
        {
            if (time.GetElapsedTime(count.Start, now) >= Window)
            {
                count.Start = now;
                count.Failures = 0;
            }

            if (count.Failures < limit)
            {
                count.Failures++;
                return null;
            }

            return Window - time.GetElapsedTime(count.Start, now);
        }
    }

    private Count CountOf(IPAddress address, long now)
    {
        if (_counts.TryGetValue(address, out var known)) return known;
        if (_counts.Count >= tableSize) Sweep(now);
        if (_counts.Count < tableSize) return _counts.GetOrAdd(address, static (_, at) => new Count(at), now);
        Interlocked.Increment(ref _overflow);
        return _others;
    }

    private void Sweep(long now)
    {
        foreach (var (address, count) in _counts)
        {
            if (time.GetElapsedTime(count.Start, now) >= Window) _counts.TryRemove(address, out _);
        }
    }
}
