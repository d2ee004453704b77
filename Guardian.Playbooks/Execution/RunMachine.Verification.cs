using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;

namespace Guardian.Playbooks.Execution;

public sealed partial class RunMachine
{
    /// <summary>All checks side by side; null when all passed.</summary>
    private RunDecision? Verification(RunState state, RunView view)
    {
        if (Playbook.Verify.Count == 0) return null;
        if (state.VerifyingSince is not { } since) return Events(new VerificationStarted { At = view.Now });
        List<RunCommand> probes = [];
        DateTimeOffset? wake = null;
        foreach (var check in Playbook.Verify)
        {
            var v = state.Verify.Find(x => x.Id == check.Id) ?? new VerificationState(check.Id);
            if (v.Passed == true) continue;
            if (v.Passed == false)
                return Fail(state, view, $"verification {check.Id} failed: {v.Reason}", RollbackCause.VerifyFailed);
            var end = since + check.Within;
            if (view.Now >= end)
            {
                return Events(new VerificationProbed
                {
                    At = view.Now, Id = check.Id, Passed = false, Final = true,
                    Reason = $"not passed within {new Duration(check.Within)}{(v.Reason is null ? "" : $"; last: {v.Reason}")}",
                });
            }

            wake = Earlier(wake, end);
            if (v.ProbedAt + check.Every is { } next && view.Now < next)
            {
                wake = Earlier(wake, next);
                continue;
            }

            try
            {
                probes.Add(new RunCommand.Probe(check.Id, check.Probe, check.With.Render(Scope(state, view, null)).Clone(), ProbeNode(view, check.Probe, state.Start!.Node), end));
            }
            catch (EvaluationException e)
            {
                return Events(new VerificationProbed { At = view.Now, Id = check.Id, Passed = false, Final = true, Reason = e.Message });
            }
        }

        return probes.Count == 0 && wake is null ? null : new([], probes, wake);
    }

    private IReadOnlyList<RunEvent> Probed(RunState state, RunInput.Probed input, RunView view)
    {
        if (state.Verify.TrueForAll(x => x.Id != input.Id)) return Measured(state, input, view);
        if (state.Phase != RunPhase.Verifying || state.Rollback is not null) return [];
        var check = Playbook.Verify.FirstOrDefault(x => x.Id == input.Id);
        var v = state.Verify.Find(x => x.Id == input.Id);
        // An answer to a repeated question comes too early to be a second measurement.
        if (check is null || v is null or { Passed: not null } || view.Now < v.ProbedAt + check.Every) return [];
        if (input.Error is not null)
            return [new VerificationProbed { At = view.Now, Id = check.Id, Passed = false, Final = false, Reason = $"could not measure: {input.Error}" }];

        var scope = WithResult(Scope(state, view, null), input.Result);
        var passed = false;
        string? reason;
        try
        {
            passed = check.Check.Test(scope);
            reason = passed ? null : check.Check.Explain(scope);
        }
        catch (EvaluationException e)
        {
            reason = e.Message;
        }

        return
        [
            new VerificationProbed
            {
                At = view.Now, Id = check.Id, Passed = passed, Result = Recorded(input.Result), Reason = reason,
                Final = passed && v.Consecutive + 1 >= check.SucceedAfter,
            },
        ];
    }
}
