using Akka.Actor;
using Guardian.Actors.Actions;
using Guardian.Actors.Autonomy;
using Guardian.Actors.Blacklisting;
using Guardian.Actors.Bus;
using Guardian.Actors.Chaos;
using Guardian.Actors.Kernels;
using Guardian.Actors.Leasekeeping;
using Guardian.Actors.Notifications;
using Guardian.Actors.Persistence;
using Guardian.Actors.Silencing;
using Guardian.Actors.Resources;
using Guardian.Actors.Scheduling;
using Guardian.Actors.Switches;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;

namespace Guardian.Actors.Hosting;

/// <summary>Guardian on this node: the one object that HTTP, the command line and an embedding application hold.</summary>
public sealed class GuardianSystem
{
    internal GuardianSystem(GuardianParts parts) => Parts = parts;

    /// <summary>The Guardian of this actor system.</summary>
    /// <exception cref="InvalidOperationException">It has none, is disabled, or has not started yet.</exception>
    public static GuardianSystem For(ActorSystem system) => TryGet(system)
        ?? throw new InvalidOperationException(Access(system).Disabled is { } reason
            ? "Guardian is disabled: " + reason
            : "Guardian has not started; call WithGuardian on the Akka builder and wait for the application's start");

    /// <summary>The Guardian of this actor system; null while it starts and where it is disabled.</summary>
    public static GuardianSystem? TryGet(ActorSystem system) => Access(system).Current;

    internal static GuardianAccess Access(ActorSystem system) => GuardianAccessId.Instance.Apply(system);

    internal GuardianParts Parts { get; }

    /// <summary>The node's bus.</summary>
    public IMessageBus Bus => Parts.Bus;

    /// <summary>This node's name.</summary>
    public string NodeName => Parts.NodeName;

    /// <summary>The options in force.</summary>
    public GuardianOptions Options => Parts.Options;

    /// <summary>Absolute path of the data directory.</summary>
    public string DataDirectory => Parts.DataDirectory;

    /// <summary>When this process started, UTC.</summary>
    public DateTimeOffset StartedAt => Parts.StartedAt;
}

/// <summary>What a running Guardian is made of.</summary>
internal sealed record GuardianParts
{
    public required IMessageBus Bus { get; init; }
    public required string NodeName { get; init; }
    public required GuardianOptions Options { get; init; }
    public required string DataDirectory { get; init; }
    public required DateTimeOffset StartedAt { get; init; }
    public required TimeProvider Time { get; init; }

    /// <summary><see cref="StartedAt"/> as a timestamp of <see cref="Time"/>: the wall clock may jump.</summary>
    public required long Started { get; init; }
    public required BanView Bans { get; init; }
    public required ModeView Mode { get; init; }
    public required IReadModel ReadModel { get; init; }
    public required Func<BusCounters> Counters { get; init; }

    /// <summary>A port for an HTTP client that was authenticated as this principal.</summary>
    public required Func<string, BusPort> ClientPort { get; init; }

    /// <summary>MessageBus.</summary>
    public required IActorRef BusActor { get; init; }

    /// <summary>The node's Blacklist.</summary>
    public required IActorRef Blacklist { get; init; }

    /// <summary>ModeReplica.</summary>
    public required IActorRef ModeActor { get; init; }

    /// <summary>Shard region of incidents.</summary>
    public required IActorRef Incidents { get; init; }

    /// <summary>Shard region of guards: locks, quotas, circuit breakers, see <c>GuardsProtocol.cs</c>.</summary>
    public IActorRef Guards { get; init; } = ActorRefs.Nobody;

    /// <summary>NodeAgent.</summary>
    public required IActorRef Agent { get; init; }

    /// <summary>Hears of every stored event of the node's runs.</summary>
    public Runs.RunTap RunTap { get; init; } = new();

    /// <summary>Leases on the operating system.</summary>
    public ILeasekeeper Leasekeeper { get; init; } = new NoLeasekeeper("not started");

    /// <summary>KernelSupervisor.</summary>
    public IActorRef KernelsActor { get; init; } = ActorRefs.Nobody;

