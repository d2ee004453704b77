using System.Text.Json;
using System.Text.Json.Nodes;
using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;

namespace Guardian.Playbooks.Execution;

public sealed partial class RunMachine
{
    /// <summary>The agent gives up at the deadline; its answer needs a moment to arrive.</summary>
    private static readonly TimeSpan AnswerGrace = TimeSpan.FromSeconds(1);

    /// <summary>
    /// From a violation on any node to its place in the incident's count: a digest each 40 ms, growth told each 100 ms, and the way.
    /// Without it a run that is quicker than the count would take a flood for the few messages that gave it away.
    /// </summary>
    internal static readonly TimeSpan CountLag = TimeSpan.FromMilliseconds(200);

    private static readonly JsonElement NoInput = JsonDocument.Parse("{}").RootElement.Clone();

    /// <summary>
    /// A step as it is carried out on one node; where none is named, on the one where the incident was seen.
    /// <paramref name="Bounded"/>: an unreachable agent uses up its attempts, since no run time-out ends it.
    /// </summary>
    private sealed record Plan(
        string Id, string Action, CompiledExpression? If, Func<EvaluationScope, JsonElement> Render, RetryPolicy Retry, TimeSpan Timeout, bool Bounded)
    {
        public SkipCondition? SkipWhen { get; init; }
        public StepUndo? Undo { get; init; }
        public string? Node { get; init; }
        public OperatingMode Mode { get; init; } = OperatingMode.Enforce;
        public Approval? Approval { get; init; }
    }

    private Plan PlanOf(Step step, bool final, string? node = null) => new(
        node is null ? step.Id : $"{step.Id}@{node}", step.Action, node is null ? step.If : null, step.With.Render, step.Retry, step.Timeout, final)
    {
        SkipWhen = step.SkipWhen, Undo = step.Undo, Node = node, Mode = step.Mode, Approval = step.Approval ?? Playbook.Approval,
    };

    private RunDecision? MainStep(RunState state, RunView view)
    {
        foreach (var step in Playbook.Steps)
        {
            var s = state.Step(step.Id) ?? new StepState(step.Id, step.Action);
            if (!s.Over) return StepDecision(state, view, step, s, final: false);
            // What containment was to hold back went with its node.
            var tolerated = step.ContinueOnError || (s.TargetGone && (step.OutcomeIsUsed || Risk(step.Action) == RiskClass.Contain));
            if (s.Phase is StepPhase.Failed or StepPhase.TimedOut && !tolerated)
                return Fail(state, view, $"step {step.Id} failed: {s.Reason}", RollbackCause.StepFailed);
        }

        return null;
    }

    private RunDecision StepDecision(RunState state, RunView view, Step step, StepState s, bool final) =>
        step.On.Many ? ManyDecision(state, view, step, s, final) : OneDecision(state, view, PlanOf(step, final), s);

    private RunDecision OneDecision(RunState state, RunView view, Plan plan, StepState s)
    {
        if (s.Phase is not (StepPhase.Running or StepPhase.Unknown)) return Ready(state, view, plan, s, reserved: false);
        var gone = Gone(view, s.Node!);
        if (gone && !IsAnywhere(s.Action))
            return Events(new StepFailed { At = view.Now, StepId = plan.Id, Reason = $"node {s.Node} left the cluster before it answered", TargetGone = true, Unknown = true });
        var end = s.Phase == StepPhase.Running ? s.Deadline!.Value : state.TakenOverAt + plan.Timeout;
        if (s.Phase == StepPhase.Running && view.Now < end && !gone)
            return new([], [new RunCommand.Dispatch(s.Key!, state.Epoch, s.Action, s.Input!.Value, false, s.Node!, end, null, default, s.Attempt) { ApprovedBy = s.ApprovedBy, ApprovedByDefault = s.ApprovedByDefault }], end);
        end += AnswerGrace;
        if (s.Phase == StepPhase.Running && view.Now < end && !gone) return Wait(end);
        if (plan.Bounded && view.Now >= end)
            return Events(Failure(state, plan, s, view.Now, $"no answer within {new Duration(plan.Timeout)}", timedOut: true, unknown: true));

        // No answer is no outcome: an unreachable target uses up the run's time-out, not the step's attempts.
        return new([], [new RunCommand.Resolve(s.Key!, state.Epoch, s.Action, s.Input!.Value, false, Reachable(view, s.Node!), s.Attempt)], plan.Bounded ? end : null);
    }

