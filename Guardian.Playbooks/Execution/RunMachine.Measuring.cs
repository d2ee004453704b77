using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;

namespace Guardian.Playbooks.Execution;

public sealed partial class RunMachine
{
    /// <summary>Asks the probe of <c>skipWhen</c>, counted from the run's last event. Without an answer the step runs: unknown is not calm.</summary>
    private RunDecision Measure(RunState state, RunView view, Plan plan, EvaluationScope scope)
    {
        var skip = plan.SkipWhen!;
        var end = state.LastEventAt + skip.Within;
        if (view.Now >= end) return Events(NotMeasured(view, plan, $"no answer from {skip.Probe} within {new Duration(skip.Within)}"));
        try
        {
            return new([], [new RunCommand.Probe(plan.Id, skip.Probe, skip.With.Render(scope).Clone(), ProbeNode(view, skip.Probe, plan.Node ?? state.Start!.Node), end)], end);
        }
        catch (EvaluationException e)
        {
            return Events(NotMeasured(view, plan, e.Message));
        }
    }

    private IReadOnlyList<RunEvent> Measured(RunState state, RunInput.Probed input, RunView view)
    {
        if (PlanFor(state, input.Id) is not { SkipWhen: { } skip } plan || (state.Rollback is not null && !plan.Bounded) || IsHalted(state, view)) return [];
        if (state.Step(input.Id) is { } s && (s.SkipHolds is not null || s.Attempt > 0 || s.Phase is not (StepPhase.Pending or StepPhase.AwaitingApproval))) return [];
        if (input.Error is not null) return [NotMeasured(view, plan, input.Error)];
        var scope = WithResult(Scope(state, view, plan), input.Result);
        try
        {
            var holds = skip.Check.Test(scope);
            return [new StepMeasured { At = view.Now, StepId = plan.Id, Holds = holds, Result = Recorded(input.Result), Reason = skip.Check.Explain(scope) }];
        }
        catch (EvaluationException e)
        {
            return [NotMeasured(view, plan, e.Message) with { Result = Recorded(input.Result) }];
        }
    }

    private static StepMeasured NotMeasured(RunView view, Plan plan, string why) =>
        new() { At = view.Now, StepId = plan.Id, Holds = false, Reason = $"skipWhen could not be measured ({why}), so it runs" };

    private string ProbeNode(RunView view, string probe, string node) =>
        Vocabulary.Probes.TryGetValue(probe, out var spec) && spec.Anywhere ? Reachable(view, node) : node;

    private static EvaluationScope WithResult(EvaluationScope world, System.Text.Json.JsonElement result) => new()
    {
        Incident = world.Incident, Steps = world.Steps, Outcomes = world.Outcomes, Vars = world.Vars, Run = world.Run, Node = world.Node, Result = result,
    };

    private static System.Text.Json.JsonElement? Recorded(System.Text.Json.JsonElement result) =>
        result.ValueKind == System.Text.Json.JsonValueKind.Undefined ? null : result.Clone();
}
