using System.ComponentModel;
using Guardian.Actors.Kernels;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions.BuiltIn;

/// <summary>Input of <c>kernels.scale</c>.</summary>
internal sealed record KernelsScaleInput(
    [property: Description("Replicas more, or with a minus fewer; in all where no kernel is named.")] int Change,
    [property: Description("The kernel; missing: kernels that are not critical, the background ones first.")] string? Kernel = null,
    [property: Description("Only kernels of these classes.")] IReadOnlyList<string>? Classes = null);

/// <summary>Output of <c>kernels.scale</c>.</summary>
internal sealed record KernelsScaleOutput(
    [property: Description("Replicas more, or with a minus fewer.")] int Change,
    [property: Description("The kernels, each as name=before:after.")] IReadOnlyList<string> Kernels);

/// <summary>Changes the number of replicas within each kernel's bounds. Its undo scales back to what was before.</summary>
internal sealed class KernelsScale(ActionDependencies dependencies) : GuardianAction<KernelsScaleInput, KernelsScaleOutput>
{
    public override string Name => "kernels.scale";

    public override string Summary => "Adds or removes replicas within the bounds of the kernels.";

    public override RiskClass Risk => RiskClass.Disrupt;

    public override bool HasUndo => true;

    public override async Task<KernelsScaleOutput> ExecuteAsync(KernelsScaleInput input, ActionContext context, CancellationToken cancellation)
    {
        var left = input.Change;
        var changed = new List<string>();
        string? refusal = null;
        foreach (var kernel in Candidates(input))
        {
            if (left == 0) break;
            var answer = await AskAsync(new ScaleKernel { Name = kernel, Change = left, By = context.RunId, Reason = $"{context.Playbook} for {context.IncidentKey}" }, cancellation).ConfigureAwait(false);
            refusal = answer.Reason;
            if (!answer.Done) continue;
            left -= answer.Replicas.After - answer.Replicas.Before;
            changed.Add(FormattableString.Invariant($"{kernel}={answer.Replicas.Before}:{answer.Replicas.After}"));
        }

        return changed.Count > 0
            ? new KernelsScaleOutput(input.Change - left, changed)
            : throw new ActionFailedException($"nothing was scaled: {refusal ?? "no kernel that is not critical fits"}");
    }

    public override async Task UndoAsync(KernelsScaleInput input, KernelsScaleOutput? output, ActionContext context, CancellationToken cancellation)
    {
        if (output is null) throw new ActionFailedException("how many replicas there were is not known; scale by hand: guardian kernels scale");
        foreach (var entry in output.Kernels)
        {
            var name = entry[..entry.LastIndexOf('=')];
            var before = int.Parse(entry[(entry.LastIndexOf('=') + 1)..].Split(':')[0], System.Globalization.CultureInfo.InvariantCulture);
            var answer = await AskAsync(new ScaleKernel { Name = name, To = before, By = context.RunId, Reason = "undo" }, cancellation).ConfigureAwait(false);
            if (!answer.Done && !answer.NotFound) throw new ActionFailedException($"'{name}' was not scaled back to {before}: {answer.Reason}");
        }
    }

    private List<string> Candidates(KernelsScaleInput input) => input.Kernel is { } named
        ? [named]
        : dependencies.Kernels.All.Where(x => x.Criticality != KernelCriticality.Critical && (input.Classes is not { Count: > 0 } || input.Classes.Contains(x.Class)))
            .OrderByDescending(x => x.Criticality).ThenByDescending(x => x.Replicas.Count).Select(x => x.Name).ToList();

    private Task<KernelAnswer> AskAsync(ScaleKernel scale, CancellationToken cancellation) =>
        Asking.OnceAsync<KernelAnswer>(dependencies.KernelSupervisor, scale, cancellation);
}
