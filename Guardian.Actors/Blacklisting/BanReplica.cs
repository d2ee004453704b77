using Guardian.Actors.Mitigations;

namespace Guardian.Actors.Blacklisting;

/// <summary>
/// The cluster's bans as this node sees them, merged with what holds here alone: provisional bans, answers of the
/// authority that DistributedData has not brought yet, and operators' words that the authority has not taken yet.
/// The strictest, the one that ends last, is shown. Only buckets that changed are rebuilt. Not thread-safe.
/// </summary>
internal sealed class BanReplica(TimeProvider time)
{
    /// <summary>So long an answer of the authority outweighs DistributedData, which may still bring what was before.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private readonly BanBucket[] _replicated = [.. Enumerable.Repeat(BanBucket.Empty, BanBuckets.Count)];
    private readonly Dictionary<string, Merged>[] _merged = [.. Enumerable.Range(0, BanBuckets.Count).Select(_ => new Dictionary<string, Merged>(StringComparer.Ordinal))];
    private readonly Dictionary<int, Dictionary<string, LocalWord>> _local = [];
    private readonly HashSet<int> _changed = [];

    /// <summary>Principals with something that holds here alone.</summary>
    public int Local { get; private set; }

    /// <summary>Takes a bucket in; the answer names the principals whose exemption began or ended by it.</summary>
    public IReadOnlyList<PrincipalCleared> OnBucket(int bucket, BanBucket content)
    {
        var before = _replicated[bucket];
        if (ReferenceEquals(before, content)) return [];
        _replicated[bucket] = content;
        _changed.Add(bucket);
        if (before.Exemptions.Count == 0 && content.Exemptions.Count == 0) return [];
        var cleared = content.Exemptions.Except(before.Exemptions).Select(x => new PrincipalCleared(x.Principal, x.Until)).ToList();
        foreach (var x in cleared) Word(x.Principal, remove: true, word => word with { Provisional = null });
        var now = time.GetUtcNow();
        cleared.AddRange(before.Exemptions.Where(x => x.Until > now && content.Exemptions.All(y => y.Principal != x.Principal))
            .Select(x => new PrincipalCleared(x.Principal, null)));
        return cleared;
    }

    public bool IsExempt(string principal)
    {
        var (bucket, now) = (BanBuckets.Of(principal), time.GetUtcNow());
        return _replicated[bucket].Exemptions.Any(x => x.Principal == principal && x.Until > now)
            || (_local.TryGetValue(bucket, out var words) && words.TryGetValue(principal, out var word) && word.ExemptUntil > now);
    }

    public void Provisional(ProvisionalBan ban)
    {
        var now = time.GetUtcNow();
        Word(ban.Principal, remove: false, word => word with
        {
            Provisional = Merged.Of(Entry(ban.Principal, now, now + ban.For, ban.Reason, $"monitor/{ban.IncidentKey}"), time),
        });
    }

    /// <summary>A ban holds here from now on. Held: until the authority has spoken, else for the grace.</summary>
    public void Ban(BanPrincipal command, DateTimeOffset until, int offences, bool held) => Word(command.Principal, remove: false, word => word with
    {
        Own = Merged.Of(Entry(command.Principal, time.GetUtcNow(), until, command.Reason, command.Owner) with { Offences = offences }, time, held ? null : word.Own),
        HideSince = command.ByOperator ? null : word.HideSince,
        ExemptUntil = command.ByOperator ? null : word.ExemptUntil,
        Deadline = Deadline(held),
    });

    /// <summary>What was banned until now is free here. An operator's lift clears provisional bans as well and exempts.</summary>
    public void Lift(LiftBan command, DateTimeOffset? exemptUntil, bool held) => Word(command.Principal, remove: false, word => word with
    {
        Own = command.ByOperator || word.Own?.Entry.Owner == command.Owner ? null : word.Own,
        Provisional = command.ByOperator ? null : word.Provisional,
        HideSince = time.GetUtcNow(),
        ExemptUntil = exemptUntil ?? word.ExemptUntil,
        Deadline = Deadline(held),
    });

    /// <summary>The authority has spoken: DistributedData follows.</summary>
    public void Settle(string principal) => Word(principal, remove: true, word => word with { Deadline = Deadline(held: false) });

