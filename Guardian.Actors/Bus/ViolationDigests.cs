using Guardian.Actors.Access;

namespace Guardian.Actors.Bus;

/// <summary>
/// Decides when a digest is due and what is in it: at most one per 40 ms, at once after a quiet time, none while nothing changed;
/// the last one is repeated once, so that a lost digest heals also when nothing more happens. No clock: timestamps come in.
/// </summary>
internal sealed class ViolationDigests(ViolationTable table, string node, long incarnation, PolicyStore policies, TimeProvider time)
{
    /// <summary>Most rows of a digest: about 40 KB, well under Akka's default frame of 128,000 bytes. Not an option, consumers rely on it.</summary>
    public const int MaxRows = 64;

    /// <summary>Between two digests, so at most 25 a second. Not an option: a flood's cost to the cluster is a promise.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(40);

    /// <summary>After the last digest it is repeated once.</summary>
    public static readonly TimeSpan RepeatAfter = TimeSpan.FromSeconds(1);

    private long _sequence;
    private long? _lastAt;
    private (long Denied, long Blacklisted, long Overflow) _sent;
    private bool _moreRows;
    private bool _repeated = true;

    /// <summary>How long until there is something to send; null while there is nothing.</summary>
    public TimeSpan? Due(long now)
    {
        TimeSpan? after = HasNews ? Interval : _repeated ? null : RepeatAfter;
        if (after is null || _lastAt is not { } last) return after is null ? null : TimeSpan.Zero;
        var left = after.Value - time.GetElapsedTime(last, now);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    /// <summary>The digest that is due; null where none is.</summary>
    public ViolationDigest? Take(long now)
    {
        if (Due(now) != TimeSpan.Zero) return null;
        var news = HasNews;
        var totals = (table.TotalDenied, table.TotalBlacklisted, table.Overflow);
        var sequence = _sequence + 1;
        var more = false;
        var rows = news ? table.TakeChanged(MaxRows, sequence, out more) : table.TakeLatest(MaxRows, sequence);
        _sequence = sequence;
        _lastAt = now;
        _sent = totals;
        _moreRows = more;
        _repeated = !news;
        var policy = policies.Current;
        return new ViolationDigest
        {
            Node = node,
            Incarnation = incarnation,
            Sequence = sequence,
            Rows = rows,
            Denied = totals.TotalDenied,
            Blacklisted = totals.TotalBlacklisted,
            Overflow = totals.Overflow,
            DeclaredPrincipals = policy.DeclaredPrincipals,
            PolicyHash = policy.Hash,
        };
    }

    /// <summary>True when something was counted that no digest said yet.</summary>
    public bool HasNews => _moreRows || _sent != (table.TotalDenied, table.TotalBlacklisted, table.Overflow);
}
