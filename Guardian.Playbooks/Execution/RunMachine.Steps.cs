using System.Text.Json;
using System.Text.Json.Nodes;
using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;

namespace Guardian.Playbooks.Execution;

public sealed partial class RunMachine
{
    /// <summary>The agent gives up at the deadline; its answer needs a moment to arrive.</summary>
    private static readonly TimeSpan AnswerGrace = TimeSpan.FromSeconds(1);

    private static readonly JsonElement NoInput = JsonDocument.Parse("{}").RootElement.Clone();

    /// <summary>A step as it is carried out. <paramref name="Bounded"/>: an unreachable agent uses up its attempts, since no run time-out ends it.</summary>
    private sealed record Plan(string Id, string Action, CompiledExpression? If, Func<EvaluationScope, JsonElement> Render, RetryPolicy Retry, TimeSpan Timeout, bool Undo, bool Continue, string On, bool Bounded);

    private static Plan PlanOf(Step step, bool final) => new(step.Id, step.Action, step.If, step.With.Render, step.Retry, step.Timeout,
        step.Undo, final || step.ContinueOnError, step.On, final);

    private RunDecision? MainStep(RunState state, RunView view)
    {
        foreach (var step in Playbook.Steps)
        {
            var s = state.Step(step.Id) ?? new StepState(step.Id, step.Action);
            if (!s.Over) return StepDecision(state, view, PlanOf(step, final: false), s);
            if (s.Phase is StepPhase.Failed or StepPhase.TimedOut && !step.ContinueOnError)
                return TurnBack(state, view, RunPhase.Escalated, $"step {step.Id} failed: {s.Reason}", Undoable(state, RollbackCause.StepFailed));
        }

        return null;
    }

    private RunDecision StepDecision(RunState state, RunView view, Plan plan, StepState s)
    {
        if (s.Phase is not (StepPhase.Running or StepPhase.Unknown)) return Ready(state, view, plan, s);
        var end = s.Phase == StepPhase.Running ? s.Deadline!.Value : state.TakenOverAt + plan.Timeout;
        if (s.Phase == StepPhase.Running && view.Now < end)
            return new([], [new RunCommand.Dispatch(s.Key!, state.Epoch, s.Action, s.Input!.Value, false, s.Node!, end, null, default, s.Attempt)], end);
        end += AnswerGrace;
        if (s.Phase == StepPhase.Running && view.Now < end) return Wait(end);
        if (plan.Bounded && view.Now >= end)
            return Events(Failure(state, plan, s, view.Now, $"no answer within {new Duration(plan.Timeout)}", timedOut: true, unknown: true));

        // No answer is no outcome: an unreachable target uses up the run's time-out, not the step's attempts.
        return new([], [new RunCommand.Resolve(s.Key!, state.Epoch, s.Action, s.Input!.Value, false, s.Node!)], plan.Bounded ? end : null);
    }

    private RunDecision Ready(RunState state, RunView view, Plan plan, StepState s)
    {
        if (s.RetryAt > view.Now) return Wait(s.RetryAt);
        var first = s is { Phase: StepPhase.Pending, Attempt: 0, ApprovedBy: null };
        var risk = Vocabulary.Actions.TryGetValue(plan.Action, out var spec) ? spec.Risk : RiskClass.Destroy;
        if (first && state.Start!.ContainmentOnly && risk > RiskClass.Contain)
            return Skip(view, plan, "this run re-applies containment only");

        var scope = Scope(state, view, plan);
        string? because = s.ApprovedBy is null ? null : s.Reason;
        JsonElement input;
        try
        {
            if (first && plan.If is not null)
            {
                var holds = plan.If.Test(scope);
                because = plan.If.Explain(scope);
                if (!holds) return Skip(view, plan, because);
            }

            // What was approved or tried before is what is carried out, whatever has changed since.
            input = s.Input ?? plan.Render(scope).Clone();
        }
        catch (EvaluationException e)
        {
            return state.Steps.Exists(x => x.Observed)
                ? Events(new StepObserved { At = view.Now, StepId = plan.Id, Input = NoInput, Reason = $"its input depends on steps that were observed only: {e.Message}" })
                : Events(new StepFailed { At = view.Now, StepId = plan.Id, Reason = e.Message });
        }

        var mode = Mode(view, risk);
        if (mode == OperatingMode.Observe)
            return Events(new StepObserved { At = view.Now, StepId = plan.Id, Input = input, Reason = $"mode observe{Clause(because)}" });
        if (mode == OperatingMode.Propose && s.ApprovedBy is null)
            return AskApproval(state, view, plan, s, input, $"mode propose for {risk.ToString().ToLowerInvariant()}{Clause(because)}");
        return Events(Dispatched(state, plan, view.Now, input, s.Attempt + 1, because ?? s.Reason));
    }

