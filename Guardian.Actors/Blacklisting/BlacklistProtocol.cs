using Akka.Actor;
using Guardian.Playbooks;

namespace Guardian.Actors.Blacklisting;

// Commands. Sent to the node's Blacklist actor, which forwards to the authority and repeats until it answers.

/// <summary>Sets or renews the owner's ban lease on a principal. Idempotent under <see cref="Key"/>. Answer: <see cref="BanResult"/>.</summary>
public sealed record BanPrincipal : IGuardianMessage
{
    /// <summary>Idempotency key, e.g. the run's step key.</summary>
    public required string Key { get; init; }

    /// <summary>Who.</summary>
    public required string Principal { get; init; }

    /// <summary>Length of the lease before doubling for recidivism. 1 s to 365 days.</summary>
    public required TimeSpan For { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }

    /// <summary>A run's id or <c>operator/&lt;name&gt;</c>.</summary>
    public required string Owner { get; init; }

    /// <summary>True when an operator asks: beats exemptions, is not doubled.</summary>
    public bool ByOperator { get; init; }

    /// <summary>True to put back a lease that was lifted: no further offence, not doubled.</summary>
    public bool Restores { get; init; }

    /// <summary>When an operator gave it, UTC, by the clock of the node that took it; the lease counts from then. Null: on arrival. Set by the node's Blacklist.</summary>
    public DateTimeOffset? GivenAt { get; init; }
}

/// <summary>Lifts the owner's lease; of an operator (<see cref="ByOperator"/>): every lease, clears the counters and exempts the principal for 10 minutes. Answer: <see cref="BanResult"/>.</summary>
public sealed record LiftBan : IGuardianMessage
{
    /// <summary>Idempotency key.</summary>
    public required string Key { get; init; }

    /// <summary>Who.</summary>
    public required string Principal { get; init; }

    /// <summary>Whose lease.</summary>
    public required string Owner { get; init; }

    /// <summary>True when an operator asks.</summary>
    public bool ByOperator { get; init; }

    /// <summary>Key of the ban that is taken back for good: should it still be on its way, it is refused from now on. Null: none.</summary>
    public string? Cancels { get; init; }

    /// <summary>When an operator gave it, UTC, by the clock of the node that took it; the exemption counts from then. Null: on arrival. Set by the node's Blacklist.</summary>
    public DateTimeOffset? GivenAt { get; init; }
}

/// <summary>A monitor's local lease until the run's ban arrives; to the node's Blacklist only. No answer.</summary>
internal sealed record ProvisionalBan(string Principal, TimeSpan For, string IncidentKey, string Reason) : INoSerializationVerificationNeeded;

/// <summary>What is banned now; to the node's Blacklist. Answer: <see cref="BanList"/>.</summary>
internal sealed record GetBans(string? Principal = null) : INoSerializationVerificationNeeded;

// Replies

/// <summary>How a command ended.</summary>
public sealed record BanResult : IGuardianMessage
{
    /// <summary>The command's key.</summary>
    public required string Key { get; init; }

    /// <summary>True when the ban holds, or the lease is lifted.</summary>
    public required bool Done { get; init; }

    /// <summary>Where not done, one of <c>protected</c>, <c>allow_listed</c>, <c>exempt</c>, <c>invalid</c>, <c>full</c>, <c>lifted</c>, <c>superseded</c>, <c>unavailable</c>.</summary>
    public string? Refusal { get; init; }

    /// <summary>True where the command was sent on and the authority has not answered: it may take effect yet. It may be given again under its key.</summary>
    public bool Open { get; init; }

    /// <summary>The ban's end, UTC; null where none is in force.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>End of the owner's lease that was lifted, UTC; null where there was none.</summary>
    public DateTimeOffset? Lifted { get; init; }

    /// <summary>Bans of this principal so far; each further one doubles.</summary>
    public int Offences { get; init; }
}

/// <summary>A ban as operators see it.</summary>
public sealed record BanEntry : IGuardianMessage
{
    /// <summary>Who.</summary>
    public required string Principal { get; init; }

    /// <summary>Since when, UTC.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>Until when, UTC.</summary>
    public required DateTimeOffset Until { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }

    /// <summary>The strictest lease's owner.</summary>
    public required string Owner { get; init; }

    /// <summary>Bans so far.</summary>
    public required int Offences { get; init; }
}

/// <summary>The bans in force, provisional ones included, sorted by principal.</summary>
internal sealed record BanList(IReadOnlyList<BanEntry> Bans) : INoSerializationVerificationNeeded;

