using System.Collections.Frozen;
using Guardian.Actors.Access;
using Guardian.Actors.Mitigations;

namespace Guardian.Actors.Bus;

/// <summary>
/// Limits that mitigations put on topics. The bus actor owns the leases; publishers read an immutable snapshot. On one target
/// the strictest lease that has not lapsed holds; a lease ends at its deadline also when nobody sweeps.
/// </summary>
internal sealed class BusLimits(TimeProvider time)
{
    /// <summary>Leases at once: one per open incident and then some. Beyond it the request is refused, traffic is not.</summary>
    public const int MaxLeases = 10_000;

    // Patterns are tried one after another on the publisher's thread, so there may only be a few.
    private const int MaxPatterns = 64;

    private readonly LeaseSet<Effect> _leases = new(time);
    private volatile Snapshot _snapshot = Snapshot.Empty;

    /// <summary>Sets or renews; a reason where it is refused.</summary>
    public string? Set(SetBusLimit command, AccessPolicy policy)
    {
        if (!TopicNames.IsPattern(command.Topic, out var problem)) return $"topic '{command.Topic}' {problem}";
        if (!command.DenialsOnly && policy.TouchesControlTopics(command.Topic))
            return $"'{command.Topic}' is a control topic or matches one; control topics have reserved capacity and take only denialsOnly limits";
        if (command.Until <= time.GetUtcNow()) return $"the lease ended already, at {command.Until:O}";
        var target = TargetOf(command.Topic, command.Principal, command.DenialsOnly);
        var renewed = _leases.On(target).FirstOrDefault(x => x.Owner == command.Owner);
        if (renewed is null && _leases.All.Count() >= MaxLeases) return $"there are {MaxLeases} limits already";
        if (renewed is null && IsWild(command.Topic) && _leases.All.Count(x => IsWild(x.Effect.Topic)) >= MaxPatterns) return $"there are {MaxPatterns} limits on patterns already; limit a topic";
        var bucket = renewed?.Effect.Bucket is { } kept && kept.Rate == command.Rate ? kept : new TokenBucket(command.Rate);
        var effect = new Effect(command.Topic, command.Principal, command.DenialsOnly, bucket);
        _leases.Set(target, command.Owner, effect, command.Reason, renewed?.Since ?? time.GetUtcNow(), command.Until);
        Rebuild();
        return null;
    }

    /// <summary>Lifts the owner's limits on the topic and principal; true when there was one.</summary>
    public bool Lift(string topic, string? principal, string owner)
    {
        var lifted = _leases.Remove(TargetOf(topic, principal, false), owner, out _);
        lifted |= _leases.Remove(TargetOf(topic, principal, true), owner, out _);
        if (lifted) Rebuild();
        return lifted;
    }

    /// <summary>Lifts one by its id.</summary>
    public bool Lift(string id)
    {
        var lease = _leases.All.FirstOrDefault(x => IdOf(x) == id);
        if (lease is null || !_leases.Remove(lease.Target, lease.Owner, out _)) return false;
        Rebuild();
        return true;
    }

    /// <summary>Takes out what has lapsed; how many did.</summary>
    public int Sweep()
    {
        var lapsed = _leases.Sweep().Count;
        if (lapsed > 0) Rebuild();
        return lapsed;
    }

    public TimeSpan? NextLapse() => _leases.NextLapse();

    public IReadOnlyList<Mitigation> Mitigations(string node) =>
    [
        .. _leases.Targets.SelectMany(_leases.On).OrderBy(x => x.Target, StringComparer.Ordinal).ThenBy(x => x.Owner, StringComparer.Ordinal).Select(x => new Mitigation
        {
            Id = IdOf(x),
            Target = x.Effect.Principal is { } principal ? $"topic/{x.Effect.Topic} of principal/{principal}" : $"topic/{x.Effect.Topic}",
            Effect = x.Effect.DenialsOnly ? $"limit denials to {x.Effect.Bucket.Rate}" : $"limit to {x.Effect.Bucket.Rate}",
            Owner = x.Owner,
            Reason = x.Reason,
            Node = node,
            Since = x.Since,
            Until = x.Until,
        }),
    ];

    /// <summary>Whether a mitigation refuses this message, or this denial, now; then how long until the next is let through.</summary>
    public bool Refuses(string topic, string principal, bool denial, out TimeSpan retryAfter)
    {
        retryAfter = default;
        var snapshot = _snapshot;
        if (snapshot.IsEmpty) return false;
        var now = time.GetTimestamp();
        return Refuses(snapshot.Exact.GetValueOrDefault(topic), topic, principal, denial, now, ref retryAfter)
            | Refuses(snapshot.Wild, topic, principal, denial, now, ref retryAfter);
    }

    private static bool Refuses(Target[]? targets, string topic, string principal, bool denial, long now, ref TimeSpan retryAfter)
    {
        foreach (var target in targets ?? [])
        {
            if (target.DenialsOnly != denial || (target.Principal is not null && target.Principal != principal) || !target.Matches(topic)) continue;
            foreach (var lease in target.StrictestFirst)
            {
                if (lease.Deadline <= now) continue;
                if (lease.Effect.Bucket.TryTake()) break;
                retryAfter = lease.Effect.Bucket.Slice;
                return true;
            }
        }

        return false;
    }

    private static string TargetOf(string topic, string? principal, bool denialsOnly) => $"{topic}|{(denialsOnly ? "denials" : "all")}|{principal}";

    private static string IdOf(LeaseSet<Effect>.Lease lease) => $"bus-limit:{lease.Target}:{lease.Owner}";

    private static bool IsWild(string topic) => topic.AsSpan().ContainsAny('*', '>');

    private void Rebuild()
    {
        var targets = _leases.Targets
            .Select(x => _leases.On(x).OrderBy(lease => lease.Effect.Bucket.Rate.PerSecond).ToArray())
            .Where(x => x.Length > 0)
            .Select(x => new Target(x[0].Effect.Topic, x[0].Effect.Principal, x[0].Effect.DenialsOnly, x))
            .ToList();
        _snapshot = new Snapshot(
            targets.Where(x => !IsWild(x.Topic)).GroupBy(x => x.Topic, StringComparer.Ordinal).ToFrozenDictionary(x => x.Key, x => x.ToArray(), StringComparer.Ordinal),
            [.. targets.Where(x => IsWild(x.Topic))]);
    }

    internal sealed record Effect(string Topic, string? Principal, bool DenialsOnly, TokenBucket Bucket);

    private sealed class Target(string topic, string? principal, bool denialsOnly, LeaseSet<Effect>.Lease[] strictestFirst)
    {
        private readonly PatternTrie<bool>? _pattern = Compile(topic);

        public string Topic => topic;

        public string? Principal => principal;

        public bool DenialsOnly => denialsOnly;

        public LeaseSet<Effect>.Lease[] StrictestFirst => strictestFirst;

        public bool Matches(string concrete) => _pattern is null || _pattern.TryFirst(concrete, out _);

        private static PatternTrie<bool>? Compile(string topic)
        {
            if (!IsWild(topic)) return null;
            var trie = new PatternTrie<bool>();
            trie.Add(topic, true);
            return trie;
        }
    }

    private sealed record Snapshot(FrozenDictionary<string, Target[]> Exact, Target[] Wild)
    {
        public static readonly Snapshot Empty = new(FrozenDictionary<string, Target[]>.Empty, []);

        public bool IsEmpty => Exact.Count == 0 && Wild.Length == 0;
    }
}
