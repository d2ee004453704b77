using System.Text.Json.Serialization;
using Akka.Actor;
using Guardian.Playbooks;

namespace Guardian.Actors.Silencing;

// To the node's SilenceReplica.

/// <summary>Adds a silence, cluster-wide. Works without the journal. Answer: <see cref="SilenceAnswer"/>.</summary>
internal sealed record AddSilence(SilenceMatch Match, DateTimeOffset Until, string Reason, SilenceAction Action, string By) : INoSerializationVerificationNeeded;

/// <summary>Ends a silence. Answer: <see cref="SilenceAnswer"/>.</summary>
internal sealed record RemoveSilence(string Id, string By) : INoSerializationVerificationNeeded;

/// <summary>What became of it. <paramref name="Refusal"/>: why nothing; null where done.</summary>
internal sealed record SilenceAnswer(Silence? Silence, string? Refusal = null) : INoSerializationVerificationNeeded;

/// <summary>What a silence keeps back.</summary>
public enum SilenceAction
{
    /// <summary>Notifications.</summary>
    [JsonStringEnumMemberName("mute")]
    Mute,

    /// <summary>Acting: runs wait.</summary>
    [JsonStringEnumMemberName("hold")]
    Hold,
}

/// <summary>
/// Which incidents. Every pattern given must match; <c>*</c> stands for any text. At least one is given.
/// </summary>
public sealed record SilenceMatch
{
    /// <summary>The incident's type, e.g. <c>message_bus.*</c>.</summary>
    public string? Type { get; init; }

    /// <summary>The incident's key, e.g. <c>acl/principal/*</c>.</summary>
    public string? Key { get; init; }

    /// <summary>The blamed principal, or what the incident is about.</summary>
    public string? Subject { get; init; }
}

/// <summary>A maintenance window.</summary>
public sealed record Silence : IGuardianMessage
{
    /// <summary>Unique.</summary>
    public required string Id { get; init; }

    /// <summary>Which incidents.</summary>
    public required SilenceMatch Match { get; init; }

    /// <summary>What it keeps back.</summary>
    public required SilenceAction Actions { get; init; }

    /// <summary>It ends by itself then, UTC.</summary>
    public required DateTimeOffset Until { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }

    /// <summary>The operator who spoke last.</summary>
    public required string By { get; init; }

    /// <summary>When, UTC; the newest word on a silence counts.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>True once an operator ended it.</summary>
    public bool Removed { get; init; }
}

/// <summary>What the cluster shares, in DistributedData, and what a node keeps in its data directory.</summary>
internal sealed record SharedSilences : IGuardianMessage
{
    public required IReadOnlyList<Silence> Items { get; init; }
}
