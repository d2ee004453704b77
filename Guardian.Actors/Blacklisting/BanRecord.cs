namespace Guardian.Actors.Blacklisting;

/// <summary>One principal's leases, offences and exemption. The strictest lease is the one that ends last.</summary>
internal sealed class BanRecord
{
    private readonly Dictionary<string, BanLease> _leases = new(StringComparer.Ordinal);
    private int _offences;

    public BanRecord()
    {
    }

    public BanRecord(BanRecordSnapshot snapshot)
    {
        (_offences, LastEnd, ExemptUntil, LastWord) = (snapshot.Offences, snapshot.LastEnd, snapshot.ExemptUntil, snapshot.LastWord);
        foreach (var lease in snapshot.Leases) _leases[lease.Owner] = lease;
    }

    /// <summary>End of the last ban; offences are forgotten some time after it.</summary>
    public DateTimeOffset LastEnd { get; private set; }

    public DateTimeOffset? ExemptUntil { get; set; }

    /// <summary>When the latest ban or lift of an operator was given: an older one that comes later changes nothing. Forgotten as offences are.</summary>
    public DateTimeOffset? LastWord { get; private set; }

    public bool HasLeases => _leases.Count > 0;

    public bool IsBlank => _leases.Count == 0 && _offences == 0 && ExemptUntil is null && LastWord is null;

    public void Set(BanSet set)
    {
        _leases[set.Owner] = new BanLease(set.Owner, set.Key, set.At, set.Until, set.Reason);
        _offences = set.Offences;
        if (set.Until > LastEnd) LastEnd = set.Until;
        if (!set.ByOperator) return;
        ExemptUntil = null;
        Heard(set.GivenAt ?? set.At);
    }

    public void Lift(BanLifted lifted)
    {
        if (lifted.Owner is { } owner)
        {
            _leases.Remove(owner);
            LastEnd = _leases.Count == 0 ? lifted.At : _leases.Values.Max(x => x.Until);
            return;
        }

        _leases.Clear();
        _offences = 0;
        LastEnd = lifted.At;
        Heard(lifted.GivenAt ?? lifted.At);
    }

    public BanLease? Lease(string owner, DateTimeOffset now) =>
        _leases.TryGetValue(owner, out var lease) && lease.Until > now ? lease : null;

    public BanLease? Strictest(DateTimeOffset now) => InForce(now).MaxBy(x => x.Until);

    /// <summary>The strictest without this owner's.</summary>
    public BanLease? Others(string owner, DateTimeOffset now) => InForce(now).Where(x => x.Owner != owner).MaxBy(x => x.Until);

    public DateTimeOffset Since(DateTimeOffset now) => InForce(now).Min(x => x.Since);

    public int OffencesAt(DateTimeOffset now, TimeSpan forgetAfter) => now - LastEnd > forgetAfter ? 0 : _offences;

    /// <summary>Takes out what has lapsed; true where that changed something.</summary>
    public bool Prune(DateTimeOffset now, TimeSpan forgetAfter)
    {
        var changed = false;
        foreach (var (owner, lease) in _leases)
            if (lease.Until <= now)
                changed |= _leases.Remove(owner);
        if (ExemptUntil <= now) (ExemptUntil, changed) = (null, true);
        if (_offences > 0 && OffencesAt(now, forgetAfter) == 0) (_offences, changed) = (0, true);
        if (now - LastWord > forgetAfter) (LastWord, changed) = (null, true);
        return changed;
    }

    public BanRecordSnapshot ToSnapshot(string principal) => new()
    {
        Principal = principal, Offences = _offences, LastEnd = LastEnd, ExemptUntil = ExemptUntil, LastWord = LastWord, Leases = [.. _leases.Values],
    };

    private void Heard(DateTimeOffset given) => LastWord = given > LastWord || LastWord is null ? given : LastWord;

    private IEnumerable<BanLease> InForce(DateTimeOffset now) => _leases.Values.Where(x => x.Until > now);
}
