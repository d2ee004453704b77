using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Guardian.Playbooks.Execution;

/// <summary>A run as its events tell it. Independent of the playbook's file: needs no definition to be folded.</summary>
public sealed partial record RunState : IGuardianMessage
{
    /// <summary>Before <see cref="RunStarted"/>.</summary>
    public static RunState Empty { get; } = new();

    /// <summary>The start, with everything that never changes; null before it.</summary>
    public RunStarted? Start { get; init; }

    /// <summary>Where the run is.</summary>
    public RunPhase Phase { get; init; }

    /// <summary>Grows with each takeover; 1 at the start.</summary>
    public long Epoch { get; init; }

    /// <summary>When the present process took it over; the start where it never changed hands.</summary>
    public DateTimeOffset TakenOverAt { get; init; }

    /// <summary>End, null while under way.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Why it holds, rolls back or ended.</summary>
    public string? Reason { get; init; }

    /// <summary>Since when it holds; null when it does not.</summary>
    public DateTimeOffset? HeldSince { get; init; }

    /// <summary>True where it holds because its guards say so.</summary>
    public bool HeldByGuards { get; init; }

    /// <summary>Since when it was free to ask its guards: its start, a takeover or the end of a hold.</summary>
    public DateTimeOffset FreeSince { get; init; }

    /// <summary>Time spent in holds that are over; it does not count towards the run's time-out.</summary>
    public TimeSpan HeldFor { get; init; }

    /// <summary>Start of verification, moved on by holds and takeovers; null before it.</summary>
    public DateTimeOffset? VerifyingSince { get; init; }

    /// <summary>When the last event happened.</summary>
    public DateTimeOffset LastEventAt { get; init; }

    /// <summary>The guards' word; null where they were not asked yet, or have nothing to say.</summary>
    public RunAdmitted? Admission { get; init; }

    /// <summary>An operator's wish to cancel.</summary>
    public RunCancelRequested? Cancel { get; init; }

    /// <summary>The undo under way or through, with the state that follows it; null where the run did not turn back.</summary>
    public RollbackStarted? Rollback { get; init; }

    /// <summary>Steps in declared order (steps, then finally).</summary>
    public ImmutableList<StepState> Steps { get; init; } = [];

    /// <summary>Verifications in declared order.</summary>
    public ImmutableList<VerificationState> Verify { get; init; } = [];

    /// <summary>Lines that answer why it started and why each step was run or skipped.</summary>
    public ImmutableList<string> Explain { get; init; } = [];

    /// <summary>True once over.</summary>
    [JsonIgnore]
    public bool Ended => Phase >= RunPhase.Resolved;

    /// <summary>True where only containment may act.</summary>
    [JsonIgnore]
    public bool ContainmentOnly => Start?.ContainmentOnly == true || Admission?.ContainmentOnly == true;

    /// <summary>The step of this id; null where there is none.</summary>
    public StepState? Step(string id) => Steps.Find(x => x.Id == id);
}

/// <summary>A step as its events tell it.</summary>
public sealed record StepState(string Id, string Action)
{
    /// <summary>Where it is.</summary>
    public StepPhase Phase { get; init; }

    /// <summary>Attempts so far.</summary>
    public int Attempt { get; init; }

    /// <summary>First dispatch.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>Last outcome.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Input as dispatched.</summary>
    public JsonElement? Input { get; init; }

    /// <summary>Output once succeeded.</summary>
    public JsonElement? Output { get; init; }

    /// <summary>Why skipped, failed or waiting; the condition it ran under otherwise.</summary>
    public string? Reason { get; init; }

    /// <summary>pending, running, undone or failed; null where no undo was asked for.</summary>
    public string? Undo { get; init; }

    /// <summary>Idempotency key, once dispatched.</summary>
    public string? Key { get; init; }

    /// <summary>Target node, once dispatched.</summary>
    public string? Node { get; init; }

    /// <summary>End of the present attempt.</summary>
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>Earliest time of the next attempt.</summary>
    public DateTimeOffset? RetryAt { get; init; }

    /// <summary>True where its action's inverse can take it back.</summary>
    public bool Undoable { get; init; }

    /// <summary>True where an attempt failed in a way that does not tell whether the effect took place.</summary>
    public bool MayHaveHappened { get; init; }

    /// <summary>True when it was recorded only.</summary>
    public bool Observed { get; init; }

    /// <summary>The operator who approved it, or why it counts as approved.</summary>
    public string? ApprovedBy { get; init; }

    /// <summary>True where nobody decided and the step's own default did.</summary>
    public bool ApprovedByDefault { get; init; }

    /// <summary>Attempts of the undo so far.</summary>
    public int UndoAttempt { get; init; }

    /// <summary>End of the undo's present attempt.</summary>
    public DateTimeOffset? UndoDeadline { get; init; }

    /// <summary>Earliest time of the undo's next attempt.</summary>
    public DateTimeOffset? UndoRetryAt { get; init; }

    /// <summary>True when an undo was dispatched before a takeover and its outcome is not known yet.</summary>
    public bool UndoInDoubt { get; init; }

    /// <summary>Since when it waits for an operator.</summary>
    public DateTimeOffset? AwaitingSince { get; init; }

    /// <summary>Whether its <c>skipWhen</c> holds; null while it was not measured.</summary>
    public bool? SkipHolds { get; init; }

    /// <summary>What <c>skipWhen</c> measured.</summary>
    public JsonElement? Measured { get; init; }

    /// <summary>True where its target left the cluster.</summary>
    public bool TargetGone { get; init; }

    /// <summary>The nodes of a step that goes to many; null for every other.</summary>
    public IReadOnlyList<string>? Nodes { get; init; }

    /// <summary>The action that undoes it, its input and node, where it is not its own action's inverse.</summary>
    public UndoDispatched? UndoCall { get; init; }

    /// <summary>How it ended, as conditions see it; null while it is not over.</summary>
    [JsonIgnore]
    public string? Outcome => Phase switch
    {
        StepPhase.Succeeded or StepPhase.Undone or StepPhase.UndoFailed => "succeeded",
        StepPhase.Failed when TargetGone => "target_gone",
        StepPhase.Failed => "failed",
        StepPhase.TimedOut => "timed_out",
        StepPhase.Skipped => "skipped",
        _ => null,
    };

    /// <summary>True when nothing more happens to it but an undo.</summary>
    [JsonIgnore]
    public bool Over => Phase is StepPhase.Succeeded or StepPhase.Failed or StepPhase.TimedOut or StepPhase.Skipped or StepPhase.Undone or StepPhase.UndoFailed;

    /// <summary>True when its effect is there, or may be.</summary>
    [JsonIgnore]
    public bool HasEffect => Phase is StepPhase.Succeeded or StepPhase.Running or StepPhase.Unknown or StepPhase.UndoFailed || (MayHaveHappened && Phase != StepPhase.Undone);
}

/// <summary>A verification as its events tell it.</summary>
public sealed record VerificationState(string Id)
{
    /// <summary>null while open, then whether it passed.</summary>
    public bool? Passed { get; init; }

    /// <summary>Passes in a row up to now.</summary>
    public int Consecutive { get; init; }

    /// <summary>Last probe.</summary>
    public DateTimeOffset? ProbedAt { get; init; }

    /// <summary>Last result.</summary>
    public JsonElement? Result { get; init; }

    /// <summary>Why it did not pass.</summary>
    public string? Reason { get; init; }
}