    /// <summary>WorkScheduler.</summary>
    public IActorRef Scheduler { get; init; } = ActorRefs.Nobody;

    /// <summary>How much the node begins now.</summary>
    public Func<SchedulerMode> SchedulerMode { get; init; } = () => default;

    /// <summary>The node's kernels.</summary>
    public IKernelDirectory Kernels { get; init; } = new KernelDirectory();

    /// <summary>Chaos inside this node; null in tests that have none.</summary>
    public NodeChaos? Chaos { get; init; }

    /// <summary>Name and one line of every child that is not ready; empty when all are.</summary>
    public required Func<IReadOnlyList<string>> NotReady { get; init; }

    /// <summary>The journal's health as measured last.</summary>
    public required Func<JournalHealth> Journal { get; init; }

    /// <summary>Entities whose journal this version cannot read, one line each.</summary>
    public Func<IReadOnlyList<string>> Parked { get; init; } = () => [];

    /// <summary>Messages and events that this version could not read, by manifest.</summary>
    public Func<IReadOnlyDictionary<string, long>> Unreadable { get; init; } = () => new Dictionary<string, long>();

    /// <summary>True for principals that the policy protects.</summary>
    public required Func<string, bool> IsProtected { get; init; }

    /// <summary>The access policy in force, and those before it; null where no bus runs here.</summary>
    internal Access.PolicyStore? Policies { get; init; }

    /// <summary>Hash of the policy in force.</summary>
    public required Func<string> PolicyHash { get; init; }

    /// <summary>Parent of the monitors; forwards to the AclViolationMonitor.</summary>
    public IActorRef Monitors { get; init; } = ActorRefs.Nobody;

    /// <summary>Completes with the reason why this node cannot go on; the host then ends the process.</summary>
    public Task<string> Failure { get; init; } = new TaskCompletionSource<string>().Task;

    /// <summary>Stops accepting: publishes are refused, what is queued is still delivered.</summary>
    public Action Drain { get; init; } = () => { };

    /// <summary>Figures of the notification channels whose outbox lives on this node.</summary>
    public Func<IReadOnlyCollection<OutboxStatus>> Channels { get; init; } = () => [];

    /// <summary>SwitchReplica.</summary>
    public IActorRef SwitchActor { get; init; } = ActorRefs.Nobody;

    /// <summary>Playbooks that operators disabled.</summary>
    public SwitchView Switches { get; init; } = new();

    /// <summary>What is wrong with the folder of playbooks now; the last good set stays in force.</summary>
    public Func<IReadOnlyList<FileError>> PlaybookErrors { get; init; } = () => [];

    /// <summary>Hash over all playbooks in force.</summary>
    public Func<string> PlaybooksHash { get; init; } = () => "";

    /// <summary>What playbooks may name on this node.</summary>
    public Vocabulary Vocabulary { get; init; } = new([], [], []);

    /// <summary>SilenceReplica.</summary>
    public IActorRef SilenceActor { get; init; } = ActorRefs.Nobody;

    /// <summary>Silences in force.</summary>
    public SilenceView Silences { get; init; } = new(TimeProvider.System);

    /// <summary>Limits of this node's API.</summary>
    public Mitigations.ApiLimits ApiLimits { get; init; } = new(TimeProvider.System);

    /// <summary>True where the principal may publish to this topic and it is a control topic: reserved capacity.</summary>
    public Func<string, string, bool> IsReserved { get; init; } = static (_, _) => false;

    /// <summary>Playbooks in force: name, version, hash.</summary>
    public Func<IReadOnlyList<Guardian.Playbooks.Model.Playbook>> Playbooks { get; init; } = () => [];

    /// <summary>The latest sample of the machine; none where the monitor is off.</summary>
    public ResourceView Resources { get; init; } = new();

    /// <summary>Boot phases with the time each took; null while it has not ended.</summary>
    public Func<IReadOnlyList<(string Phase, TimeSpan? Took)>> Phases { get; init; } = () => [];
}
