using System.Text.Json;
using Akka.Actor;
using Guardian.Playbooks;
using Guardian.Playbooks.Execution;

namespace Guardian.Actors.Actions;

// To the NodeAgent, the only actor that performs actions on its node.

/// <summary>Ask for one effect under one key. Repeated until <see cref="ActionOutcome"/>; the agent performs a key at most once while its record lives.</summary>
public sealed record DispatchAction : IGuardianMessage
{
    /// <summary>Idempotency key, <c>&lt;run&gt;/&lt;step&gt;</c> or <c>…/undo</c>.</summary>
    public required string Key { get; init; }

    /// <summary>The run's epoch; smaller ones than the greatest seen for the run are refused.</summary>
    public required long Epoch { get; init; }

    /// <summary>1 for the first attempt; a failure is replayed only within the same attempt.</summary>
    public required int Attempt { get; init; }

    /// <summary>The run.</summary>
    public required string RunId { get; init; }

    /// <summary>The incident's key.</summary>
    public required string IncidentKey { get; init; }

    /// <summary>The incident's id.</summary>
    public required string IncidentId { get; init; }

    /// <summary>The playbook's name.</summary>
    public required string Playbook { get; init; }

    /// <summary>The incident's type.</summary>
    public string? IncidentType { get; init; }

    /// <summary>The blamed principal, or what the incident is about.</summary>
    public string? Subject { get; init; }

    /// <summary>The action.</summary>
    public required string Action { get; init; }

    /// <summary>Its input, an object.</summary>
    public required JsonElement Input { get; init; }

    /// <summary>True: the action's inverse.</summary>
    public bool Undo { get; init; }

    /// <summary>For an undo: what the action had answered.</summary>
    public JsonElement? Output { get; init; }

    /// <summary>Give up then, UTC.</summary>
    public required DateTimeOffset Deadline { get; init; }

    /// <summary>Tombstone this key first: a late arrival of it is refused from now on.</summary>
    public string? Cancels { get; init; }

    /// <summary>True: this action undoes another; it is carried out during a hold too.</summary>
    public bool Compensates { get; init; }

    /// <summary>The operator who approved it, or why it counts as approved; null where it acts by itself.</summary>
    public string? ApprovedBy { get; init; }

    /// <summary>True where nobody decided and the step's own default did.</summary>
    public bool ApprovedByDefault { get; init; }
}

/// <summary>
/// The key is not wanted any more: what waits or comes late is refused from now on, what runs is told to end.
/// Repeated until <see cref="ActionOutcome"/>, which tells how the key ended.
/// </summary>
public sealed record CancelAction : IGuardianMessage
{
    /// <summary>The key.</summary>
    public required string Key { get; init; }

    /// <summary>The run's epoch.</summary>
    public required long Epoch { get; init; }

    /// <summary>The run.</summary>
    public required string RunId { get; init; }
}

/// <summary>What became of a key that an earlier epoch may have dispatched? Answer: <see cref="ActionOutcome"/>.</summary>
public sealed record ResolveAction : IGuardianMessage
{
    /// <summary>What would be dispatched, under the same key, with the new epoch.</summary>
    public required DispatchAction Dispatch { get; init; }
}

/// <summary>The agent's answer for a key.</summary>
public sealed record ActionOutcome : IGuardianMessage
{
    /// <summary>The key.</summary>
    public required string Key { get; init; }

    /// <summary>The epoch of the question.</summary>
    public required long Epoch { get; init; }

    /// <summary>The attempt that it is about, so that a late answer is not taken for a newer attempt's; 0 in answers to <see cref="ResolveAction"/>.</summary>
    public int Attempt { get; init; }

    /// <summary>How it ended.</summary>
    public required OutcomeKind Kind { get; init; }

    /// <summary>The action's output, an object; undefined where it failed.</summary>
    public JsonElement? Output { get; init; }

    /// <summary>Why it failed or is unknown.</summary>
    public string? Reason { get; init; }
}

/// <summary>Measure. Answer: <see cref="ProbeAnswer"/>.</summary>
public sealed record RunProbe : IGuardianMessage
{
    /// <summary>Correlates the answer.</summary>
    public required string Id { get; init; }

    /// <summary>The probe.</summary>
    public required string Probe { get; init; }

    /// <summary>Its input, an object.</summary>
    public required JsonElement With { get; init; }

    /// <summary>Give up then, UTC.</summary>
    public required DateTimeOffset Deadline { get; init; }
}

/// <summary>A probe's answer. Unknown is never zero: where it cannot measure, <see cref="Error"/> is set.</summary>
public sealed record ProbeAnswer : IGuardianMessage
{
    /// <summary>The question's id.</summary>
    public required string Id { get; init; }

    /// <summary>The result, an object.</summary>
    public JsonElement? Result { get; init; }

    /// <summary>Why it could not measure.</summary>
    public string? Error { get; init; }
}

/// <summary>What the agent is busy with. Answer: <see cref="AgentStatus"/>.</summary>
internal sealed record GetAgentStatus : INoSerializationVerificationNeeded
{
    public static readonly GetAgentStatus Instance = new();
}

/// <param name="Running">Actions and resolutions under way.</param>
/// <param name="Waiting">Accepted and not yet started.</param>
/// <param name="Executed">Actions and undos started since the node started.</param>
/// <param name="RefusedFull">Refused because the queue was full or too many actions hang.</param>
/// <param name="DroppedHeld">Dispatches left unanswered because of a hold.</param>
/// <param name="Hanging">Actions that did not end at their deadline and still have not.</param>
/// <param name="Probing">Probes under way.</param>
/// <param name="Remembered">Keys in the ledger.</param>
/// <param name="Forgotten">Keys that fell out of it.</param>
internal sealed record AgentStatus(
    int Running, int Waiting, long Executed, long RefusedFull, long DroppedHeld, int Hanging, int Probing, int Remembered, long Forgotten)
    : INoSerializationVerificationNeeded;
