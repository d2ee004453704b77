using Guardian.Actors.Bus;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Mitigations;

/// <summary>
/// Limits on the requests that this node's public API takes. The strictest lease that has not lapsed holds; a lease ends at its
/// deadline also when nobody sweeps. Requests read an immutable snapshot; any thread.
/// </summary>
internal sealed class ApiLimits(TimeProvider time)
{
    /// <summary>One per run at once; beyond it the request is refused, traffic is not.</summary>
    public const int MaxLeases = 1_000;

    public const string Target = "api";

    private readonly Lock _gate = new();
    private readonly LeaseSet<TokenBucket> _leases = new(time);
    private volatile LeaseSet<TokenBucket>.Lease[] _strictestFirst = [];
    private long _refused;

    /// <summary>Requests refused since the start.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Sets or renews the owner's limit; a reason where it is refused.</summary>
    public string? Set(string owner, Rate rate, string reason, DateTimeOffset until)
    {
        var now = time.GetUtcNow();
        if (until <= now) return $"the lease ended already, at {until:O}";
        lock (_gate)
        {
            _leases.Sweep();
            var renewed = _leases.On(Target).FirstOrDefault(x => x.Owner == owner);
            if (renewed is null && _leases.All.Count() >= MaxLeases) return $"there are {MaxLeases} limits already";
            var bucket = renewed?.Effect.Rate == rate ? renewed.Effect : new TokenBucket(rate);
            _leases.Set(Target, owner, bucket, reason, renewed?.Since ?? now, until);
            Rebuild();
            return null;
        }
    }

    /// <summary>Lifts the owner's limit; false where it has none.</summary>
    public bool Lift(string owner)
    {
        lock (_gate)
        {
            if (!_leases.Remove(Target, owner, out _)) return false;
            Rebuild();
            return true;
        }
    }

    /// <summary>Lifts one by its id.</summary>
    public bool LiftById(string id) => id.StartsWith(IdOf(""), StringComparison.Ordinal) && Lift(id[IdOf("").Length..]);

    /// <summary>The owner's limit in force; null where there is none.</summary>
    public Mitigation? Of(string owner, string node) => Mitigations(node).FirstOrDefault(x => x.Owner == owner);

    public IReadOnlyList<Mitigation> Mitigations(string node)
    {
        lock (_gate)
        {
            return
            [
                .. _leases.On(Target).OrderBy(x => x.Owner, StringComparer.Ordinal).Select(x => new Mitigation
                {
                    Id = IdOf(x.Owner), Target = Target, Effect = $"limit to {x.Effect.Rate}", Owner = x.Owner, Reason = x.Reason, Node = node, Since = x.Since, Until = x.Until,
                }),
            ];
        }
    }

    /// <summary>Whether a limit refuses this request now; then how long until the next one is taken.</summary>
    public bool Refuses(out TimeSpan retryAfter)
    {
        retryAfter = default;
        var leases = _strictestFirst;
        if (leases.Length == 0) return false;
        var now = time.GetTimestamp();
        foreach (var lease in leases)
        {
            if (lease.Deadline <= now) continue;
            if (lease.Effect.TryTake()) return false;
            retryAfter = lease.Effect.Slice;
            Interlocked.Increment(ref _refused);
            return true;
        }

        return false;
    }

    private static string IdOf(string owner) => "api-limit:" + owner;

    private void Rebuild() => _strictestFirst = [.. _leases.On(Target).OrderBy(x => x.Effect.Rate.PerSecond)];
}
