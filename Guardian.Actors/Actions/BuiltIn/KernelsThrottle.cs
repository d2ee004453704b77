using System.ComponentModel;
using Guardian.Actors.Kernels;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions.BuiltIn;

/// <summary>Input of <c>kernels.throttle</c>.</summary>
internal sealed record KernelsThrottleInput(
    [property: Description("Percent of its workers, or of the CPU that it uses. 1 to 99.")] int Percent,
    [property: Description("Length of the lease.")] Duration For,
    [property: Description("Only kernels of these classes.")] IReadOnlyList<string>? Classes = null,
    [property: Description("Only these kernels; a critical one is throttled only where it is named.")] IReadOnlyList<string>? Kernels = null);

/// <summary>Lets kernels do less for a while: fewer jobs at once, or less CPU.</summary>
internal sealed class KernelsThrottle(ActionDependencies dependencies) : KernelRestriction<KernelsThrottleInput>(dependencies)
{
    public override string Name => "kernels.throttle";

    public override string Summary => "Throttles non-critical kernels to a percentage of their workers or CPU until the lease ends.";

    protected override bool Pauses => false;

    protected override KernelSelector Which(KernelsThrottleInput input) => KernelTargets.Which(input.Kernels, input.Classes);

    public override TouchedTargets Touches(KernelsThrottleInput input) => Restricted(input.Kernels, input.Classes, input.For);

    public override Task<KernelRestrictionOutput> ExecuteAsync(KernelsThrottleInput input, ActionContext context, CancellationToken cancellation) => input.Percent is >= 1 and <= 99
        ? RestrictAsync(input.Kernels, input.Classes, input.Percent, input.For, context, cancellation)
        : throw new ActionFailedException($"'percent' is from 1 to 99, not {input.Percent}; kernels.pause holds a kernel still");
}
