using System.Globalization;

namespace Guardian.Playbooks.Execution;

public sealed partial record RunState
{
    /// <summary>The state after <paramref name="e"/>.</summary>
    public RunState Apply(RunEvent e) => Fold(e) with { LastEventAt = e.At };

    private RunState Fold(RunEvent e) => e switch
    {
        RunStarted x => Started(x),
        RunRecovered x => Recovered(x).Placed(),
        RunHeld x => (this with { HeldFor = HeldFor + (x.At - (HeldSince ?? x.At)), HeldSince = x.At, HeldByGuards = x.ByGuards, Reason = x.Reason }).Say($"holds: {x.Reason}").Placed(),
        RunReleased x => Released(x).Placed(),
        RunAdmitted x => Admitted(x).Placed(),
        StepTargeted x => Targeted(x).Placed(),
        StepMeasured x => On(x.StepId, s => s with { SkipHolds = x.Holds, Measured = x.Result, Reason = x.Reason })
            .Say($"{x.StepId}: measured, {x.Reason}").Placed(),
        StepSkipped x => On(x.StepId, s => s with { Phase = StepPhase.Skipped, Reason = x.Reason, EndedAt = x.At })
            .Say($"{x.StepId}: skipped, {x.Reason}").Placed(),
        StepObserved x => On(x.StepId, s => s with { Phase = StepPhase.Skipped, Observed = true, Input = x.Input, Reason = x.Reason, EndedAt = x.At })
            .Say($"{x.StepId}: observed only, {x.Reason}").Placed(),
        StepApprovalRequested x => On(x.StepId, s => s with { Phase = StepPhase.AwaitingApproval, AwaitingSince = x.At, Input = x.Input, Reason = x.Reason })
            .Say($"{x.StepId}: waits for approval, {x.Reason}").Placed(),
        StepApprovalDecided x => Decided(x).Placed(),
        StepDispatched x => Dispatched(x).Placed(),
        StepSucceeded x => On(x.StepId, s => s with { Phase = StepPhase.Succeeded, Output = x.Output, EndedAt = x.At, RetryAt = null })
            .Say($"{x.StepId}: succeeded").Placed(),
        StepFailed x => Failed(x).Placed(),
        VerificationStarted x => (this with { VerifyingSince = x.At }).Placed(),
        VerificationProbed x => Probed(x).Placed(),
        RunCancelRequested x => (this with { Cancel = x, HeldFor = HeldFor + (x.At - (HeldSince ?? x.At)), HeldSince = null }).Say($"cancel asked for by {x.By}: {x.Reason}").Placed(),
        RollbackStarted x => TurnedBack(x).Placed(),
        UndoDispatched x => On(x.StepId, s => s with
        {
            Undo = "running", UndoAttempt = x.Attempt, UndoDeadline = x.Deadline, UndoRetryAt = null, UndoInDoubt = false,
            UndoCall = x.Action is null && x.Node is null ? null : x,
        }).Placed(),
        UndoEnded x => UndoOver(x).Placed(),
        RunEnded x => (this with { Phase = x.Phase, EndedAt = x.At, Reason = x.Reason, HeldSince = null }).Say($"{Name(x.Phase)}: {x.Reason}"),
        _ => this,
    };

    private static RunState Started(RunStarted x) => Empty with
    {
        Start = x,
        Epoch = 1,
        TakenOverAt = x.At,
        FreeSince = x.At,
        Steps = [.. x.Steps.Select(s => new StepState(s.Id, s.Action))],
        Verify = [.. x.Verify.Select(id => new VerificationState(id))],
        Explain = [$"started: {x.Because}"],
    };

    private RunState Recovered(RunRecovered x) => (this with
    {
        Epoch = x.Epoch,
        TakenOverAt = x.At,
        FreeSince = x.At,
        // Nobody measured while no process had the run: its checks begin anew.
        VerifyingSince = VerifyingSince is null ? null : x.At,
        Verify = [.. Verify.Select(v => v.Passed is null ? v with { Consecutive = 0, ProbedAt = null } : v)],
        Steps =
        [
            .. Steps.Select(s => s with
            {
                Phase = s.Phase == StepPhase.Running && s.Nodes is null ? StepPhase.Unknown : s.Phase,
                SkipHolds = Unmeasured(s),
                UndoInDoubt = s.UndoInDoubt || s.Undo == "running",
            }),
        ],
    }).Say(string.Create(CultureInfo.InvariantCulture, $"taken over, epoch {x.Epoch}"));

    private RunState Released(RunReleased x)
    {
        var held = x.At - (HeldSince ?? x.At);
        return (this with
        {
            HeldSince = null,
            HeldByGuards = false,
            FreeSince = x.At,
            HeldFor = HeldFor + held,
            VerifyingSince = VerifyingSince + held,
            Reason = null,
            Steps = [.. Steps.Select(s => s with { AwaitingSince = s.AwaitingSince + held, SkipHolds = Unmeasured(s) })],
        }).Say("goes on");
    }

    /// <summary>What was measured long before the step is no reason to skip it.</summary>
    private static bool? Unmeasured(StepState s) => s is { Phase: StepPhase.Pending, Attempt: 0 } ? null : s.SkipHolds;

    private RunState Admitted(RunAdmitted x) => x.Reason is null
        ? this with { Admission = x }
        : (this with { Admission = x }).Say($"guards: {x.Reason}{(x.ContainmentOnly ? "; containment only" : "")}");

    private RunState Targeted(StepTargeted x)
    {
        var state = On(x.StepId, s => s with { Phase = StepPhase.Running, Nodes = x.Nodes, StartedAt = x.At });
        var action = state.Step(x.StepId)!.Action;
        return (state with { Steps = state.Steps.AddRange(x.Nodes.Select(node => new StepState($"{x.StepId}@{node}", action))) })
            .Say($"{x.StepId}: goes to {string.Join(", ", x.Nodes)}");
    }

