using System.ComponentModel;
using Guardian.Actors.Bus;

namespace Guardian.Actors.Actions.Probes;

/// <summary><c>bus.health</c> takes no input.</summary>
internal sealed record BusHealthInput;

/// <summary>Result of <c>bus.health</c>.</summary>
internal sealed record BusHealthResult(
    [property: Description("Topics responsive, nothing stuck.")] bool Healthy,
    [property: Description("Restarts since the node started.")] long Restarts,
    [property: Description("Messages accepted and not yet delivered.")] long Queued,
    [property: Description("Messages parked because they crashed their handler.")] int Parked);

/// <summary>Whether the node's bus answers and moves its messages.</summary>
internal sealed class BusHealthProbe(ActionDependencies dependencies) : GuardianProbe<BusHealthInput, BusHealthResult>
{
    public override string Name => "bus.health";

    public override string Summary => "Health of the node's bus.";

    // The bus spans the nodes: where one left, it goes on with those that are left.
    public override bool Anywhere => true;

    public override async Task<BusHealthResult> MeasureAsync(BusHealthInput input, CancellationToken cancellation)
    {
        var health = await Asking.OnceAsync<BusHealth>(dependencies.Bus, GetBusHealth.Instance, cancellation).ConfigureAwait(false);
        return new BusHealthResult(health.Healthy, health.Restarts, health.Queued, health.Parked);
    }
}
