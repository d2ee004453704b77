using Guardian.Playbooks;

namespace Guardian.Actors.Bus;

/// <summary>
/// What the access policy denied one principal on one topic for one operation, cumulative since the row began.
/// Rows of an incarnation are numbered; a number is never used for another subject, so a consumer keeps the maximum
/// per (node, incarnation, row) and lost or repeated digests do no harm.
/// </summary>
public sealed record AclViolation
{
    /// <summary>Number of the row within the incarnation, from 1.</summary>
    public required long Row { get; init; }

    /// <summary>Who.</summary>
    public required string Principal { get; init; }

    /// <summary>The topic, or the pattern of a subscription.</summary>
    public required string Topic { get; init; }

    /// <summary><c>publish</c> or <c>subscribe</c>.</summary>
    public required string Operation { get; init; }

    /// <summary>The rule that denied it last, e.g. <c>principals/librarian/publish/deny/0</c> or <c>default/deny</c>.</summary>
    public required string RuleId { get; init; }

    /// <summary>Hash of the policy that denied it last.</summary>
    public required string PolicyHash { get; init; }

    /// <summary>True when the topic is a control topic.</summary>
    public bool Control { get; init; }

    /// <summary>True when the policy before the last swap allowed it, within the guard time after that swap.</summary>
    public bool AllowedBefore { get; init; }

    /// <summary>Denials by the policy so far (<c>acl-denied</c>).</summary>
    public required long Denied { get; init; }

    /// <summary>Attempts of the banned principal so far (<c>blacklisted</c>).</summary>
    public long Blacklisted { get; init; }

    /// <summary>UTC times of the latest denials, oldest first, at most 20; never attempts of the banned.</summary>
    public required IReadOnlyList<DateTimeOffset> Times { get; init; }
}

/// <summary>
/// A node's violations, at most one per 40 ms, on the DistributedPubSub topic <see cref="Topic"/>.
/// Totals are cumulative for the incarnation; a consumer keeps the maximum.
/// </summary>
public sealed record ViolationDigest : IGuardianMessage
{
    /// <summary>DistributedPubSub topic.</summary>
    public const string Topic = "message_bus.acl_violation";

    /// <summary>Node's name.</summary>
    public required string Node { get; init; }

    /// <summary>Start of the node's process, unique per start.</summary>
    public required long Incarnation { get; init; }

    /// <summary>From 1, without gaps.</summary>
    public required long Sequence { get; init; }

    /// <summary>Up to 64 rows that changed.</summary>
    public required IReadOnlyList<AclViolation> Rows { get; init; }

    /// <summary>All policy denials of this incarnation.</summary>
    public required long Denied { get; init; }

    /// <summary>All attempts of banned principals in this incarnation.</summary>
    public required long Blacklisted { get; init; }

    /// <summary>Of both, how many are in no row because the table was full.</summary>
    public required long Overflow { get; init; }

    /// <summary>Principals that the node's policy declares; the base of the cap on provisional bans.</summary>
    public required int DeclaredPrincipals { get; init; }

    /// <summary>Hash of the policy in force.</summary>
    public required string PolicyHash { get; init; }
}
