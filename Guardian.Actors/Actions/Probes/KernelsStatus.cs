using System.ComponentModel;
using Guardian.Actors.Kernels;
using Guardian.Playbooks.Yaml;

namespace Guardian.Actors.Actions.Probes;

/// <summary>Input of <c>kernels.status</c>.</summary>
internal sealed record KernelsStatusInput([property: Description("The kernel, as in incident.kernel.")] string Kernel);

/// <summary>Result of <c>kernels.status</c>.</summary>
internal sealed record KernelsStatusResult(
    [property: Description("waiting, starting, running, backing_off, stopping, stopped or crash_loop.")] string State,
    [property: Description("Every wanted replica runs.")] bool Running,
    [property: Description("Every running replica is heard, or is paused.")] bool Beating,
    [property: Description("Held still by a lease.")] bool Paused,
    [property: Description("Percent that it may use.")] int Percent,
    [property: Description("Replicas that run.")] int Replicas,
    [property: Description("Replicas wanted.")] int Wanted,
    [property: Description("Restarts since the node started.")] long Restarts);

/// <summary>How a kernel of this node is.</summary>
internal sealed class KernelsStatus(ActionDependencies dependencies) : GuardianProbe<KernelsStatusInput, KernelsStatusResult>
{
    public override string Name => "kernels.status";

    public override string Summary => "State, replicas and heartbeat of a kernel of this node.";

    public override Task<KernelsStatusResult> MeasureAsync(KernelsStatusInput input, CancellationToken cancellation)
    {
        if (dependencies.Kernels.Find(input.Kernel) is not { } kernel)
            throw new ActionFailedException($"there is no kernel '{input.Kernel}' on this node{Spelling.Hint(input.Kernel, dependencies.Kernels.All.Select(x => x.Name))}");
        var running = kernel.Instances.Where(x => x.State == KernelState.Running).ToList();
        return Task.FromResult(new KernelsStatusResult(
            YamlValues.Snake(kernel.State), kernel.State == KernelState.Running, running.Count > 0 && running.All(x => x.Heart is null || x.Heart.Beats),
            kernel.Paused, kernel.Percent, kernel.Jobs?.Workers ?? running.Count, kernel.Replicas.Count, kernel.Restarts));
    }
}
