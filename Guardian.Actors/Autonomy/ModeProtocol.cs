using Akka.Actor;
using Guardian.Playbooks;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Autonomy;

/// <summary>Sets the cluster-wide mode or hold; to the node's ModeReplica. Answer: <see cref="ModeStatus"/>. Works without the journal.</summary>
internal sealed record SetMode : INoSerializationVerificationNeeded
{
    /// <summary>The mode; null leaves it.</summary>
    public OperatingMode? Mode { get; init; }

    /// <summary>true: hold; false: resume; null leaves it.</summary>
    public bool? Hold { get; init; }

    /// <summary>Lapses after this; null is until changed.</summary>
    public TimeSpan? For { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }

    /// <summary>The operator.</summary>
    public required string By { get; init; }
}

/// <summary>Answer: <see cref="ModeStatus"/>.</summary>
internal sealed record GetMode : INoSerializationVerificationNeeded
{
    public static readonly GetMode Instance = new();
}

/// <summary>What is in force and who set it.</summary>
internal sealed record ModeStatus(OperatingMode Mode, bool Held, string? Reason, string? By, DateTimeOffset? Since, DateTimeOffset? Until) : INoSerializationVerificationNeeded;

/// <summary>What the cluster shares, in DistributedData.</summary>
internal sealed record ClusterMode : IGuardianMessage
{
    public required OperatingMode Mode { get; init; }
    public DateTimeOffset? ModeUntil { get; init; }
    public required bool Hold { get; init; }
    public DateTimeOffset? HoldUntil { get; init; }
    public required string Reason { get; init; }
    public required string By { get; init; }
    public required DateTimeOffset At { get; init; }
}

/// <summary>Published on the local event stream when mode or hold changed, so that waiting runs decide again.</summary>
internal sealed record ModeChanged : INoSerializationVerificationNeeded
{
    public static readonly ModeChanged Instance = new();
}