    private RunDecision AskApproval(RunState state, RunView view, Plan plan, StepState s, JsonElement input, string reason)
    {
        // At the end of a run nobody waits for ever; before it the run's time-out bounds the wait and escalates.
        if (plan.Bounded && view.Now >= RunDeadline(state)) return Skip(view, plan, "nobody approved it in time");
        return s.Phase == StepPhase.AwaitingApproval
            ? Wait(plan.Bounded ? RunDeadline(state) : null)
            : Events(new StepApprovalRequested { At = view.Now, StepId = plan.Id, Input = input, Reason = reason });
    }

    private static RunDecision Skip(RunView view, Plan plan, string reason) => Events(new StepSkipped { At = view.Now, StepId = plan.Id, Reason = reason });

    private static string Clause(string? because) => because is null ? "" : $"; {because}";

    private static StepDispatched Dispatched(RunState state, Plan plan, DateTimeOffset now, JsonElement input, int attempt, string? because) => new()
    {
        At = now,
        StepId = plan.Id,
        Attempt = attempt,
        Key = $"{state.Start!.RunId}/{plan.Id}",
        Action = plan.Action,
        Input = input,
        Node = plan.On == "incident.node" ? state.Start.Node : plan.On,
        Undo = plan.Undo,
        Because = because,
        Deadline = now + plan.Timeout,
    };

    private StepFailed Failure(RunState state, Plan plan, StepState s, DateTimeOffset now, string reason, bool timedOut, bool unknown)
    {
        var again = s.Attempt < plan.Retry.Attempts && !(unknown && !IsIdempotent(plan.Action)) && (state.Rollback is null || plan.Bounded);
        return new StepFailed
        {
            At = now,
            StepId = plan.Id,
            Reason = reason,
            TimedOut = timedOut,
            Unknown = unknown,
            RetryAt = again ? now + Backoff.Wait(plan.Retry, s.Attempt, state.Start!.Seed, plan.Id) : null,
        };
    }

    private bool IsIdempotent(string action) => Vocabulary.Actions.TryGetValue(action, out var spec) && spec.Idempotent;

    /// <summary>The strictest wins. What has no effect on what is guarded acts unless everything is only observed.</summary>
    private OperatingMode Mode(RunView view, RiskClass risk)
    {
        var strictest = (OperatingMode)Math.Min((int)view.Autonomy(risk), (int)Playbook.Mode);
        return risk == RiskClass.None && strictest != OperatingMode.Observe ? OperatingMode.Enforce : strictest;
    }

    private EvaluationScope Scope(RunState state, RunView view, Plan? plan) => new()
    {
        Incident = view.Incident,
        Steps = state.Steps.Where(x => x.Output is not null).ToDictionary(x => x.Id, x => x.Output!.Value, StringComparer.Ordinal),
        Vars = Playbook.Vars,
        Run = JsonSerializer.SerializeToElement(new JsonObject
        {
            ["id"] = state.Start!.RunId, ["playbook"] = state.Start.Playbook, ["epoch"] = state.Epoch,
        }),
        Node = plan is null or { On: "incident.node" or "all" } ? state.Start.Node : plan.On,
    };
}
