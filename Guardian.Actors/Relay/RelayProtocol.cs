using Guardian.Playbooks;

namespace Guardian.Actors.Relay;

// Between the relays of the nodes. Who speaks is the member that the connection belongs to, never a field.

/// <summary>
/// What this node's subscribers want, and the hashes of what it was configured with. To every member when it changes and every few
/// seconds; without <see cref="Patterns"/> nothing has changed since <see cref="Version"/>, and who does not have that version asks.
/// </summary>
internal sealed record BusInterest : IGuardianMessage
{
    /// <summary>Start of the node's process, unique per start.</summary>
    public required long Incarnation { get; init; }

    /// <summary>Rises with every change.</summary>
    public required long Version { get; init; }

    /// <summary>Topic patterns, at most <see cref="InterestSummary.MaxPatterns"/>.</summary>
    public IReadOnlyList<string>? Patterns { get; init; }

    /// <summary>Hash of the access policy in force.</summary>
    public string? PolicyHash { get; init; }

    /// <summary>Hash over the playbooks in force.</summary>
    public string? PlaybooksHash { get; init; }
}

/// <summary>Answer: <see cref="BusInterest"/> with its patterns.</summary>
internal sealed record GetBusInterest : IGuardianMessage
{
    public static readonly GetBusInterest Instance = new();
}

/// <summary>Messages for the receiver's subscribers, in order. Answer: <see cref="RelayAck"/>. Never sent twice.</summary>
internal sealed record RelayBatch : IGuardianMessage
{
    /// <summary>Start of the origin's process.</summary>
    public required long Incarnation { get; init; }

    /// <summary>The messages.</summary>
    public required IReadOnlyList<RelayedMessage> Messages { get; init; }
}

/// <summary>A message of the bus on its way to another node.</summary>
internal sealed record RelayedMessage
{
    /// <summary>From 1, without gaps, for one receiver and one incarnation of the origin: a gap is a loss.</summary>
    public required long Sequence { get; init; }

    public required string Id { get; init; }
    public required string Topic { get; init; }

    /// <summary>The origin vouches for it.</summary>
    public required string Principal { get; init; }
    public required ReadOnlyMemory<byte> Body { get; init; }
    public string? ContentType { get; init; }
    public required DateTimeOffset At { get; init; }
}

/// <summary>One batch has arrived: there is room for another.</summary>
internal sealed record RelayAck : IGuardianMessage
{
    /// <summary>As in the batch.</summary>
    public required long Incarnation { get; init; }

    /// <summary>Its last sequence.</summary>
    public required long Sequence { get; init; }
}
