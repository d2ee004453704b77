using Guardian.Actors.Hosting;

namespace Guardian.Actors.Blacklisting;

/// <summary>What a command led to: facts to persist, and the answer to give after that.</summary>
internal sealed record BanDecision(IReadOnlyList<BanEvent> Events, BanResult Result);

/// <summary>
/// All bans and who may be banned. <see cref="Decide(BanPrincipal, DateTimeOffset)"/> says what happens,
/// <see cref="Apply"/> does it; a command repeated under its key changes nothing. Pure; not thread-safe.
/// </summary>
internal sealed class BanBook(BlacklistOptions options, Func<string, bool> isProtected)
{
    public static readonly TimeSpan MinLength = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan MaxLength = TimeSpan.FromDays(365);

    private const int MaxNameLength = 255; // as topics
    private const int MaxReasonLength = 500; // keeps a bucket of 200 bans within a frame
    private const int KeysRemembered = 20_000; // far more than can be repeated within a run's time-out

    private readonly Dictionary<string, BanRecord> _principals = new(StringComparer.Ordinal);
    private readonly RememberedKeys _keys = new(KeysRemembered);

    // Bans that were taken back before they came. Where there was nothing to lift there is no event: then this lives as long as
    // the process, and a ban that is still repeated after a fail-over would need an authority that failed twice within seconds.
    private readonly RememberedKeys _cancelled = new(KeysRemembered);

    /// <summary>Principals with a lease that was in force at the last <see cref="Prune"/>, or was set since.</summary>
    public int Banned { get; private set; }

    /// <summary>Principals known: banned, exempt, or with offences not forgotten.</summary>
    public int Principals => _principals.Count;

    /// <summary>Bans refused because <see cref="BlacklistOptions.MaxBans"/> are in force.</summary>
    public long RefusedFull { get; private set; }

    /// <summary>Offenders forgotten before their time because there were too many.</summary>
    public long FellOut { get; private set; }

    public BanDecision Decide(BanPrincipal command, DateTimeOffset now)
    {
        var record = _principals.GetValueOrDefault(command.Principal);
        var offences = record?.OffencesAt(now, options.ForgetAfter) ?? 0;
        if (Invalid(command.Key, command.Principal, command.Owner) || command.For < MinLength || command.For > MaxLength)
            return Refuse(command.Key, "invalid", record, now);
        if (isProtected(command.Principal)) return Refuse(command.Key, "protected", record, now);
        if (_cancelled.Contains(command.Key)) return Refuse(command.Key, "lifted", record, now);
        if (_keys.Contains(command.Key)) return Done(command.Key, record, now);
        var word = OperatorWord.Of(command.ByOperator ? command.GivenAt : null, now);
        if (command.ByOperator && word.IsBeatenBy(record?.LastWord)) return Refuse(command.Key, "superseded", record, now);
        if (command.ByOperator && word.From(now) + command.For <= now) return Done(command.Key, record, now); // it would be over
        if (!command.ByOperator && IsAllowListed(command.Principal, now)) return Refuse(command.Key, "allow_listed", record, now);
        if (!command.ByOperator && record?.ExemptUntil > now) return Refuse(command.Key, "exempt", record, now);
        if (record?.Strictest(now) is null && Banned >= options.MaxBans)
        {
            RefusedFull++;
            return Refuse(command.Key, "full", record, now);
        }

        // A lease that its owner renews is the same offence.
        var renewed = command.Restores || record?.Lease(command.Owner, now) is not null;
        var until = word.From(now) + (command.ByOperator || command.Restores ? command.For : Doubled(command.For, renewed ? offences - 1 : offences));
        return new([new BanSet
        {
            At = now, Key = command.Key, Principal = command.Principal, Owner = command.Owner, Until = until, ByOperator = command.ByOperator,
            Reason = command.Reason.Length <= MaxReasonLength ? command.Reason : command.Reason[..MaxReasonLength],
            Offences = renewed ? Math.Max(1, offences) : offences + 1, GivenAt = command.ByOperator ? word.Given : null,
        }], new BanResult
        {
            Key = command.Key, Done = true, Offences = renewed ? Math.Max(1, offences) : offences + 1,
            Until = Latest(until, record?.Others(command.Owner, now)?.Until),
        });
    }

    public BanDecision Decide(LiftBan command, DateTimeOffset now)
    {
        var record = _principals.GetValueOrDefault(command.Principal);
        if (Invalid(command.Key, command.Principal, command.Owner)) return Refuse(command.Key, "invalid", record, now);
        if (_keys.Contains(command.Key)) return Done(command.Key, record, now);
        if (command.ByOperator) return LiftAll(command, record, now);
        if (record?.Lease(command.Owner, now) is null)
        {
            if (command.Cancels is { } late) _cancelled.Add(late);
            return Done(command.Key, record, now);
        }

        return new([new BanLifted { At = now, Key = command.Key, Principal = command.Principal, Owner = command.Owner, Cancels = command.Cancels }], new BanResult
        {
            Key = command.Key, Done = true, Lifted = record.Lease(command.Owner, now)!.Until,
            Until = record.Others(command.Owner, now)?.Until, Offences = record.OffencesAt(now, options.ForgetAfter),
        });
    }

