using Akka.Actor;
using Akka.Cluster;
using Guardian.Actors.Mitigations;
using Guardian.Actors.Kernels;
using Guardian.Actors.Leasekeeping;
using Guardian.Actors.Monitoring;
using Guardian.Actors.Resources;

namespace Guardian.Actors.Actions;

/// <summary>What the built-in actions and probes work on.</summary>
internal sealed record ActionDependencies
{
    /// <summary>The node's Blacklist.</summary>
    public required IActorRef Blacklist { get; init; }

    /// <summary>The node's MessageBus.</summary>
    public required IActorRef Bus { get; init; }

    /// <summary>Shard region of the outbox.</summary>
    public required IActorRef Outbox { get; init; }

    /// <summary>The node's clock.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>Violations of a subject (principal or topic) within the window, as the AclViolationMonitor counts them.</summary>
    public required Func<string, TimeSpan, CancellationToken, Task<long>> CountViolations { get; init; }

    /// <summary>The node's KernelSupervisor.</summary>
    public IActorRef KernelSupervisor { get; init; } = ActorRefs.Nobody;

    /// <summary>The node's WorkScheduler.</summary>
    public IActorRef Scheduler { get; init; } = ActorRefs.Nobody;

    /// <summary>The node's kernels.</summary>
    public IKernelDirectory Kernels { get; init; } = new KernelDirectory();

    /// <summary>Leases on the operating system: taken before the effect.</summary>
    public ILeasekeeper Leasekeeper { get; init; } = new NoLeasekeeper("no node runs here");

    /// <summary>Measurements of the machine and its processes.</summary>
    public ResourceMeter Resources { get; init; } = ResourceMeter.None;

    /// <summary>What <c>disk.clean</c> may delete.</summary>
    public CleanOptions Clean { get; init; } = new();

    /// <summary>The node's probes, for actions that measure.</summary>
    public ProbeTable Probes { get; init; } = new();

    /// <summary>Limits of this node's API.</summary>
    public ApiLimits ApiLimits { get; init; } = new(TimeProvider.System);

    /// <summary>The cluster as this node sees it; null where there is none.</summary>
    public Func<ClusterEvent.CurrentClusterState>? ClusterState { get; init; }

    /// <summary>The nodes that run Guardian and what they say of their configuration; null while this one is no member.</summary>
    public Func<SeenCluster?> Cluster { get; init; } = static () => null;

    /// <summary>Where relative addresses of <c>http.get</c> belong to: this node's own API; null while it is not known.</summary>
    public Func<Uri?> HttpBase { get; init; } = static () => null;

    /// <summary>Hosts besides loopback and <see cref="HttpBase"/> that <c>http.get</c> may ask.</summary>
    public IReadOnlyCollection<string> HttpAllowedHosts { get; init; } = [];
}

/// <summary>The registered probes as an action sees them: they are known once all actions are made.</summary>
internal sealed class ProbeTable
{
    private GuardianRegistry? _registry;

    public void Use(GuardianRegistry registry) => _registry = registry;

    /// <summary>Null where there is none of this name.</summary>
    public ProbeBinding? Find(string name) => _registry is not null && _registry.TryGetProbe(name, out var probe) ? probe : null;
}
