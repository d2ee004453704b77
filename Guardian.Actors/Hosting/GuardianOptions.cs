using Guardian.Actors.Actions;
using Guardian.Actors.Autonomy;
using Guardian.Actors.Blacklisting;
using Guardian.Actors.Bus;
using Guardian.Actors.Chaos;
using Guardian.Actors.Chaos.Faults;
using Guardian.Actors.Incidents;
using Guardian.Actors.Kernels;
using Guardian.Actors.Leasekeeping;
using Guardian.Actors.Monitoring;
using Guardian.Actors.Notifications;
using Guardian.Actors.Persistence;
using Guardian.Actors.Relay;
using Guardian.Actors.Replay;
using Guardian.Actors.Resources;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Hosting;

/// <summary>All options of Guardian: section <c>Guardian</c>. Each has a default and is validated at start.</summary>
public sealed class GuardianOptions
{
    /// <summary>Who this node is and where it keeps its data.</summary>
    public NodeOptions Node { get; set; } = new();

    /// <summary>Used by Guardian.Host; an embedding application configures its cluster itself.</summary>
    public ClusterOptions Cluster { get; set; } = new();

    /// <summary>The journal.</summary>
    public PersistenceOptions Persistence { get; set; } = new();

    /// <summary>How long what is over is kept.</summary>
    public RetentionOptions Retention { get; set; } = new();

    /// <summary>The HTTP API.</summary>
    public HttpOptions Http { get; set; } = new();

    /// <summary>Management of the cluster over HTTP.</summary>
    public ManagementOptions Management { get; set; } = new();

    /// <summary>Policy, playbooks, scenarios.</summary>
    public FileOptions Files { get; set; } = new();

    /// <summary>How far Guardian may act by itself. The strictest of mode, class, playbook and kernel wins.</summary>
    public OperatingMode Mode { get; set; } = OperatingMode.Enforce;

    /// <summary>Autonomy by risk class.</summary>
    public AutonomyOptions Autonomy { get; set; } = new();

    /// <summary>Detection.</summary>
    public MonitorOptions Monitors { get; set; } = new();

    /// <summary>The bus.</summary>
    public BusOptions Bus { get; set; } = new();

    /// <summary>The bus between nodes.</summary>
    public RelayOptions Relay { get; set; } = new();

    /// <summary>Bans.</summary>
    public BlacklistOptions Blacklist { get; set; } = new();

    /// <summary>Incidents and runs.</summary>
    public IncidentOptions Incidents { get; set; } = new();

    /// <summary>Where notifications go.</summary>
    public NotificationOptions Notifications { get; set; } = new();

    /// <summary>What may be deleted when a disk is full.</summary>
    public CleanOptions Clean { get; set; } = new();

    /// <summary>A trace of what the detectors are told.</summary>
    public RecordOptions Record { get; set; } = new();

    /// <summary>Where tickets go.</summary>
    public TaskOptions Tasks { get; set; } = new();

    /// <summary>Secrets that playbooks may name as <c>secrets.&lt;name&gt;</c>.</summary>
    public IDictionary<string, SecretOptions> Secrets { get; set; } = new Dictionary<string, SecretOptions>(StringComparer.Ordinal);

    /// <summary>Effects on the operating system.</summary>
    public LeasekeeperOptions Leasekeeper { get; set; } = new();

    /// <summary>Kernels: those that the application declares in code, and what holds for all.</summary>
    public KernelsOptions Kernels { get; set; } = new();

    /// <summary>Chaos on a running node.</summary>
    public ChaosOptions Chaos { get; set; } = new();

    /// <inheritdoc cref="KernelsOptions.Watch(Akka.Actor.IActorRef, object, Func{Akka.Actor.IActorRef, Task{Akka.Actor.IActorRef}}, Action{KernelSettings})"/>
    public void Watch(Akka.Actor.IActorRef actor, object ping, Func<Akka.Actor.IActorRef, Task<Akka.Actor.IActorRef>>? restart = null, Action<KernelSettings>? configure = null) =>
        Kernels.Watch(actor, ping, restart, configure);

    /// <summary>Actions that the application adds; set in code. Playbooks may name them at once.</summary>
    public IList<IGuardianAction> Actions { get; } = [];

    /// <summary>Probes that the application adds; set in code.</summary>
    public IList<IGuardianProbe> Probes { get; } = [];

    /// <summary>Faults that the application adds; set in code. Scenarios that run on its node may name them at once.</summary>
    public IList<IChaosFault> Faults { get; } = [];

    /// <summary>Kinds of incident that the application raises; set in code.</summary>
    public IList<IncidentType> IncidentTypes { get; } = [];

    /// <summary>How to start this program as a leasekeeper; null where the application is not Guardian.Host.</summary>
    internal GuardianProgram? Executable { get; set; }
}