    /// <summary>The authority refused what an operator asked for.</summary>
    public void Withdraw(string principal) => Word(principal, remove: true, word => new LocalWord { Provisional = word.Provisional });

    /// <summary>Marks the buckets in which something lapsed, so that the next <see cref="Rebuild"/> forgets it.</summary>
    public void Sweep()
    {
        var now = time.GetTimestamp();
        for (var i = 0; i < _merged.Length; i++)
            foreach (var (_, merged) in _merged[i])
                if (merged.Active.Deadline <= now)
                    _changed.Add(i);
        foreach (var principal in _local.SelectMany(x => x.Value).Where(x => x.Value.IsOver(now, time.GetUtcNow())).Select(x => x.Key).ToList())
            Word(principal, remove: true, _ => new LocalWord());
    }

    /// <summary>The new snapshot where a bucket changed.</summary>
    public BucketedBans Rebuild(BucketedBans current)
    {
        if (_changed.Count == 0) return current;
        var changed = new Dictionary<int, Dictionary<string, ActiveBan>>(_changed.Count);
        foreach (var bucket in _changed)
        {
            _merged[bucket] = Merge(bucket);
            changed[bucket] = _merged[bucket].ToDictionary(x => x.Key, x => x.Value.Active, StringComparer.Ordinal);
        }

        _changed.Clear();
        return current.With(changed);
    }

    /// <summary>Bans in force as operators see them.</summary>
    public IReadOnlyList<BanEntry> List(string? principal)
    {
        var now = time.GetTimestamp();
        var merged = principal is null ? _merged.SelectMany(x => x.Values)
            : _merged[BanBuckets.Of(principal)].TryGetValue(principal, out var one) ? [one] : [];
        return [.. merged.Where(x => x.Active.Deadline > now).Select(x => x.Entry).OrderBy(x => x.Principal, StringComparer.Ordinal)];
    }

    private Dictionary<string, Merged> Merge(int bucket)
    {
        var (now, before) = (time.GetTimestamp(), _merged[bucket]);
        var merged = new Dictionary<string, Merged>(StringComparer.Ordinal);
        var words = _local.GetValueOrDefault(bucket);
        foreach (var entry in _replicated[bucket].Bans)
        {
            var word = words?.GetValueOrDefault(entry.Principal);
            if (word?.Hides(entry, now) == true) continue;
            // The deadline is taken on receipt and kept: a clock that jumps later ends nothing early or late.
            var ban = before.TryGetValue(entry.Principal, out var known) && known.Entry.Until == entry.Until && known.Entry.Owner == entry.Owner
                ? known with { Entry = entry } : Merged.Of(entry, time, word?.Own);
            if (ban.Active.Deadline > now) merged[entry.Principal] = ban;
        }

        foreach (var (principal, word) in words ?? [])
            foreach (var ban in word.Bans(now))
                if (!merged.TryGetValue(principal, out var other) || other.Active.Deadline < ban.Active.Deadline)
                    merged[principal] = ban;
        return merged;
    }

    private void Word(string principal, bool remove, Func<LocalWord, LocalWord> change)
    {
        var bucket = BanBuckets.Of(principal);
        var known = _local.TryGetValue(bucket, out var words) && words.ContainsKey(principal);
        if (!known && remove) return;
        if (words is null) _local[bucket] = words = new(StringComparer.Ordinal);
        var word = change(words.GetValueOrDefault(principal) ?? new LocalWord());
        if (word.IsOver(time.GetTimestamp(), time.GetUtcNow())) words.Remove(principal);
        else words[principal] = word;
        Local += (words.ContainsKey(principal) ? 1 : 0) - (known ? 1 : 0);
        if (words.Count == 0) _local.Remove(bucket);
        _changed.Add(bucket);
    }

    private long Deadline(bool held) => held ? long.MaxValue : time.GetTimestamp() + time.Ticks(Grace);

    private static BanEntry Entry(string principal, DateTimeOffset since, DateTimeOffset until, string reason, string owner) =>
        new() { Principal = principal, Since = since, Until = until, Reason = reason, Owner = owner, Offences = 0 };
}