    /// <summary>What stands between a step and its dispatch, in this order: condition, target, mode and approval, <c>skipWhen</c>, blast radius.</summary>
    private RunDecision Ready(RunState state, RunView view, Plan plan, StepState s, bool reserved)
    {
        if (s.RetryAt > view.Now) return Wait(s.RetryAt);
        var first = s is { Phase: StepPhase.Pending, Attempt: 0, ApprovedBy: null };
        var risk = Risk(plan.Action);
        if (first && state.ContainmentOnly && risk > RiskClass.Contain) return Skip(view, plan, "only containment acts in this run");

        var scope = Scope(state, view, plan);
        string? because = s.ApprovedBy is null ? null : $"approved by {s.ApprovedBy}";
        JsonElement input;
        try
        {
            if (first && plan.If is not null)
            {
                if (Told(state, plan.If) is { } told && view.Now < told) return Wait(told);
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

        var node = plan.Node ?? state.Start!.Node;
        if (Gone(view, node) && !IsAnywhere(plan.Action))
            return Events(new StepFailed { At = view.Now, StepId = plan.Id, Reason = $"node {node} left the cluster", TargetGone = true });
        var mode = Mode(view, plan, input);
        if (mode == OperatingMode.Propose && s.ApprovedBy is null)
            return AskApproval(state, view, plan, s, input, $"mode propose for {risk.ToString().ToLowerInvariant()}{Clause(because)}");
        if (s.Attempt == 0 && plan.SkipWhen is not null)
        {
            if (s.SkipHolds is null) return Measure(state, view, plan, scope);
            if (s.SkipHolds == true) return Skip(view, plan, $"not needed any more: {s.Reason}");
            because = because is null ? s.Reason : $"{because}; {s.Reason}";
        }

        if (mode == OperatingMode.Observe)
            return Events(new StepObserved { At = view.Now, StepId = plan.Id, Input = input, Reason = $"mode observe{Clause(because)}" });
        return !reserved && Reservation(view, plan, input) is { } asks
            ? new([], [asks], null)
            : Events(Dispatched(state, plan, view, input, s.Attempt + 1, because ?? s.Reason));
    }

    /// <summary>Asked without an end of its own: the answer bounds the wait, and the run's time-out bounds the lack of one.</summary>
    private RunCommand.Reserve? Reservation(RunView view, Plan plan, JsonElement input)
    {
        if (Playbook.Guards.BlastRadius is not { } radius || Risk(plan.Action) == RiskClass.None) return null;
        var touched = view.Touches(plan.Action, input);
        return touched.Principals.Count + touched.Kernels.Count == 0
            ? null
            : new RunCommand.Reserve(plan.Id, touched, radius.KernelLimit(view.Kernels), radius.Principals);
    }

    private RunDecision AskApproval(RunState state, RunView view, Plan plan, StepState s, JsonElement input, string reason)
    {
        if (s.Phase == StepPhase.AwaitingApproval && plan.Approval is { } approval && view.Now >= s.AwaitingSince + approval.Timeout)
        {
            return Events(new StepApprovalDecided
            {
                At = view.Now, StepId = plan.Id, Approved = approval.Approve, By = $"default, since nobody decided within {new Duration(approval.Timeout)}", ByDefault = true,
            });
        }

        // At the end of a run nobody waits for ever; before it the run's time-out bounds the wait and escalates.
        if (plan.Bounded && view.Now >= RunDeadline(state)) return Skip(view, plan, "nobody approved it in time");
        return s.Phase == StepPhase.AwaitingApproval
            ? Wait(Earlier(s.AwaitingSince + plan.Approval?.Timeout, plan.Bounded ? RunDeadline(state) : null))
            : Events(new StepApprovalRequested { At = view.Now, StepId = plan.Id, Input = input, Reason = reason });
    }

    /// <summary>When what was counted before this condition's turn has been told; null where it uses no such count.</summary>
    private DateTimeOffset? Told(RunState state, CompiledExpression condition) =>
        condition.Names.Any(_counted.Value.Contains) ? state.LastEventAt + CountLag : null;

    private static RunDecision Skip(RunView view, Plan plan, string reason) => Events(new StepSkipped { At = view.Now, StepId = plan.Id, Reason = reason });

    private static string Clause(string? because) => because is null ? "" : $"; {because}";

    private static StepDispatched Dispatched(RunState state, Plan plan, RunView view, JsonElement input, int attempt, string? because) => new()
    {
        At = view.Now,
        StepId = plan.Id,
        Attempt = attempt,
        Key = $"{state.Start!.RunId}/{plan.Id}",
        Action = plan.Action,
        Input = input,
        Node = Reachable(view, plan.Node ?? state.Start.Node),
        Undo = plan.Undo is not null,
        UndoAction = plan.Undo?.Action,
        Because = because,
        Deadline = view.Now + plan.Timeout,
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

    private EvaluationScope Scope(RunState state, RunView view, Plan? plan) => new()
    {
        Incident = view.Incident,
        Steps = state.Steps.Where(x => x.Output is not null).ToDictionary(x => x.Id, x => x.Output!.Value, StringComparer.Ordinal),
        Outcomes = state.Steps.Where(x => x.Over).ToDictionary(x => x.Id, x => x.Outcome!, StringComparer.Ordinal),
        Vars = Playbook.Vars,
        Run = JsonSerializer.SerializeToElement(new JsonObject
        {
            ["id"] = state.Start!.RunId, ["playbook"] = state.Start.Playbook, ["epoch"] = state.Epoch,
        }),
        Node = plan?.Node ?? state.Start.Node,
    };
}
