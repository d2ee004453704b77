using System.Text.Json;
using Guardian.Playbooks.Model;

namespace Guardian.Playbooks.Execution;

public sealed partial class RunMachine
{
    /// <summary>What the vocabulary does not know is taken to be of the worst class.</summary>
    private RiskClass Risk(string action) => Vocabulary.Actions.TryGetValue(action, out var spec) ? spec.Risk : RiskClass.Destroy;

    private bool IsIdempotent(string action) => Vocabulary.Actions.TryGetValue(action, out var spec) && spec.Idempotent;

    private bool IsAnywhere(string action) => Vocabulary.Actions.TryGetValue(action, out var spec) && spec.Anywhere;

    /// <summary>
    /// How far a step may act: the strictest of the global mode, its class, the playbook, the step and the kernels it is about. A kernel that
    /// opted in with <c>remediation: enforce</c> lifts the class destroy from propose to what the global mode permits, and nothing else.
    /// What has no effect on what is guarded acts unless everything is only observed, or the step itself says otherwise.
    /// </summary>
    private OperatingMode Mode(RunView view, Plan plan, JsonElement input)
    {
        var risk = Risk(plan.Action);
        if (risk == RiskClass.None)
        {
            var observed = Strictest(view.Autonomy(risk), Playbook.Mode) == OperatingMode.Observe;
            return observed ? OperatingMode.Observe : plan.Mode;
        }

        var allowed = view.Autonomy(risk);
        OperatingMode?[] kernels = [.. view.Touches(plan.Action, input).Kernels.Select(view.Remediation)];
        if (risk == RiskClass.Destroy && allowed == OperatingMode.Propose && kernels.Length > 0 && kernels.All(x => x == OperatingMode.Enforce))
            allowed = view.Global;
        return kernels.Aggregate(Strictest(Strictest(allowed, Playbook.Mode), plan.Mode), (a, b) => Strictest(a, b ?? a));
    }

    private static OperatingMode Strictest(OperatingMode a, OperatingMode b) => a < b ? a : b;

    /// <summary>A node that is known to have left; where the cluster is not known every node is taken to be there.</summary>
    private static bool Gone(RunView view, string node) => view.Nodes is { } nodes && nodes.All(x => x.Name != node);

    /// <summary>The node, or, where it left, the one that carries the run.</summary>
    private static string Reachable(RunView view, string node) => Gone(view, node) ? view.Self ?? node : node;
}
