using System.Text.Json;
using Guardian.Playbooks.Model;

namespace Guardian.Playbooks.Execution;

/// <summary>
/// A fact of a run's history. A run's state is the fold of its events by <see cref="RunState.Apply"/>;
/// nothing else is remembered.
/// </summary>
public abstract record RunEvent : IGuardianMessage
{
    /// <summary>When it happened, UTC.</summary>
    public required DateTimeOffset At { get; init; }
}

/// <summary>The run exists. Carries the whole definition: editing the file never changes a run under way.</summary>
public sealed record RunStarted : RunEvent
{
    /// <summary>Unique, <c>&lt;incident id&gt;.&lt;n&gt;</c>.</summary>
    public required string RunId { get; init; }

    /// <summary>The incident that started it.</summary>
    public required string IncidentId { get; init; }

    /// <summary>The incident's key.</summary>
    public required string IncidentKey { get; init; }

    /// <summary>The playbook's name.</summary>
    public required string Playbook { get; init; }

    /// <summary>The playbook's version.</summary>
    public required int Version { get; init; }

    /// <summary>SHA-256 of <see cref="Definition"/>, hex.</summary>
    public required string Hash { get; init; }

    /// <summary>The playbook's YAML.</summary>
    public required string Definition { get; init; }

    /// <summary>The incident's fields at the start, an object.</summary>
    public required JsonElement Incident { get; init; }

    /// <summary>Why it started: the trigger's clause with the values it saw.</summary>
    public required string Because { get; init; }

    /// <summary>Node where the incident was seen; the default target of actions.</summary>
    public required string Node { get; init; }

    /// <summary>Seeds the jitter of retries.</summary>
    public required int Seed { get; init; }

    /// <summary>Id, action, declared order of the steps, so that a reader need not parse the definition.</summary>
    public required IReadOnlyList<StepOutline> Steps { get; init; }

    /// <summary>Ids of the verifications.</summary>
    public required IReadOnlyList<string> Verify { get; init; }

    /// <summary>True where only containment may act: a recurrence within the cooldown, or past the quota of runs.</summary>
    public bool ContainmentOnly { get; init; }
}

/// <summary>A step's id and action.</summary>
public sealed record StepOutline(string Id, string Action);

/// <summary>A process took the run over (also after a crash): dispatched steps without an outcome are now unknown.</summary>
public sealed record RunRecovered : RunEvent
{
    /// <summary>Greater than every epoch before; agents refuse smaller ones.</summary>
    public required long Epoch { get; init; }
}

/// <summary>The run waits without acting.</summary>
public sealed record RunHeld : RunEvent
{
    /// <summary>Who or what holds it.</summary>
    public required string Reason { get; init; }

    /// <summary>True where it waits for its guards: that has an end, a hold has none.</summary>
    public bool ByGuards { get; init; }
}

/// <summary>The hold ended.</summary>
public sealed record RunReleased : RunEvent;

/// <summary>The guards that a run asks at its start let it go on.</summary>
public sealed record RunAdmitted : RunEvent
{
    /// <summary>True where only containment may act: a quota or the circuit breaker says so.</summary>
    public bool ContainmentOnly { get; init; }

    /// <summary>What they said; null where all agreed.</summary>
    public string? Reason { get; init; }

    /// <summary>The lock that the run has; null where it has none.</summary>
    public string? Lock { get; init; }
}

/// <summary>A step goes to many nodes: from now on each is a step of its own, <c>&lt;step&gt;@&lt;node&gt;</c>.</summary>
public sealed record StepTargeted : RunEvent
{
    /// <summary>The step.</summary>
    public required string StepId { get; init; }

    /// <summary>The nodes, as the cluster was at this moment.</summary>
    public required IReadOnlyList<string> Nodes { get; init; }
}

/// <summary>What <c>skipWhen</c> measured just before a step.</summary>
public sealed record StepMeasured : RunEvent
{
    /// <summary>The step.</summary>
    public required string StepId { get; init; }

    /// <summary>True: the step is not needed any more.</summary>
    public required bool Holds { get; init; }

    /// <summary>The probe's result; null where it gave none.</summary>
    public JsonElement? Result { get; init; }

    /// <summary>The check with the values it saw, or why there are none.</summary>
    public required string Reason { get; init; }
}

/// <summary>A step was not run.</summary>
public sealed record StepSkipped : RunEvent
{
    /// <summary>The step.</summary>
    public required string StepId { get; init; }

    /// <summary>Why, with the condition and the values it saw.</summary>
    public required string Reason { get; init; }
}

/// <summary>In mode observe: what would have been dispatched.</summary>
public sealed record StepObserved : RunEvent
{
    /// <summary>The step.</summary>
    public required string StepId { get; init; }

    /// <summary>The rendered input.</summary>
    public required JsonElement Input { get; init; }

    /// <summary>Why it was only observed.</summary>
    public required string Reason { get; init; }
}

/// <summary>A step waits for an operator.</summary>
public sealed record StepApprovalRequested : RunEvent
{
    /// <summary>The step.</summary>
    public required string StepId { get; init; }

    /// <summary>The rendered input.</summary>
    public required JsonElement Input { get; init; }

    /// <summary>Why it needs approval.</summary>
    public required string Reason { get; init; }
}

