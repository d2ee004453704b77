using Guardian.Actors.Kernels;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions.BuiltIn;

/// <summary>The kernels that an action is about, as its own node knows them.</summary>
internal static class KernelTargets
{
    /// <summary>Which kernels a list of names, of classes, or both stand for. Who names none leaves out those that do not consent.</summary>
    public static KernelSelector Which(IReadOnlyList<string>? names, IReadOnlyList<string>? classes) =>
        new() { Names = names ?? [], Classes = classes ?? [], Consenting = names is not { Count: > 0 } };

    /// <summary>What the selector stands for here. A name that is not known here counts: its kernel may be on another node.</summary>
    public static IReadOnlyList<string> Matching(this IKernelDirectory kernels, KernelSelector which) => which.Names.Count > 0
        ? [.. which.Names.Distinct(StringComparer.Ordinal).Where(x => kernels.Find(x) is not { } view || which.Fits(view))]
        : [.. kernels.All.Where(which.Fits).Select(x => x.Name)];

    /// <summary>
    /// The word of the kernels that are named, where they are declared: the run that asked may be on a node that does not know them. What takes
    /// back an effect is not asked.
    /// </summary>
    /// <exception cref="ActionFailedException">One of them does not permit it.</exception>
    public static void Permit(this IKernelDirectory kernels, IEnumerable<string> names, ActionContext context)
    {
        if (context.Compensates) return;
        foreach (var name in names)
            if (KernelConsent.Refusal(name, kernels.Find(name)?.Remediation, context.ApprovedBy is not null) is { } refusal) throw new ActionFailedException(refusal);
    }

    /// <summary>One kernel, which is named.</summary>
    public static TouchedTargets One(string kernel) => new([], [kernel], null);
}
