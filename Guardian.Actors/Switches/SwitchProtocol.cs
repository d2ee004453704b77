using Akka.Actor;
using Guardian.Playbooks;

namespace Guardian.Actors.Switches;

/// <summary>An operator enables or disables a playbook, cluster-wide; to the node's SwitchReplica. Answer: <see cref="SwitchAnswer"/>. Works without the journal.</summary>
internal sealed record SetSwitch : INoSerializationVerificationNeeded
{
    /// <summary>The playbook's name.</summary>
    public required string Playbook { get; init; }

    /// <summary>False: it starts no run until it is enabled again. Runs under way go on.</summary>
    public required bool Enabled { get; init; }

    /// <summary>The operator.</summary>
    public required string By { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }
}

/// <summary>What came of a <see cref="SetSwitch"/>; it is in force on this node in any case.</summary>
/// <param name="Switch">In force now.</param>
/// <param name="Unkept">Why it would be lost if every node restarted; null where it is kept.</param>
internal sealed record SwitchAnswer(PlaybookSwitch Switch, string? Unkept) : INoSerializationVerificationNeeded;

/// <summary>An operator's word on a playbook, as the cluster shares it in DistributedData and the node keeps it.</summary>
internal sealed record PlaybookSwitch : IGuardianMessage
{
    /// <summary>The playbook's name.</summary>
    public required string Playbook { get; init; }

    /// <summary>Whether it may start runs.</summary>
    public required bool Enabled { get; init; }

    /// <summary>The operator.</summary>
    public required string By { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }

    /// <summary>When, UTC; the newest word wins.</summary>
    public required DateTimeOffset At { get; init; }
}
