using System.Numerics;
using Guardian.Actors.Access;

namespace Guardian.Actors.Bus;

/// <summary>
/// The denials of this node by (principal, topic, operation, policy), filled on the callers' threads. Bounded: when full, the
/// least of a few sampled rows gives way and what of it was not sent goes to <see cref="Overflow"/>, so the totals stay exact.
/// Keeping the heavy and giving up the light is the idea of Space-Saving (Metwally, Agrawal, El Abbadi, "Efficient Computation
/// of Frequent and Top-k Elements in Data Streams", ICDT 2005), with eviction by sampling instead of its ordered list,
/// and without its inherited counts, since a row must never claim what its subject did not do.
/// </summary>
internal sealed class ViolationTable
{
    // Shares of a digest: the largest first, but the longest waiting always get on.
    private const int Oldest = 16;

    private readonly ViolationShard[] _shards;
    private long _order;
    private int _signalled;

    public ViolationTable(int rows)
    {
        var shards = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Clamp(Environment.ProcessorCount * 2, 4, 16));
        var each = Math.Max(1, rows / shards);
        _shards = [.. Enumerable.Range(0, shards).Select(i => new ViolationShard(each, i, shards))];
    }

    /// <summary>Called when something is counted for the first time since <see cref="Quiet"/>; from any thread.</summary>
    public Action? Woken { get; set; }

    public long TotalDenied => _shards.Sum(x => x.Totals.Denied);

    public long TotalBlacklisted => _shards.Sum(x => x.Totals.Blacklisted);

    /// <summary>Of both totals, what is in no row.</summary>
    public long Overflow => _shards.Sum(x => x.Totals.Overflow);

    public int Rows => _shards.Sum(x => x.Count);

    /// <summary>Counts a denial by the policy.</summary>
    public void Denied(string principal, string topic, BusOperation operation, string ruleId, AccessPolicy policy, bool allowedBefore, DateTimeOffset at)
    {
        var key = new ViolationKey(principal, topic, operation, policy.Id, allowedBefore);
        ShardOf(key).Denied(key, policy, ruleId, at, Interlocked.Increment(ref _order));
        Wake();
    }

    /// <summary>Counts an attempt of a banned principal. It adds no time: what a ban stopped raises nothing new.</summary>
    public void Blacklisted(string principal, string topic, BusOperation operation, AccessPolicy policy)
    {
        var key = new ViolationKey(principal, topic, operation, policy.Id, AllowedBefore: false);
        ShardOf(key).Blacklisted(key, policy, Interlocked.Increment(ref _order));
        Wake();
    }

    /// <summary>Up to <paramref name="max"/> rows with unsent counts, marked as sent: the largest, and the longest waiting; <paramref name="more"/> when others wait.</summary>
    public IReadOnlyList<AclViolation> TakeChanged(int max, long sequence, out bool more)
    {
        var waiting = 0;
        var largest = new PriorityQueue<RowReference, long>(max);
        var oldest = new PriorityQueue<RowReference, long>(Oldest);
        foreach (var shard in _shards)
        {
            shard.Visit(x => x.Unsent > 0, (row, reference) =>
            {
                waiting++;
                Offer(largest, reference, row.Unsent, max);
                Offer(oldest, reference, -row.WaitingSince, Oldest);
            });
        }

        var chosen = largest.UnorderedItems.OrderByDescending(x => x.Priority).Select(x => x.Element).ToList();
        if (chosen.Count == max) chosen = [.. chosen.Take(max - Oldest).Union(oldest.UnorderedItems.Select(x => x.Element)).Union(chosen).Take(max)];
        more = waiting > chosen.Count;
        return Take(chosen, sequence);
    }

    /// <summary>Up to <paramref name="max"/> rows of the latest digests, to be sent once more.</summary>
    public IReadOnlyList<AclViolation> TakeLatest(int max, long sequence)
    {
        var latest = new PriorityQueue<RowReference, (long, long)>(max);
        foreach (var shard in _shards) shard.Visit(x => x.SentIn > 0, (row, reference) => Offer(latest, reference, (row.SentIn, row.LastEvent), max));
        return Take([.. latest.UnorderedItems.Select(x => x.Element)], sequence);
    }

    /// <summary>Everything was sent: the next violation calls <see cref="Woken"/>. The caller looks once more afterwards.</summary>
    public void Quiet() => Interlocked.Exchange(ref _signalled, 0);

    private static void Offer<TPriority>(PriorityQueue<RowReference, TPriority> queue, RowReference row, TPriority priority, int max)
    {
        if (queue.Count < max) queue.Enqueue(row, priority);
        else queue.EnqueueDequeue(row, priority);
    }

    private List<AclViolation> Take(List<RowReference> rows, long sequence)
    {
        var taken = new List<AclViolation>(rows.Count);
        foreach (var row in rows)
        {
            if (_shards[row.Shard].TryTake(row, sequence, out var violation)) taken.Add(violation);
        }

        return taken;
    }

    private ViolationShard ShardOf(in ViolationKey key) => _shards[(key.GetHashCode() >>> 16) & (_shards.Length - 1)];

    private void Wake()
    {
        if (Volatile.Read(ref _signalled) == 0 && Interlocked.CompareExchange(ref _signalled, 1, 0) == 0) Woken?.Invoke();
    }
}

/// <summary>Points at a row; void once the row was evicted.</summary>
internal readonly record struct RowReference(int Shard, int Index, long Number);
