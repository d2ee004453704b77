using System.ComponentModel;
using Guardian.Actors.Kernels;
using Guardian.Playbooks.Execution;
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
    [property: Description("The kernels, each as name=before:after.")] IReadOnlyList<string> Kernels,
    [property: Description("Kernels that fit and were left alone, since their own remediation does not let Guardian act by itself; missing where there are none.")] IReadOnlyList<string>? Spared = null);

/// <summary>
/// Changes the number of replicas within each kernel's bounds, each kernel once under the step's key. The kernels know what they changed
/// under it: undo and probe need no output, which a step that ran out of time does not have.
/// </summary>
internal sealed class KernelsScale(ActionDependencies dependencies) : GuardianAction<KernelsScaleInput, KernelsScaleOutput>
{
    public override string Name => "kernels.scale";

    public override string Summary => "Adds or removes replicas within the bounds of the kernels.";

    public override RiskClass Risk => RiskClass.Disrupt;

    public override bool HasUndo => true;

    /// <summary>No more kernels than it may change: those that would be asked first and have room.</summary>
    public override TouchedTargets Touches(KernelsScaleInput input)
    {
        if (input.Kernel is { } named) return KernelTargets.One(named);
        var left = Math.Abs((long)input.Change);
        var touched = new List<string>();
        foreach (var kernel in Candidates(input).Select(dependencies.Kernels.Find).OfType<KernelView>())
        {
            var (count, min, max) = kernel.Replicas;
            var room = Math.Max(0, input.Change < 0 ? count - min : max - count);
            if (left <= 0) break;
            if (room == 0) continue;
            touched.Add(kernel.Name);
            left -= room;
        }

        return new([], touched, null);
    }

    public override async Task<KernelsScaleOutput> ExecuteAsync(KernelsScaleInput input, ActionContext context, CancellationToken cancellation)
    {
        if (input.Kernel is { } named) dependencies.Kernels.Permit([named], context);
        var spared = Spared(input);
        var left = input.Change;
        var changed = new List<string>();
        string? refusal = null;
        foreach (var kernel in Candidates(input))
        {
            if (left == 0) break;
            var answer = await AskAsync(new ScaleKernel { Name = kernel, Change = left, Key = context.ActKey, By = context.RunId, Reason = $"{context.Playbook} for {context.IncidentKey}" }, cancellation).ConfigureAwait(false);
            refusal = answer.Reason;
            if (!answer.Done) continue;
            left -= answer.Replicas.After - answer.Replicas.Before;
            changed.Add(Show(kernel, answer));
        }

        return changed.Count > 0
            ? new KernelsScaleOutput(input.Change - left, changed, spared.Count > 0 ? spared : null)
            : throw new ActionFailedException($"nothing was scaled: {refusal ?? "no kernel that is not critical fits"}{(spared.Count > 0 ? $"; left alone for their own remediation: {string.Join(", ", spared)}" : "")}");
    }

    public override async Task UndoAsync(KernelsScaleInput input, KernelsScaleOutput? output, ActionContext context, CancellationToken cancellation)
    {
        var answers = await AskAllAsync(x => new ScaleKernel { Name = x, Key = context.ActKey, TakeBack = true, By = context.RunId, Reason = "undo" }, cancellation).ConfigureAwait(false);
        if (answers.FirstOrDefault(x => !x.Done && !x.NotFound) is { } failed) throw new ActionFailedException($"a kernel was not scaled back: {failed.Reason}");
    }

    public override async Task<(OutcomeKind Kind, KernelsScaleOutput? Output)> ProbeAsync(KernelsScaleInput input, ActionContext context, CancellationToken cancellation)
    {
        var answers = await AskAllAsync(x => new FindScale { Name = x, Key = context.ActKey, By = context.RunId, Reason = "probe" }, cancellation).ConfigureAwait(false);
        if (answers.Any(x => !x.Done && !x.NotFound)) return (OutcomeKind.Unknown, null);
        var done = answers.Where(x => x.Done).ToList();
        return done.Count == 0
            ? (OutcomeKind.NotDone, null)
            : (OutcomeKind.Succeeded, new KernelsScaleOutput(done.Sum(x => x.Replicas.After - x.Replicas.Before), [.. done.Select(x => Show(x.Kernels[0], x))]));
    }

    private static string Show(string kernel, KernelAnswer answer) => FormattableString.Invariant($"{kernel}={answer.Replicas.Before}:{answer.Replicas.After}");

    private Task<KernelAnswer[]> AskAllAsync(Func<string, KernelCommand> command, CancellationToken cancellation) =>
        Task.WhenAll(dependencies.Kernels.All.Select(x => AskAsync(command(x.Name), cancellation)));

    private List<string> Candidates(KernelsScaleInput input) => input.Kernel is { } named
        ? [named]
        : dependencies.Kernels.All.Where(KernelTargets.Which(null, input.Classes).Fits)
            .OrderByDescending(x => x.Criticality).ThenByDescending(x => x.Replicas.Count).Select(x => x.Name).ToList();

    private IReadOnlyList<string> Spared(KernelsScaleInput input)
    {
        var which = KernelTargets.Which(null, input.Classes);
        return input.Kernel is null ? [.. dependencies.Kernels.All.Where(which.Spares).Select(x => x.Name)] : [];
    }

    private Task<KernelAnswer> AskAsync(KernelCommand command, CancellationToken cancellation) =>
        Asking.OnceAsync<KernelAnswer>(dependencies.KernelSupervisor, command, cancellation);
}