    private BanDecision LiftAll(LiftBan command, BanRecord? record, DateTimeOffset now)
    {
        var word = OperatorWord.Of(command.GivenAt, now);
        if (word.IsBeatenBy(record?.LastWord)) return Refuse(command.Key, "superseded", record, now);
        List<BanEvent> events = [new BanLifted { At = now, Key = command.Key, Principal = command.Principal, GivenAt = word.Given }];
        var exempt = word.From(now) + options.Exemption;
        if (exempt > now) events.Add(new ExemptionGranted { At = now, Key = command.Key, Principal = command.Principal, Until = exempt, By = command.Owner });
        return new(events, new BanResult { Key = command.Key, Done = true });
    }

    public void Apply(BanEvent fact)
    {
        _keys.Add(fact.Key);
        if (fact is BanLifted { Cancels: { } cancelled }) _cancelled.Add(cancelled);
        if (!_principals.TryGetValue(fact.Principal, out var record)) _principals[fact.Principal] = record = new BanRecord();
        var had = record.HasLeases;
        switch (fact)
        {
            case BanSet set: record.Set(set); break;
            case BanLifted lifted: record.Lift(lifted); break;
            case ExemptionGranted granted: record.ExemptUntil = granted.Until; break;
        }

        Banned += (record.HasLeases ? 1 : 0) - (had ? 1 : 0);
        if (record.IsBlank) _principals.Remove(fact.Principal);
    }

    /// <summary>Forgets what has lapsed; the answer names the principals whose ban or exemption ended by that.</summary>
    public IReadOnlyList<string> Prune(DateTimeOffset now)
    {
        var changed = new List<string>();
        foreach (var (principal, record) in _principals)
        {
            if (!record.Prune(now, options.ForgetAfter)) continue;
            if (!record.HasLeases) changed.Add(principal);
            if (record.IsBlank) _principals.Remove(principal); // allowed while enumerating
        }

        Banned = _principals.Values.Count(x => x.HasLeases);
        DropOldestOffenders();
        return changed;
    }

    /// <summary>End of the principal's exemption, where one holds.</summary>
    public DateTimeOffset? ExemptUntil(string principal, DateTimeOffset now) =>
        _principals.TryGetValue(principal, out var record) && record.ExemptUntil > now ? record.ExemptUntil : null;

    public BanEntry? Entry(string principal, DateTimeOffset now) =>
        _principals.TryGetValue(principal, out var record) && record.Strictest(now) is { } lease
            ? new BanEntry
            {
                Principal = principal, Since = record.Since(now), Until = lease.Until, Reason = lease.Reason, Owner = lease.Owner,
                Offences = record.OffencesAt(now, options.ForgetAfter),
            }
            : null;

    public BanBookSnapshot ToSnapshot() => new()
    {
        Principals = [.. _principals.Select(x => x.Value.ToSnapshot(x.Key))],
        Keys = _keys.All,
        Cancelled = _cancelled.All,
    };

    public void Restore(BanBookSnapshot snapshot)
    {
        _principals.Clear();
        foreach (var x in snapshot.Principals) _principals[x.Principal] = new BanRecord(x);
        _keys.Replace(snapshot.Keys);
        _cancelled.Replace(snapshot.Cancelled ?? []);
        Banned = _principals.Values.Count(x => x.HasLeases);
    }

    /// <summary>Whether a playbook may not ban this principal.</summary>
    public bool IsAllowListed(string principal, DateTimeOffset now) =>
        options.AllowList.Any(x => x.Principal == principal && (x.Until is null || x.Until > now));

    internal static bool Invalid(string key, string principal, string owner) =>
        string.IsNullOrEmpty(key) || string.IsNullOrEmpty(owner) || string.IsNullOrEmpty(principal) ||
        principal.Length > MaxNameLength || owner.Length > MaxNameLength || principal.Any(char.IsControl);

    private TimeSpan Doubled(TimeSpan length, int offences)
    {
        TimeSpan cap = options.Cap;
        if (length >= cap) return length; // asked for longer than doubling may lead to
        for (var i = 0; i < offences && length < cap; i++) length += length;
        return length < cap ? length : cap;
    }

    private void DropOldestOffenders()
    {
        var idle = _principals.Count - Banned - options.MaxBans;
        if (idle <= 0) return;
        foreach (var (principal, _) in _principals.Where(x => !x.Value.HasLeases).OrderBy(x => x.Value.LastEnd).Take(idle).ToList())
        {
            _principals.Remove(principal);
            FellOut++;
        }
    }

    private BanDecision Done(string key, BanRecord? record, DateTimeOffset now) => new([], Answer(key, record, now) with { Done = true });

    private BanDecision Refuse(string key, string refusal, BanRecord? record, DateTimeOffset now) =>
        new([], Answer(key, record, now) with { Refusal = refusal });

    private BanResult Answer(string key, BanRecord? record, DateTimeOffset now) => new()
    {
        Key = key, Done = false, Until = record?.Strictest(now)?.Until, Offences = record?.OffencesAt(now, options.ForgetAfter) ?? 0,
    };

    private static DateTimeOffset Latest(DateTimeOffset a, DateTimeOffset? b) => b > a ? b.Value : a;
}
