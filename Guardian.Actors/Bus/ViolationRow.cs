using Guardian.Actors.Access;

namespace Guardian.Actors.Bus;

/// <summary>What makes violations one row.</summary>
internal readonly record struct ViolationKey(string Principal, string Topic, BusOperation Operation, long PolicyId, bool AllowedBefore);

/// <summary>Cumulative counts of one subject. Guarded by its shard's lock; the object is used again after an eviction, under a new number.</summary>
internal sealed class ViolationRow
{
    /// <summary>Latest denials kept; as many as the largest window of the monitors needs.</summary>
    public const int MaxTimes = 20;

    private DateTimeOffset[] _times = [];
    private int _written;

    public long Number { get; private set; }

    public ViolationKey Key { get; private set; }

    public string RuleId { get; set; } = "";

    public string PolicyHash { get; private set; } = "";

    public bool Control { get; private set; }

    public long Denied { get; private set; }

    public long Blacklisted { get; private set; }

    /// <summary>Not yet in a digest.</summary>
    public long Unsent { get; private set; }

    /// <summary>Order in which unsent rows began to wait.</summary>
    public long WaitingSince { get; private set; }

    /// <summary>Of the last digest with this row; 0: none.</summary>
    public long SentIn { get; private set; }

    public long LastEvent { get; private set; }

    public long Total => Denied + Blacklisted;

    public void Begin(long number, ViolationKey key, string policyHash, bool control)
    {
        Number = number;
        Key = key;
        PolicyHash = policyHash;
        Control = control;
        RuleId = "";
        Denied = Blacklisted = Unsent = SentIn = 0;
        _written = 0;
    }

    public void CountDenied(DateTimeOffset at, long order)
    {
        Denied++;
        Remember(at);
        Count(order);
    }

    public void CountBlacklisted(long order)
    {
        Blacklisted++;
        Count(order);
    }

    public AclViolation Take(long sequence)
    {
        Unsent = 0;
        SentIn = sequence;
        var kept = Math.Min(_written, MaxTimes);
        var times = new DateTimeOffset[kept];
        for (var i = 0; i < kept; i++) times[i] = _times[(_written - kept + i) % MaxTimes];
        return new AclViolation
        {
            Row = Number,
            Principal = Key.Principal,
            Topic = Key.Topic,
            Operation = Key.Operation == BusOperation.Publish ? "publish" : "subscribe",
            RuleId = RuleId.Length > 0 ? RuleId : "blacklisted",
            PolicyHash = PolicyHash,
            Control = Control,
            AllowedBefore = Key.AllowedBefore,
            Denied = Denied,
            Blacklisted = Blacklisted,
            Times = times,
        };
    }

    private void Count(long order)
    {
        if (Unsent++ == 0) WaitingSince = order;
        LastEvent = order;
    }

    // Most rows of a spread flood see one violation: the ring grows with them.
    private void Remember(DateTimeOffset at)
    {
        var slot = _written++ % MaxTimes;
        if (slot >= _times.Length) Array.Resize(ref _times, Math.Min(MaxTimes, Math.Max(1, slot * 2)));
        _times[slot] = at;
        if (_written == MaxTimes * 2) _written = MaxTimes; // keeps the remainder and "full"
    }
}
