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

    /// <summary>Where not done, one of <c>protected</c>, <c>allow_listed</c>, <c>exempt</c>, <c>invalid</c>, <c>unavailable</c>.</summary>
    public string? Refusal { get; init; }

    /// <summary>The ban's end, UTC; null where none is in force.</summary>
    public DateTimeOffset? Until { get; init; }

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
