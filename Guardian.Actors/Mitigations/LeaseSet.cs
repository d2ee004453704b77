using System.Diagnostics.CodeAnalysis;

namespace Guardian.Actors.Mitigations;

/// <summary>
/// The leases on targets: on each target a set with one lease per owner. Removing one lifts only its owner's;
/// which of several is the strictest is the caller's to say. Ends are monotonic timestamps of a <see cref="TimeProvider"/>,
/// so a clock that jumps ends nothing early or late. Not thread-safe; owned by one actor.
/// </summary>
internal sealed class LeaseSet<TEffect>(TimeProvider time)
{
    internal sealed record Lease(string Target, string Owner, TEffect Effect, string Reason, DateTimeOffset Since, DateTimeOffset Until, long Deadline);

    private readonly Dictionary<string, Dictionary<string, Lease>> _byTarget = new(StringComparer.Ordinal);

    /// <summary>Targets with at least one lease.</summary>
    public IReadOnlyCollection<string> Targets => _byTarget.Keys;

    /// <summary>All leases, those that have lapsed but were not swept included.</summary>
    public IEnumerable<Lease> All => _byTarget.Values.SelectMany(x => x.Values);

    /// <summary>Sets or renews the owner's lease on the target; <paramref name="until"/> is UTC and is turned into a monotonic deadline here.</summary>
    public Lease Set(string target, string owner, TEffect effect, string reason, DateTimeOffset since, DateTimeOffset until)
    {
        var lease = new Lease(target, owner, effect, reason, since, until, time.DeadlineOf(until));
        Restore(lease);
        return lease;
    }

    /// <summary>The owner's lease on the target, whether it has lapsed or not; null where there is none.</summary>
    public Lease? Find(string target, string owner) => _byTarget.TryGetValue(target, out var owners) ? owners.GetValueOrDefault(owner) : null;

    /// <summary>Puts a lease back as it was.</summary>
    public void Restore(Lease lease)
    {
        if (!_byTarget.TryGetValue(lease.Target, out var owners)) _byTarget[lease.Target] = owners = new(StringComparer.Ordinal);
        owners[lease.Owner] = lease;
    }

    /// <summary>Lifts the owner's lease on the target.</summary>
    public bool Remove(string target, string owner, [NotNullWhen(true)] out Lease? lease)
    {
        lease = null;
        if (!_byTarget.TryGetValue(target, out var owners) || !owners.Remove(owner, out lease)) return false;
        if (owners.Count == 0) _byTarget.Remove(target);
        return true;
    }

    /// <summary>Lifts every lease on the target.</summary>
    public IReadOnlyCollection<Lease> RemoveAll(string target) =>
        _byTarget.Remove(target, out var owners) ? owners.Values : [];

    /// <summary>Leases on the target that have not lapsed.</summary>
    public IEnumerable<Lease> On(string target)
    {
        var now = time.GetTimestamp();
        return _byTarget.TryGetValue(target, out var owners) ? owners.Values.Where(x => x.Deadline > now) : [];
    }

    /// <summary>Takes out what has lapsed and returns it.</summary>
    public IReadOnlyList<Lease> Sweep()
    {
        var now = time.GetTimestamp();
        var lapsed = All.Where(x => x.Deadline <= now).ToList();
        foreach (var lease in lapsed) Remove(lease.Target, lease.Owner, out _);
        return lapsed;
    }

    /// <summary>Time until the next lease lapses; null when there is none.</summary>
    public TimeSpan? NextLapse()
    {
        if (_byTarget.Count == 0) return null;
        var now = time.GetTimestamp();
        var next = All.Min(x => x.Deadline);
        return next <= now ? TimeSpan.Zero : time.GetElapsedTime(now, next);
    }
}
