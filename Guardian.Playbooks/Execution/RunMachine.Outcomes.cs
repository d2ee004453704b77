using System.Text.Json;

namespace Guardian.Playbooks.Execution;

public sealed partial class RunMachine
{
    /// <summary>The events that an input leads to; none where it is stale or unknown.</summary>
    public IReadOnlyList<RunEvent> Handle(RunState state, RunInput input, RunView view)
    {
        if (state.Start is null || state.Ended) return [];
        return input switch
        {
            RunInput.Outcome x => Outcome(state, x, view),
            RunInput.Probed x => Probed(state, x, view),
            RunInput.Approval x => Approved(state, x, view),
            RunInput.Admitted x => Admitted(state, x, view),
            RunInput.Reserved x => Reserved(state, x, view),
            RunInput.Cancel x => state.Cancel is null ? [new RunCancelRequested { At = view.Now, By = x.By, Reason = x.Reason }] : [],
            _ => [],
        };
    }

    /// <summary>The word is for the step that waits; where that waits on many nodes, for all of them.</summary>
    private static IReadOnlyList<RunEvent> Approved(RunState state, RunInput.Approval x, RunView view)
    {
        StepState[] waiting = [.. state.Steps.Where(s => s.Phase == StepPhase.AwaitingApproval && (x.Step is null || Base(s.Id) == Base(x.Step)))];
        return [.. waiting.Where(s => Base(s.Id) == Base(waiting[0].Id)).Select(s => new StepApprovalDecided { At = view.Now, StepId = s.Id, Approved = x.Approved, By = x.By })];
    }

    private static string Base(string id) => id.Split('@', 2)[0];

    private IReadOnlyList<RunEvent> Admitted(RunState state, RunInput.Admitted x, RunView view)
    {
        if (state.Admission is not null || state.Rollback is not null || !Playbook.Guards.AskedAtStart) return [];
        if (x.Granted) return [new RunAdmitted { At = view.Now, ContainmentOnly = x.ContainmentOnly, Reason = x.Reason, Lock = x.Lock }];
        return state.HeldSince is null ? [new RunHeld { At = view.Now, Reason = x.Reason ?? "its guards refuse", ByGuards = true }] : [];
    }

    /// <summary>A refusal is the step's failure, told with its reason; it is not tried again by itself.</summary>
    private IReadOnlyList<RunEvent> Reserved(RunState state, RunInput.Reserved x, RunView view)
    {
        if (PlanFor(state, x.StepId) is not { } plan || IsHalted(state, view)) return [];
        if ((state.Rollback is not null && !plan.Bounded) || !state.Steps.Exists(s => s.Id == x.StepId && !s.Over && s.Phase is not (StepPhase.Running or StepPhase.Unknown))) return [];
        return x.Granted
            ? Ready(state, view, plan, state.Step(x.StepId)!, reserved: true).Events
            : [new StepFailed { At = view.Now, StepId = x.StepId, Reason = x.Reason ?? "the blast radius is used up" }];
    }

    private IReadOnlyList<RunEvent> Outcome(RunState state, RunInput.Outcome x, RunView view)
    {
        if (state.Steps.Find(s => s.Key == x.Key) is { } step) return StepOutcome(state, step, x, view);
        return state.Steps.Find(s => s.Undo == "running" && s.Key + "/undo" == x.Key) is { } undone ? UndoOutcome(state, undone, x, view) : [];
    }

    private IReadOnlyList<RunEvent> StepOutcome(RunState state, StepState s, RunInput.Outcome x, RunView view)
    {
        if (s.Phase is not (StepPhase.Running or StepPhase.Unknown) || (x.Attempt != 0 && x.Attempt != s.Attempt)) return [];
        // What is under way answers for itself; a second answer to what was asked before it is late. It tells only where an effect is there.
        var asked = s.Phase == StepPhase.Unknown || view.Now >= s.Deadline || state.Rollback is not null || Gone(view, s.Node!);
        if (x.Attempt == 0 && !asked && x.Kind != OutcomeKind.Succeeded) return [];
        if (x.Kind == OutcomeKind.Succeeded)
            return [new StepSucceeded { At = view.Now, StepId = s.Id, Output = x.Output.ValueKind == JsonValueKind.Object ? x.Output.Clone() : NoInput }];

        if (PlanFor(state, s.Id) is not { } plan) return [];
        var reason = x.Reason ?? (x.Kind == OutcomeKind.Failed ? "failed without a reason" : "nobody can tell whether it was carried out");
        var late = view.Now >= s.Deadline;
        return x.Kind switch
        {
            OutcomeKind.Failed => [Failure(state, plan, s, view.Now, reason, late, unknown: false)],
            OutcomeKind.NotDone => Again(state, plan, s, view),
            // After a takeover an idempotent action is asked for again; before one, that is what its retries are for.
            _ when s.Phase == StepPhase.Unknown && IsIdempotent(s.Action) => Again(state, plan, s, view),
            _ => [Failure(state, plan, s, view.Now, reason, late, unknown: true)],
        };
    }

    /// <summary>The same attempt under the same key, as far as it may still act by itself.</summary>
    private IReadOnlyList<RunEvent> Again(RunState state, Plan plan, StepState s, RunView view)
    {
        // Once the run turned back, and while it is held, nothing new is asked for.
        if ((state.Rollback is not null && !plan.Bounded) || IsHalted(state, view)) return [];
        var allowed = s.ApprovedBy is not null || Mode(view, plan, s.Input!.Value) == Model.OperatingMode.Enforce;
        return allowed
            ? [Dispatched(state, plan, view, s.Input!.Value, s.Attempt, s.Reason)]
            : [new StepFailed { At = view.Now, StepId = s.Id, Reason = "not carried out before the process died; the mode has changed since", RetryAt = view.Now }];
    }

    private Plan? PlanFor(RunState state, string id) =>
        id == NoticeId(state) ? Notice(state, state.Rollback?.Reason ?? "")
        : Declared(id) is ({ } step, var node, var final) ? PlanOf(step, final, node)
        : null;

    private IReadOnlyList<RunEvent> UndoOutcome(RunState state, StepState s, RunInput.Outcome x, RunView view)
    {
        if (x.Attempt == 0 ? !s.UndoInDoubt && x.Kind != OutcomeKind.Succeeded : x.Attempt != s.UndoAttempt) return [];
        return x.Kind switch
        {
            OutcomeKind.Succeeded => [new UndoEnded { At = view.Now, StepId = s.Id, Undone = true }],
            // The inverse lifts only what this run's lease holds: asking for it again does no harm. Another action may do some.
            OutcomeKind.NotDone or OutcomeKind.Unknown when s.UndoInDoubt && (x.Kind == OutcomeKind.NotDone || s.UndoCall?.Action is null || IsIdempotent(s.UndoCall.Action)) =>
            [
                new UndoDispatched
                {
                    At = view.Now, StepId = s.Id, Attempt = s.UndoAttempt, Key = x.Key, Deadline = view.Now + TimeoutOf(s.Id),
                    Action = s.UndoCall?.Action, Input = s.UndoCall?.Input, Node = s.UndoCall?.Node,
                },
            ],
            _ => [UndoFailure(state, s, view.Now, x.Reason ?? "failed without a reason")],
        };
    }
}
