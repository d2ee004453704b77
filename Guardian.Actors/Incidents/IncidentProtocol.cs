using System.Text.Json;
using Guardian.Playbooks;

namespace Guardian.Actors.Incidents;

// Commands, to the shard region; the entity is the SHA-256 of the key.

/// <summary>A message for the incident of one key.</summary>
public interface IIncidentMessage : IGuardianMessage
{
    /// <summary>The incident's key, e.g. <c>acl/principal/rogue</c>.</summary>
    string Key { get; }
}

/// <summary>
/// A monitor saw a problem. Repeated until <see cref="IncidentAccepted"/>, and again whenever the evidence grew;
/// repeats are harmless: <see cref="Violations"/> is cumulative per episode.
/// </summary>
public sealed record IncidentRaised : IIncidentMessage
{
    /// <inheritdoc/>
    public required string Key { get; init; }

    /// <summary>A registered incident type.</summary>
    public required string Type { get; init; }

    /// <summary>Node where it was seen.</summary>
    public required string Node { get; init; }

    /// <summary>When it was detected, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The blamed principal, or what it is about.</summary>
    public required string Subject { get; init; }

    /// <summary>The blamed principal; null where nobody is.</summary>
    public string? Principal { get; init; }

    /// <summary>The topic violated most.</summary>
    public string? Topic { get; init; }

    /// <summary>Number of this detection by its monitor: grows with each new detection (a rule that fires), not with repeats.</summary>
    public required long Detection { get; init; }

    /// <summary>Identifies the stretch of trouble that <see cref="Violations"/> counts; unique per monitor start and episode.</summary>
    public required string Episode { get; init; }

    /// <summary>Violations of the episode so far, attempts of the banned included; null where the type has none.</summary>
    public long? Violations { get; init; }

    /// <summary>low, medium, high or critical.</summary>
    public string Severity { get; init; } = "medium";

    /// <summary>Node of the monitor, where several nodes watch the same and each tells of it; null: <see cref="Node"/>.</summary>
    public string? Monitor { get; init; }

    /// <summary>True where the monitor will say when it is over (<see cref="IncidentCleared"/>): until then it goes on, however long nothing is heard.</summary>
    public bool TellsEnd { get; init; }

    /// <summary>Further evidence, an object: rule, window, timestamps.</summary>
    public JsonElement? Evidence { get; init; }
}

/// <summary>
/// What a monitor raised is over by itself. An incident that nobody works on any more, an escalated one for instance, is resolved by
/// it; a run that is under way finds out by its own verification. Repeated until <see cref="IncidentOver"/>.
/// </summary>
public sealed record IncidentCleared : IIncidentMessage
{
    /// <inheritdoc/>
    public required string Key { get; init; }

    /// <summary>The episode that is over.</summary>
    public required string Episode { get; init; }

    /// <summary>Since when, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>What the monitor saw.</summary>
    public required string Reason { get; init; }
}

/// <summary>An operator closes the open incident. Answer: <see cref="IncidentAnswer"/>.</summary>
public sealed record CloseIncident : IIncidentMessage
{
    /// <inheritdoc/>
    public required string Key { get; init; }

    /// <summary>Who.</summary>
    public required string By { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }
}

/// <summary>An operator's word on the active run: <c>approve</c>, <c>reject</c> or <c>cancel</c>. Answer: <see cref="IncidentAnswer"/>.</summary>
public sealed record DirectRun : IIncidentMessage
{
    /// <inheritdoc/>
    public required string Key { get; init; }

    /// <summary>The run.</summary>
    public required string RunId { get; init; }

    /// <summary>approve, reject or cancel.</summary>
    public required string Verb { get; init; }

    /// <summary>Who.</summary>
    public required string By { get; init; }

    /// <summary>Why.</summary>
    public string Reason { get; init; } = "";

    /// <summary>For approve and reject: the step that the operator saw waiting; null: whichever waits.</summary>
    public string? Step { get; init; }
}

/// <summary>
/// An operator asks for a run of one playbook: for the open incident of the key, or for a new one as described. Whether its trigger's
/// condition holds, cooldown and quotas do not matter: an operator asked. Answer: <see cref="RunRequested"/>.
/// </summary>
public sealed record RequestRun : IIncidentMessage
{
    /// <inheritdoc/>
    public required string Key { get; init; }

    /// <summary>The playbook's name.</summary>
    public required string Playbook { get; init; }

    /// <summary>What opens the incident where none is open.</summary>
    public required IncidentRaised Raised { get; init; }

    /// <summary>Who.</summary>
    public required string By { get; init; }

    /// <summary>Why.</summary>
    public string Reason { get; init; } = "";
}

// Replies

/// <summary>Answer to <see cref="RequestRun"/>.</summary>
public sealed record RunRequested : IGuardianMessage
{
    /// <summary>True: the run is in the journal.</summary>
    public required bool Done { get; init; }