    private RunState Decided(StepApprovalDecided x) => x.Approved
        ? On(x.StepId, s => s with { Phase = StepPhase.Pending, ApprovedBy = x.By, ApprovedByDefault = x.ByDefault, Reason = $"approved by {x.By}" }).Say($"{x.StepId}: approved by {x.By}")
        : On(x.StepId, s => s with { Phase = StepPhase.Skipped, Reason = $"rejected by {x.By}", EndedAt = x.At }).Say($"{x.StepId}: skipped, rejected by {x.By}");

    private RunState Dispatched(StepDispatched x)
    {
        // The notice of an escalation is no step of the definition; it appears when it is sent.
        var state = Step(x.StepId) is null ? this with { Steps = Steps.Add(new StepState(x.StepId, x.Action)) } : this;
        return state.On(x.StepId, s => s with
        {
            Phase = StepPhase.Running, Attempt = x.Attempt, Key = x.Key, Input = x.Input, Node = x.Node, Undoable = x.Undo,
            StartedAt = s.StartedAt ?? x.At, Deadline = x.Deadline, RetryAt = null, Reason = x.Because,
        }).Say(string.Create(CultureInfo.InvariantCulture, $"{x.StepId}: {x.Action}, attempt {x.Attempt}{(x.Because is null ? "" : $", because {x.Because}")}"));
    }

    private RunState Failed(StepFailed x)
    {
        var phase = x.RetryAt is not null ? StepPhase.Pending : x.TimedOut ? StepPhase.TimedOut : StepPhase.Failed;
        return On(x.StepId, s => s with
        {
            Phase = phase, Reason = x.Reason, RetryAt = x.RetryAt, EndedAt = x.At, MayHaveHappened = s.MayHaveHappened || x.Unknown,
            TargetGone = x.TargetGone,
        }).Say($"{x.StepId}: {(x.TargetGone ? "target gone" : x.TimedOut ? "timed out" : "failed")}{(x.Unknown ? ", outcome unknown" : "")}, {x.Reason}{(x.RetryAt is null ? "" : "; tried again")}");
    }

    private RunState Probed(VerificationProbed x)
    {
        var at = Verify.FindIndex(v => v.Id == x.Id);
        if (at < 0) return this;
        var old = Verify[at];
        var state = this with
        {
            Verify = Verify.SetItem(at, old with
            {
                Passed = x.Final ? x.Passed : null,
                Consecutive = x.Passed ? old.Consecutive + 1 : 0,
                ProbedAt = x.At,
                Result = x.Result ?? old.Result,
                Reason = x.Reason,
            }),
        };
        return x.Final ? state.Say($"verify {x.Id}: {(x.Passed ? "passed" : $"failed, {x.Reason}")}") : state;
    }

    private RunState TurnedBack(RollbackStarted x) => (this with
    {
        Rollback = x,
        Reason = x.Reason,
        Steps =
        [
            .. Steps.Select(s => x.StepIds.Contains(s.Id) && s.Undo is null ? s with { Undo = "pending" }
                : s.Phase == StepPhase.AwaitingApproval ? s with { Phase = StepPhase.Skipped, Reason = "the run turned back before it was approved", EndedAt = x.At }
                : s),
        ],
    }).Say(x.StepIds.Count == 0 ? $"turns to {Name(x.Then)}: {x.Reason}" : $"undoes {string.Join(", ", x.StepIds)}: {x.Reason}");

    private RunState UndoOver(UndoEnded x) => On(x.StepId, s => x switch
    {
        { Undone: true } => s with { Phase = StepPhase.Undone, Undo = "undone", UndoInDoubt = false, UndoRetryAt = null },
        { RetryAt: not null } => s with { Undo = "pending", UndoInDoubt = false, UndoRetryAt = x.RetryAt },
        _ => s with { Phase = StepPhase.UndoFailed, Undo = "failed", UndoInDoubt = false, UndoRetryAt = null, Reason = x.Reason },
    }).Say(x.Undone ? $"{x.StepId}: undone{(x.Reason is null ? "" : $", {x.Reason}")}" : $"{x.StepId}: undo failed, {x.Reason}{(x.RetryAt is null ? "" : "; tried again")}");

    /// <summary>The phase is a function of the rest, so no event can leave it behind.</summary>
    private RunState Placed() => Ended ? this : this with
    {
        Phase = HeldSince is not null ? RunPhase.Holding
            : Steps.Exists(s => s.Phase == StepPhase.AwaitingApproval) ? RunPhase.AwaitingApproval
            : Rollback is not null ? RunPhase.RollingBack
            : VerifyingSince is not null ? RunPhase.Verifying
            : Steps.Exists(s => s.Phase != StepPhase.Pending || s.Attempt > 0) ? RunPhase.Running
            : RunPhase.Pending,
    };

    private RunState On(string id, Func<StepState, StepState> change)
    {
        var at = Steps.FindIndex(x => x.Id == id);
        return at < 0 ? this with { Steps = Steps.Add(change(new StepState(id, ""))) } : this with { Steps = Steps.SetItem(at, change(Steps[at])) };
    }

    private RunState Say(string line) => this with { Explain = Explain.Count < ExplainLimit ? Explain.Add(line) : Explain.RemoveAt(ExplainHead).Add(line) };

    // A run has at most 64 steps of 20 attempts, but a reader wants a page, with how it began and how it ended: what is between is in the events.
    private const int ExplainHead = 100;
    private const int ExplainLimit = 500;

    private static string Name(RunPhase phase) => phase switch
    {
        RunPhase.RolledBack => "rolled back",
        _ => phase.ToString().ToLowerInvariant(),
    };
}
