using System.ComponentModel;
using Guardian.Actors.Kernels;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions.BuiltIn;

/// <summary>Output of <c>kernels.throttle</c> and <c>kernels.pause</c>.</summary>
internal sealed record KernelRestrictionOutput(
    [property: Description("Kernels that are restricted now.")] IReadOnlyList<string> Kernels,
    [property: Description("The lease's end, RFC 3339, UTC.")] DateTimeOffset Until,
    [property: Description("Kernels that fit and were left alone, since their own remediation does not let Guardian act by itself; missing where there are none.")] IReadOnlyList<string>? Spared = null);

/// <summary>What throttle and pause share: a lease of the run on each kernel that fits. Its undo lifts those leases alone.</summary>
internal abstract class KernelRestriction<TInput>(ActionDependencies dependencies) : GuardianAction<TInput, KernelRestrictionOutput>
    where TInput : class
{
    public override RiskClass Risk => RiskClass.Contain;

    public override bool Leased => true;

    public override bool HasUndo => true;

    public override bool Idempotent => true;

    protected abstract bool Pauses { get; }

    /// <summary>The kernels that the input stands for.</summary>
    protected abstract KernelSelector Which(TInput input);

    /// <summary>The kernels that would be restricted, for as long as their lease.</summary>
    protected TouchedTargets Restricted(IReadOnlyList<string>? kernels, IReadOnlyList<string>? classes, Duration length) =>
        new([], dependencies.Kernels.Matching(KernelTargets.Which(kernels, classes)), length.Value);

    protected async Task<KernelRestrictionOutput> RestrictAsync(
        IReadOnlyList<string>? kernels, IReadOnlyList<string>? classes, int percent, Duration length, ActionContext context, CancellationToken cancellation)
    {
        var which = KernelTargets.Which(kernels, classes);
        dependencies.Kernels.Permit(dependencies.Kernels.Matching(which), context);
        var until = dependencies.Time.GetUtcNow() + length.Value;
        var answer = await Asking.OnceAsync<KernelAnswer>(dependencies.KernelSupervisor, new RestrictKernels
        {
            Which = which, Percent = percent, Until = until,
            By = context.RunId, Reason = $"{context.Playbook} for {context.IncidentKey}",
        }, cancellation).ConfigureAwait(false);
        return answer.Done
            ? new KernelRestrictionOutput(answer.Kernels, until, answer.Spared.Count > 0 ? answer.Spared : null)
            : throw new ActionFailedException($"no kernel was {(Pauses ? "paused" : "throttled")}: {answer.Reason}");
    }

    public override async Task UndoAsync(TInput input, KernelRestrictionOutput? output, ActionContext context, CancellationToken cancellation)
    {
        // Only this step's: another step of the run may hold other kernels. A lease that has lapsed meanwhile cannot be lifted, and need not be.
        var failures = new List<string>();
        foreach (var name in output?.Kernels ?? dependencies.Kernels.Matching(Which(input)))
        {
            var answer = await Asking.OnceAsync<KernelAnswer>(dependencies.KernelSupervisor,
                new LiftKernels { Name = name, Pauses = Pauses, By = context.RunId, Reason = "undo" }, cancellation).ConfigureAwait(false);
            if (answer is { Done: false, NotFound: false }) failures.Add(answer.Reason ?? name);
        }

        if (failures.Count > 0) throw new ActionFailedException(string.Join("; ", failures));
    }

    public override async Task<(OutcomeKind Kind, KernelRestrictionOutput? Output)> ProbeAsync(TInput input, ActionContext context, CancellationToken cancellation)
    {
        var all = await Asking.OnceAsync<KernelMitigations>(dependencies.KernelSupervisor, GetKernelMitigations.Instance, cancellation).ConfigureAwait(false);
        var mine = all.Items.Where(x => x.Owner == context.RunId && x.Effect == "pause" == Pauses).ToList();
        var wanted = dependencies.Kernels.Matching(Which(input));
        mine = [.. mine.Where(x => wanted.Contains(x.Target["kernel/".Length..], StringComparer.Ordinal))];
        return mine.Count < wanted.Count || mine.Count == 0
            ? (OutcomeKind.NotDone, null)
            : (OutcomeKind.Succeeded, new KernelRestrictionOutput([.. mine.Select(x => x.Target["kernel/".Length..])], mine[0].Until));
    }
}