/// <summary>An operator's word on a waiting step.</summary>
public sealed record StepApprovalDecided : RunEvent
{
    /// <summary>The step.</summary>
    public required string StepId { get; init; }

    /// <summary>True when approved.</summary>
    public required bool Approved { get; init; }

    /// <summary>The operator, or why it was decided without one.</summary>
    public required string By { get; init; }

    /// <summary>True where nobody decided in time and the step's own default did.</summary>
    public bool ByDefault { get; init; }
}

/// <summary>Written before the effect is asked for. Undo before act: carries what will take it back.</summary>
public sealed record StepDispatched : RunEvent
{
    /// <summary>The step.</summary>
    public required string StepId { get; init; }

    /// <summary>1 for the first attempt.</summary>
    public required int Attempt { get; init; }

    /// <summary>Idempotency key, <c>&lt;run&gt;/&lt;step&gt;</c>; the same for every attempt.</summary>
    public required string Key { get; init; }

    /// <summary>The action.</summary>
    public required string Action { get; init; }

    /// <summary>The rendered input.</summary>
    public required JsonElement Input { get; init; }

    /// <summary>Target node.</summary>
    public required string Node { get; init; }

    /// <summary>True when the step can be undone.</summary>
    public required bool Undo { get; init; }

    /// <summary>The action that undoes it; null where its own action has an inverse.</summary>
    public string? UndoAction { get; init; }

    /// <summary>The condition and the values it saw, where the step has one.</summary>
    public string? Because { get; init; }

    /// <summary>This attempt times out then.</summary>
    public required DateTimeOffset Deadline { get; init; }
}

/// <summary>The effect took place.</summary>
public sealed record StepSucceeded : RunEvent
{
    /// <summary>The step.</summary>
    public required string StepId { get; init; }

    /// <summary>The action's output, an object.</summary>
    public required JsonElement Output { get; init; }
}

/// <summary>An attempt failed.</summary>
public sealed record StepFailed : RunEvent
{
    /// <summary>The step.</summary>
    public required string StepId { get; init; }

    /// <summary>What the action answered.</summary>
    public required string Reason { get; init; }

    /// <summary>True when the attempt ran out of time.</summary>
    public bool TimedOut { get; init; }

    /// <summary>The next attempt's earliest time; null when this was the last.</summary>
    public DateTimeOffset? RetryAt { get; init; }

    /// <summary>True when the effect may have happened: the outcome could not be found out.</summary>
    public bool Unknown { get; init; }

    /// <summary>True when the target has left the cluster.</summary>
    public bool TargetGone { get; init; }
}

/// <summary>The steps are through; verification begins.</summary>
public sealed record VerificationStarted : RunEvent;

/// <summary>One probe of a verification.</summary>
public sealed record VerificationProbed : RunEvent
{
    /// <summary>The verification.</summary>
    public required string Id { get; init; }

    /// <summary>Whether the check held.</summary>
    public required bool Passed { get; init; }

    /// <summary>The probe's result; undefined when it failed.</summary>
    public JsonElement? Result { get; init; }

    /// <summary>Why it did not pass.</summary>
    public string? Reason { get; init; }

    /// <summary>True when this ends the verification, one way or the other.</summary>
    public required bool Final { get; init; }
}

/// <summary>An operator asked to cancel.</summary>
public sealed record RunCancelRequested : RunEvent
{
    /// <summary>Who.</summary>
    public required string By { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }
}

/// <summary>Steps are now undone in reverse.</summary>
public sealed record RollbackStarted : RunEvent
{
    /// <summary>What went wrong.</summary>
    public required string Reason { get; init; }

    /// <summary>Steps that will be undone, in the order of undoing.</summary>
    public required IReadOnlyList<string> StepIds { get; init; }

    /// <summary>State of the run once the undo is through.</summary>
    public required RunPhase Then { get; init; }
}

/// <summary>Written before an undo is asked for.</summary>
public sealed record UndoDispatched : RunEvent
{
    /// <summary>The step.</summary>
    public required string StepId { get; init; }

    /// <summary>1 for the first attempt.</summary>
    public required int Attempt { get; init; }

    /// <summary>Idempotency key, <c>&lt;run&gt;/&lt;step&gt;/undo</c>.</summary>
    public required string Key { get; init; }

    /// <summary>The action that undoes; null: the inverse of the step's own.</summary>
    public string? Action { get; init; }

    /// <summary>That action's rendered input.</summary>
    public JsonElement? Input { get; init; }

    /// <summary>Target node where it is not the step's.</summary>
    public string? Node { get; init; }

    /// <summary>This attempt times out then.</summary>
    public required DateTimeOffset Deadline { get; init; }
}

/// <summary>The undo took place, or is not possible any more.</summary>
public sealed record UndoEnded : RunEvent
{
    /// <summary>The step.</summary>
    public required string StepId { get; init; }

    /// <summary>True when the effect is gone.</summary>
    public required bool Undone { get; init; }

    /// <summary>Why it failed, or why nothing was left to undo.</summary>
    public string? Reason { get; init; }

    /// <summary>The next attempt's earliest time; null when none follows.</summary>
    public DateTimeOffset? RetryAt { get; init; }
}

/// <summary>The run is over.</summary>
public sealed record RunEnded : RunEvent
{
    /// <summary>resolved, rolled_back, escalated, cancelled or observed.</summary>
    public required RunPhase Phase { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }
}
