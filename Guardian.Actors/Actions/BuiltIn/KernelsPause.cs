using System.ComponentModel;
using Guardian.Actors.Kernels;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions.BuiltIn;

/// <summary>Input of <c>kernels.pause</c>.</summary>
internal sealed record KernelsPauseInput(
    [property: Description("Length of the lease.")] Duration For,
    [property: Description("Kernels of these classes.")] IReadOnlyList<string>? Classes = null,
    [property: Description("These kernels; a critical one is paused only where it is named.")] IReadOnlyList<string>? Kernels = null);

/// <summary>Holds kernels still for a while: processes are stopped, jobs stay queued, actors are told.</summary>
internal sealed class KernelsPause(ActionDependencies dependencies) : KernelRestriction<KernelsPauseInput>(dependencies)
{
    public override string Name => "kernels.pause";

    public override string Summary => "Pauses kernels of given classes until the lease ends.";

    protected override bool Pauses => true;

    protected override KernelSelector Which(KernelsPauseInput input) => KernelTargets.Which(input.Kernels, input.Classes);

    public override TouchedTargets Touches(KernelsPauseInput input) =>
        input.Classes is { Count: > 0 } || input.Kernels is { Count: > 0 } ? Restricted(input.Kernels, input.Classes, input.For) : TouchedTargets.None;

    public override Task<KernelRestrictionOutput> ExecuteAsync(KernelsPauseInput input, ActionContext context, CancellationToken cancellation) =>
        input.Classes is { Count: > 0 } || input.Kernels is { Count: > 0 }
            ? RestrictAsync(input.Kernels, input.Classes, 0, input.For, context, cancellation)
            : throw new ActionFailedException("name 'classes' or 'kernels': without either every kernel would be paused");
}