/// <summary>Answered with <see cref="BlacklistReady"/> once the authority's bans are here, or after 5 s without its answer.</summary>
internal sealed record AwaitBlacklist : INoSerializationVerificationNeeded
{
    public static readonly AwaitBlacklist Instance = new();
}

/// <param name="Synced">False: the authority has not answered yet; bans that it holds may be missing until it does.</param>
internal sealed record BlacklistReady(bool Synced) : INoSerializationVerificationNeeded;

/// <summary>What the bounds of the node's Blacklist have cost. Answer to <see cref="GetBlacklistHealth"/>.</summary>
/// <param name="Synced">The authority has answered.</param>
/// <param name="Waiting">Commands that wait for the authority.</param>
/// <param name="Refused">Commands and provisional bans refused because a table was full.</param>
internal sealed record BlacklistHealth(bool Synced, int Waiting, long Refused) : INoSerializationVerificationNeeded;

/// <summary>Answer: <see cref="BlacklistHealth"/>.</summary>
internal sealed record GetBlacklistHealth : INoSerializationVerificationNeeded
{
    public static readonly GetBlacklistHealth Instance = new();
}

/// <summary>
/// On the node's event stream: an operator lifted the principal's bans; its counters are cleared and until then nothing
/// it does is held against it. Null: the exemption is over.
/// </summary>
internal sealed record PrincipalCleared(string Principal, DateTimeOffset? ExemptUntil) : INoSerializationVerificationNeeded;

// Between Blacklist and authority.

/// <summary>A node asks whether the bans are in DistributedData. Answer: <see cref="BansWritten"/>.</summary>
internal sealed record AwaitBans : IGuardianMessage;

/// <summary>They are.</summary>
internal sealed record BansWritten : IGuardianMessage
{
    public required int Bans { get; init; }
}

// In DistributedData.

/// <summary>One of the hashed buckets; sorted by principal, so that equal ones are equal.</summary>
internal sealed record BanBucket : IGuardianMessage
{
    public required IReadOnlyList<BanEntry> Bans { get; init; }

    public required IReadOnlyList<BanExemption> Exemptions { get; init; }

    public static BanBucket Empty { get; } = new() { Bans = [], Exemptions = [] };

    public bool SameAs(BanBucket other) => Bans.SequenceEqual(other.Bans) && Exemptions.SequenceEqual(other.Exemptions);
}

internal sealed record BanExemption(string Principal, DateTimeOffset Until);

// Events of the authority; persistence id "blacklist-authority".

/// <summary>A fact in the authority's journal.</summary>
internal abstract record BanEvent : IGuardianMessage
{
    public required DateTimeOffset At { get; init; }

    /// <summary>Key of the command.</summary>
    public required string Key { get; init; }

    public required string Principal { get; init; }
}

internal sealed record BanSet : BanEvent
{
    public required string Owner { get; init; }
    public required DateTimeOffset Until { get; init; }
    public required string Reason { get; init; }
    public bool ByOperator { get; init; }

    /// <summary>Offences, this one included.</summary>
    public required int Offences { get; init; }

    /// <summary>When the operator gave it.</summary>
    public DateTimeOffset? GivenAt { get; init; }
}

internal sealed record BanLifted : BanEvent
{
    /// <summary>Whose lease; null: every one, and the offences are forgotten.</summary>
    public string? Owner { get; init; }

    /// <summary>Key of the ban that was taken back for good.</summary>
    public string? Cancels { get; init; }

    /// <summary>When the operator gave it.</summary>
    public DateTimeOffset? GivenAt { get; init; }
}

internal sealed record ExemptionGranted : BanEvent
{
    public required DateTimeOffset Until { get; init; }
    public required string By { get; init; }
}

internal sealed record BanBookSnapshot : IGuardianMessage
{
    public required IReadOnlyList<BanRecordSnapshot> Principals { get; init; }

    /// <summary>Keys of commands carried out, oldest first.</summary>
    public required IReadOnlyList<string> Keys { get; init; }

    /// <summary>Keys of bans that were taken back for good, oldest first.</summary>
    public IReadOnlyList<string>? Cancelled { get; init; }
}

internal sealed record BanRecordSnapshot
{
    public required string Principal { get; init; }
    public required int Offences { get; init; }
    public required DateTimeOffset LastEnd { get; init; }
    public DateTimeOffset? ExemptUntil { get; init; }

    /// <summary>When the latest ban or lift of an operator was given.</summary>
    public DateTimeOffset? LastWord { get; init; }
    public required IReadOnlyList<BanLease> Leases { get; init; }
}

internal sealed record BanLease(string Owner, string Key, DateTimeOffset Since, DateTimeOffset Until, string Reason);
