using System.Text.Json;
using Guardian.Playbooks.Execution;

namespace Guardian.Actors.Persistence;

/// <summary>
/// A run's view as the fold of its events. Pure. Works on the view alone, so that the projection needs to keep nothing else
/// and a run that is years old is folded without its playbook.
/// </summary>
internal static class RunProjection
{
    /// <summary>The view after <paramref name="e"/>; null where the run's start was never seen.</summary>
    public static RunDetail? Apply(RunDetail? run, RunEvent e)
    {
        if (e is RunStarted started) return run ?? Start(started);
        return run is null ? null : e switch
        {
            RunRecovered => run with { Steps = [.. run.Steps.Select(Recovered)] },
            RunHeld x => run with { State = Name(RunPhase.Holding), Reason = x.Reason },
            RunReleased => run with { State = Resumed(run), Reason = null },
            StepSkipped x => Step(run, x.StepId, s => s with { State = Name(StepPhase.Skipped), EndedAt = x.At, Reason = x.Reason }, $"{x.StepId} skipped: {x.Reason}"),
            StepObserved x => Step(run, x.StepId, s => s with { State = Name(StepPhase.Skipped), EndedAt = x.At, Input = Defined(x.Input), Reason = x.Reason }, $"{x.StepId} only observed: {x.Reason}"),
            StepApprovalRequested x => Step(run, x.StepId, s => s with { State = Name(StepPhase.AwaitingApproval), Input = Defined(x.Input), Reason = x.Reason }, $"{x.StepId} waits for approval: {x.Reason}")
                with { State = Name(RunPhase.AwaitingApproval) },
            StepApprovalDecided x => Step(run, x.StepId, s => s with { State = Name(StepPhase.Pending), Reason = (x.Approved ? "approved by " : "rejected by ") + x.By }, $"{x.StepId} {(x.Approved ? "approved" : "rejected")} by {x.By}")
                with { State = Name(RunPhase.Running) },
            StepDispatched x => Step(run, x.StepId, s => Dispatched(s, x), x.Attempt == 1 ? $"{x.StepId} run on {x.Node}{(x.Because is null ? "" : ": " + x.Because)}" : null)
                with { State = Name(RunPhase.Running) },
            StepSucceeded x => Step(run, x.StepId, s => s with { State = Name(StepPhase.Succeeded), EndedAt = x.At, Output = Defined(x.Output) }),
            StepFailed x => Step(run, x.StepId, s => Failed(s, x), x.RetryAt is null ? $"{x.StepId} failed: {x.Reason}" : null),
            VerificationStarted => run with { State = Name(RunPhase.Verifying) },
            VerificationProbed x => run with { Verify = [.. run.Verify.Select(v => v.Id == x.Id ? Probed(v, x) : v)] },
            RunCancelRequested x => run with { Reason = x.Reason, Explain = [.. run.Explain, $"cancel asked for by {x.By}: {x.Reason}"] },
            RollbackStarted x => run with
            {
                State = Name(RunPhase.RollingBack),
                Reason = x.Reason,
                Steps = [.. run.Steps.Select(s => x.StepIds.Contains(s.Id) ? s with { Undo = "pending" } : s)],
                Explain = [.. run.Explain, x.StepIds.Count == 0 ? $"nothing to undo: {x.Reason}" : $"undo of {string.Join(", ", x.StepIds)}: {x.Reason}"],
            },
            UndoDispatched x => Step(run, x.StepId, s => s with { Undo = "running" }),
            UndoEnded x => Step(run, x.StepId, s => Undone(s, x), x.RetryAt is null && !x.Undone ? $"{x.StepId} could not be undone: {x.Reason}" : null),
            RunEnded x => run with { State = Name(x.Phase), Reason = x.Reason, EndedAt = x.At, Explain = [.. run.Explain, $"{Name(x.Phase)}: {x.Reason}"] },
            _ => run,
        };
    }

    /// <summary>A state as JSON has it.</summary>
    public static string Name<T>(T phase) where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(phase.ToString());

    private static RunDetail Start(RunStarted e) => new()
    {
        Id = e.RunId,
        Playbook = e.Playbook,
        Version = e.Version,
        Hash = e.Hash,
        Incident = e.IncidentId,
        IncidentKey = e.IncidentKey,
        State = Name(RunPhase.Pending),
        StartedAt = e.At,
        Steps = [.. e.Steps.Select(s => new StepDetail { Id = s.Id, Action = s.Action, State = Name(StepPhase.Pending), Attempt = 0 })],
        Verify = [.. e.Verify.Select(id => new VerifyDetail { Id = id })],
        Explain = [e.Because],
    };

    private static StepDetail Dispatched(StepDetail s, StepDispatched x) => s with
    {
        State = Name(StepPhase.Running),
        Attempt = x.Attempt,
        StartedAt = s.StartedAt ?? x.At,
        EndedAt = null,
        Input = Defined(x.Input),
        Reason = x.Because,
    };

    private static StepDetail Failed(StepDetail s, StepFailed x) => s with
    {
        State = x.RetryAt is not null ? Name(StepPhase.Running)
            : Name(x.Unknown ? StepPhase.Unknown : x.TimedOut ? StepPhase.TimedOut : StepPhase.Failed),
        EndedAt = x.RetryAt is null ? x.At : null,
        Reason = x.Reason,
    };

    private static StepDetail Undone(StepDetail s, UndoEnded x) => x switch
    {
        { Undone: true } => s with { State = Name(StepPhase.Undone), Undo = "undone" },
        { RetryAt: not null } => s with { Undo = "running" },
        _ => s with { State = Name(StepPhase.UndoFailed), Undo = "failed", Reason = x.Reason },
    };

    private static StepDetail Recovered(StepDetail s) => s.State == Name(StepPhase.Running) ? s with { State = Name(StepPhase.Unknown) } : s;

    private static VerifyDetail Probed(VerifyDetail v, VerificationProbed x) => v with
    {
        Passed = x.Final ? x.Passed : null,
        Result = Defined(x.Result),
        Reason = x.Reason,
    };

    // A hold does not say what it interrupted; the steps do.
    private static string Resumed(RunDetail run)
    {
        if (run.Steps.All(s => s.State == Name(StepPhase.Pending))) return Name(RunPhase.Pending);
        return Name(run.Steps.Any(s => s.State is "pending" or "running" or "unknown") ? RunPhase.Running : RunPhase.Verifying);
    }

    private static RunDetail Step(RunDetail run, string id, Func<StepDetail, StepDetail> change, string? explain = null) => run with
    {
        Steps = [.. run.Steps.Select(s => s.Id == id ? change(s) : s)],
        Explain = explain is null ? run.Explain : [.. run.Explain, explain],
    };

    // An element that was never set cannot be written as JSON.
    private static JsonElement? Defined(JsonElement? element) => element is { ValueKind: not JsonValueKind.Undefined } ? element : null;
}
