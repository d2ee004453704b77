using System.Text.Json;
using System.Text.Json.Nodes;
using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;

namespace Guardian.Playbooks.Execution;

public sealed partial class RunMachine
{
    /// <summary>
    /// A step that goes to many nodes: its condition is tested once, then each node is a step of its own, all at once. It succeeded where it
    /// did on every node that is still there; a node that left meanwhile is no failure unless all did.
    /// </summary>
    private RunDecision ManyDecision(RunState state, RunView view, Step step, StepState s, bool final)
    {
        if (s.Nodes is not { } nodes) return Target(state, view, step, final);
        List<RunEvent> events = [];
        List<RunCommand> commands = [];
        DateTimeOffset? wake = null;
        foreach (var node in nodes)
        {
            var plan = PlanOf(step, final, node);
            var one = state.Step(plan.Id) ?? new StepState(plan.Id, plan.Action);
            if (one.Over) continue;
            var decision = OneDecision(state, view, plan, one);
            events.AddRange(decision.Events);
            commands.AddRange(decision.Commands);
            wake = Earlier(wake, decision.WakeAt);
        }

        if (events.Count > 0) return Events(events);
        return nodes.All(x => state.Step($"{step.Id}@{x}")!.Over) ? Events(Sum(state, step, nodes, view.Now)) : new([], commands, wake);
    }

    private RunDecision Target(RunState state, RunView view, Step step, bool final)
    {
        var plan = PlanOf(step, final);
        if (state.ContainmentOnly && Risk(step.Action) > RiskClass.Contain) return Skip(view, plan, "only containment acts in this run");
        var scope = Scope(state, view, plan);
        try
        {
            if (step.If is not null && Told(state, step.If) is { } told && view.Now < told) return Wait(told);
            if (step.If?.Test(scope) == false) return Skip(view, plan, step.If.Explain(scope));
        }
        catch (EvaluationException e)
        {
            return Events(new StepFailed { At = view.Now, StepId = step.Id, Reason = e.Message });
        }

        var known = view.Nodes ?? [new TargetNode(view.Self ?? state.Start!.Node, [])];
        string[] nodes = [.. known.Where(x => step.On.Role is null || x.Roles.Contains(step.On.Role)).Select(x => x.Name).Order(StringComparer.Ordinal)];
        return nodes.Length == 0
            ? Events(new StepFailed { At = view.Now, StepId = step.Id, Reason = $"no node is '{step.On}'", TargetGone = true })
            : Events(new StepTargeted { At = view.Now, StepId = step.Id, Nodes = nodes });
    }

    private static RunEvent Sum(RunState state, Step step, IReadOnlyList<string> nodes, DateTimeOffset now)
    {
        (string Node, StepState State)[] all = [.. nodes.Select(x => (x, state.Step($"{step.Id}@{x}")!))];
        string List(Func<StepState, bool> which) => string.Join("; ", all.Where(x => which(x.State)).Select(x => $"{x.Node}: {x.State.Reason}"));
        if (all.Any(x => x.State.Outcome is "failed" or "timed_out"))
            return new StepFailed { At = now, StepId = step.Id, Reason = List(x => x.Outcome is "failed" or "timed_out") };
        if (all.Any(x => x.State.Phase == StepPhase.Succeeded))
            return new StepSucceeded { At = now, StepId = step.Id, Output = Outputs(all) };
        if (all.Any(x => x.State.TargetGone))
            return new StepFailed { At = now, StepId = step.Id, Reason = List(x => x.TargetGone), TargetGone = true };
        return all.Any(x => x.State.Observed)
            ? new StepObserved { At = now, StepId = step.Id, Input = NoInput, Reason = $"observed on {string.Join(", ", nodes)}" }
            : new StepSkipped { At = now, StepId = step.Id, Reason = List(_ => true) };
    }

    private static JsonElement Outputs((string Node, StepState State)[] all) => JsonSerializer.SerializeToElement(new JsonObject
    {
        ["nodes"] = new JsonArray([.. all.Select(x => (JsonNode)new JsonObject
        {
            ["node"] = x.Node, ["outcome"] = x.State.Outcome, ["output"] = x.State.Output is { } output ? JsonNode.Parse(output.GetRawText()) : null,
        })]),
    });

    /// <summary>The step of the definition that a step of the run belongs to, and its node where that is one of many.</summary>
    private (Step? Step, string? Node, bool Final) Declared(string id)
    {
        var at = id.IndexOf('@', StringComparison.Ordinal);
        var (name, node) = at < 0 ? (id, null) : (id[..at], id[(at + 1)..]);
        return Playbook.Steps.FirstOrDefault(x => x.Id == name) is { } step ? (step, node, false) : (Playbook.Finally.FirstOrDefault(x => x.Id == name), node, true);
    }
}
