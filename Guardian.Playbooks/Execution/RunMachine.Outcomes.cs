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
            RunInput.Approval x => state.Steps.Find(s => s.Phase == StepPhase.AwaitingApproval) is { } waiting
                ? [new StepApprovalDecided { At = view.Now, StepId = waiting.Id, Approved = x.Approved, By = x.By }]
                : [],
            RunInput.Cancel x => state.Cancel is null ? [new RunCancelRequested { At = view.Now, By = x.By, Reason = x.Reason }] : [],
            _ => [],
        };
    }

    private IReadOnlyList<RunEvent> Outcome(RunState state, RunInput.Outcome x, RunView view)
    {
        if (state.Steps.Find(s => s.Key == x.Key) is { } step) return StepOutcome(state, step, x, view);
        return state.Steps.Find(s => s.Undo == "running" && s.Key + "/undo" == x.Key) is { } undone ? UndoOutcome(state, undone, x, view) : [];
    }

    private IReadOnlyList<RunEvent> StepOutcome(RunState state, StepState s, RunInput.Outcome x, RunView view)
    {
        if (s.Phase is not (StepPhase.Running or StepPhase.Unknown) || (x.Attempt != 0 && x.Attempt != s.Attempt)) return [];
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
        if ((state.Rollback is not null && !plan.Bounded) || state.HeldSince is not null || view.Held is not null) return [];
        var allowed = s.ApprovedBy is not null || Mode(view, Risk(s.Action)) == Model.OperatingMode.Enforce;
        return allowed
            ? [Dispatched(state, plan, view.Now, s.Input!.Value, s.Attempt, s.Reason)]
            : [new StepFailed { At = view.Now, StepId = s.Id, Reason = "not carried out before the process died; the mode has changed since", RetryAt = view.Now }];
    }

    private Plan? PlanFor(RunState state, string id)
    {
        if (Playbook.Steps.FirstOrDefault(x => x.Id == id) is { } step) return PlanOf(step, final: false);
        if (Playbook.Finally.FirstOrDefault(x => x.Id == id) is { } last) return PlanOf(last, final: true);
        return id == NoticeId(state) ? Notice(state, state.Rollback?.Reason ?? "") : null;
    }

    private static IReadOnlyList<RunEvent> UndoOutcome(RunState state, StepState s, RunInput.Outcome x, RunView view)
    {
        if (x.Attempt != 0 && x.Attempt != s.UndoAttempt) return [];
        return x.Kind switch
        {
            OutcomeKind.Succeeded => [new UndoEnded { At = view.Now, StepId = s.Id, Undone = true }],
            // The inverse lifts only what this run's lease holds: asking for it again does no harm.
            OutcomeKind.NotDone or OutcomeKind.Unknown when s.UndoInDoubt =>
                [new UndoDispatched { At = view.Now, StepId = s.Id, Attempt = s.UndoAttempt, Key = x.Key, Deadline = view.Now + UndoTimeout }],
            _ => [UndoFailure(state, s, view.Now, x.Reason ?? "failed without a reason")],
        };
    }
}