    /// <summary>Why not.</summary>
    public string? Reason { get; init; }

    /// <summary>The run.</summary>
    public string? RunId { get; init; }

    /// <summary>Its incident.</summary>
    public string? IncidentId { get; init; }
}

/// <summary>The incident is in the journal (opened, joined or counted).</summary>
public sealed record IncidentAccepted : IGuardianMessage
{
    /// <summary>The key.</summary>
    public required string Key { get; init; }

    /// <summary>The incident's id.</summary>
    public required string IncidentId { get; init; }

    /// <summary>The detection that is covered.</summary>
    public required long Detection { get; init; }

    /// <summary>The episode it belongs to.</summary>
    public required string Episode { get; init; }

    /// <summary>The raise's count that is covered, so that the monitor knows whether its last one arrived.</summary>
    public long? Violations { get; init; }
}

/// <summary>
/// The incident of this key came to an end; sent to the monitors that raised it, so that a later episode counts anew.
/// </summary>
public sealed record IncidentOver : IGuardianMessage
{
    /// <summary>The key.</summary>
    public required string Key { get; init; }

    /// <summary>The episode that it counted last.</summary>
    public required string Episode { get; init; }
}

/// <summary>Answer to an operator's command.</summary>
public sealed record IncidentAnswer : IGuardianMessage
{
    /// <summary>True when done.</summary>
    public required bool Done { get; init; }

    /// <summary>Why not.</summary>
    public string? Reason { get; init; }
}

// Events

/// <summary>A fact of an incident's history. The entity's persistence id is <c>incident-&lt;sha256 of key&gt;</c>.</summary>
public abstract record IncidentEvent : IGuardianMessage
{
    /// <summary>When, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The incident's id, <c>&lt;first 12 hex of the key's SHA-256&gt;-&lt;n&gt;</c>.</summary>
    public required string IncidentId { get; init; }
}

/// <summary>A new incident.</summary>
public sealed record IncidentOpened : IncidentEvent
{
    /// <summary>What opened it.</summary>
    public required IncidentRaised Raised { get; init; }
}

/// <summary>The open incident was detected again: by another rule, or as a new detection.</summary>
public sealed record IncidentJoined : IncidentEvent
{
    /// <summary>The detection's type.</summary>
    public required string Type { get; init; }

    /// <summary>The detection, so that a repeat of it is known as one after a restart.</summary>
    public long Detection { get; init; }

    /// <summary>The episode it belongs to.</summary>
    public string Episode { get; init; } = "";

    /// <summary>Node that saw it.</summary>
    public string Node { get; init; } = "";

    /// <summary>Node of the monitor; null: <see cref="Node"/>.</summary>
    public string? Monitor { get; init; }

    /// <summary>Detections so far.</summary>
    public required int Occurrences { get; init; }

    /// <summary>True where the playbook of the run under way says <c>onConflict: drop</c>: the detection changes nothing but is known and counted as dropped.</summary>
    public bool Dropped { get; init; }

    /// <summary>Violations as counted now.</summary>
    public long? Violations { get; init; }
}

/// <summary>The count has grown; written at run's end and when the last count arrives, not for every digest.</summary>
public sealed record IncidentCounted : IncidentEvent
{
    /// <summary>Violations as counted now.</summary>
    public required long Violations { get; init; }
}

/// <summary>A playbook was chosen and its run has an id; the run itself is a persistent child.</summary>
public sealed record IncidentRunAssigned : IncidentEvent
{
    /// <summary>The run.</summary>
    public required string RunId { get; init; }

    /// <summary>The playbook.</summary>
    public required string Playbook { get; init; }

    /// <summary>The definition, kept until the run has stored it itself.</summary>
    public required string Definition { get; init; }

    /// <summary>Why this playbook.</summary>
    public required string Because { get; init; }

    /// <summary>True where a detection during the run is dropped instead of counted.</summary>
    public bool DropsRecurrences { get; init; }

    /// <summary>True where only containment may act: a recurrence within the cooldown, or past the quota of runs.</summary>
    public bool ContainmentOnly { get; init; }
}

/// <summary>No run was started, and why: no playbook fits, cooldown, quota.</summary>
public sealed record IncidentRunDeclined : IncidentEvent
{
    /// <summary>Why.</summary>
    public required string Reason { get; init; }
}

/// <summary>The run ended and with it, unless it escalated, the incident.</summary>
public sealed record IncidentSettled : IncidentEvent
{
    /// <summary>resolved, rolled_back, escalated or closed.</summary>
    public required string State { get; init; }

    /// <summary>The run, where one ended it.</summary>
    public string? RunId { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }

    /// <summary>Violations as counted now.</summary>
    public long? Violations { get; init; }

    /// <summary>Channels that the run told of the incident; null where none.</summary>
    public IReadOnlyList<string>? Told { get; init; }
}
