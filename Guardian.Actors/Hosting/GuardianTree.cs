using System.Text.Json;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Cluster.Tools.PublishSubscribe;
using Akka.Cluster.Tools.Singleton;
using Akka.DistributedData;
using Akka.Event;
using Guardian.Actors.Access;
using Guardian.Actors.Actions;
using Guardian.Actors.Autonomy;
using Guardian.Actors.Blacklisting;
using Guardian.Actors.Bus;
using Guardian.Actors.Chaos;
using Guardian.Actors.Guards;
using Guardian.Actors.Incidents;
using Guardian.Actors.Monitoring;
using Guardian.Actors.Notifications;
using Guardian.Actors.Persistence;
using Guardian.Actors.Relay;
using Guardian.Actors.Replay;
using Guardian.Actors.Resources;
using Guardian.Actors.Runs;
using Guardian.Actors.Silencing;
using Guardian.Actors.Switches;

namespace Guardian.Actors.Hosting;

/// <summary>The node's supervision tree: who exists, who knows whom, and what each must answer before the node is ready.</summary>
internal sealed class GuardianTree
{
    /// <summary>Guardian's own principal: protected, so that nobody outside of the process can use it.</summary>
    private const string Principal = "guardian";

    private readonly IActorContext _context;
    private readonly GuardianCore _core;
    private readonly IActorRef _mediator;
    private readonly IActorRef _replicator;
    private readonly NodeDirectory _nodes;
    private IActorRef _guards = ActorRefs.Nobody;
    private readonly RelayState _relay;
    private readonly Runs.RunTap _tap = new();
    private long? _conflictSince;

    /// <summary>Longer than the failure detector needs to see that the other one is dead.</summary>
    private static readonly TimeSpan ConflictPatience = TimeSpan.FromSeconds(5);

    private GuardianTree(IActorContext context, GuardianCore core)
    {
        (_context, _core) = (context, core);
        _mediator = DistributedPubSub.Get(context.System).Mediator;
        _replicator = DistributedData.Get(context.System).Replicator;
        _nodes = new NodeDirectory(context.System);
        _relay = new RelayState(core.Options.Relay);
    }

    private GuardianOptions Options => _core.Options;

    /// <summary>Starts everything; the phases then find out whether it works.</summary>
    public static BootPlan Build(IActorContext context, GuardianCore core, BootState boot) => new GuardianTree(context, core).Start(boot);

    private BootPlan Start(BootState boot)
    {
        var database = JournalDatabase.From(Options.Persistence, _core.Data.FullPath);
        var journal = Start(JournalWatch.Props(new JournalHealthCheck(database, _core.Time), _core.Journal, _core.Time), "journal");
        var projection = Start(ProjectionActor.Props(_core.ProjectionPath, _core.ReadModel), "projection");
        var cluster = Akka.Cluster.Cluster.Get(_context.System);
        Start(RetentionActor.Props(new RetentionLinks(database, _core.ProjectionPath, projection, _core.Journal, () => cluster.SelfAddress.Equals(cluster.State.RoleLeader(ClusterJoining.Role)), _core.Time), Options.Retention), "retention");
        var mode = Start(ModeReplica.Props(_replicator, _core.Mode, _core.Data.FullPath, _core.Time), "mode");
        var switches = Start(SwitchReplica.Props(_replicator, _core.Switches, _core.Data.FullPath, _core.Time), "switches");
        var silences = Start(SilenceReplica.Props(_replicator, _core.Silences, _core.Data.FullPath, _core.Time), "silences");
        var blacklist = StartBlacklist();
        var bus = Start(MessageBus.Props(_core.Bus, _mediator), "bus");
        var policy = Start(PolicyWatcher.Props(_core.Policies, Options.Files.Watch), "policy");
        var gateway = new BusGateway(_core.Bus, bus);
        var kernels = KernelsTree.Start(_context, _core, gateway);
        var monitors = new MonitorsRef();
        var (agent, incidents) = StartHealing(blacklist, bus, kernels, monitors);
        monitors.Actor = Start(MonitorsSupervisor.Props(AclViolationMonitor.Props(
            new AclViolationMonitor.Links(_mediator, incidents, blacklist, _core.Mode, _core.Time),
            new AclMonitorState(Options.Monitors.Acl, _core.Data.NodeName, _core.StartedAt)).WithDispatcher(GuardianHocon.Dispatcher), OtherMonitors(gateway, bus, incidents, kernels)), "monitors");
        Start(BusRelay.Props(new BusRelay.Links(_core.Bus, _relay, () => _core.Policies.Current.Hash, () => _core.Playbooks.Current.Hash)), "relay");
        Record();
        DrainAtShutdown(bus);
        var system = _context.System;
        GuardianSystem.Access(system).Start(new GuardianSystem(new GuardianParts
        {
            Bus = gateway, Counters = gateway.Counters, ClientPort = gateway.ClientPort, BusActor = bus,
            NodeName = _core.Data.NodeName, Options = Options, DataDirectory = _core.Data.FullPath, StartedAt = _core.StartedAt, Started = _core.Started, Time = _core.Time,
            Bans = _core.Bans, Mode = _core.Mode, ReadModel = _core.ReadModel, Journal = () => _core.Journal.Current, Parked = () => ParkedEntities.Of(system).All, Unreadable = () => GuardianSystem.Access(system).Unreadable.All,
            Blacklist = blacklist, ModeActor = mode, Incidents = incidents, Guards = _guards, Agent = agent, Monitors = monitors.Actor,
            Kernels = kernels.Directory, KernelsActor = kernels.Supervisor, Scheduler = kernels.Scheduler, SchedulerMode = () => kernels.World.Scheduler.Mode,
            RunTap = _tap, Leasekeeper = _core.Leasekeeper, Chaos = new NodeChaos(() => GuardianSystem.For(_context.System), Options, _core.Time), NotReady = boot.NotReady, Phases = boot.Phases, Failure = boot.Failure,
            Drain = () => bus.Tell(DrainBus.Instance, ActorRefs.NoSender),
            IsProtected = IsProtected, Policies = _core.Policies, PolicyHash = () => _core.Policies.Current.Hash, Channels = () => _core.Outbox.Channels,
            SilenceActor = silences, Silences = _core.Silences, ApiLimits = _core.ApiLimits, IsReserved = IsReserved, Playbooks = () => _core.Playbooks.Current.Playbooks,
            Resources = _core.Resources,
            SwitchActor = switches, Switches = _core.Switches,
            PlaybooksHash = () => _core.Playbooks.Current.Hash, PlaybookErrors = () => _core.Playbooks.Errors, Vocabulary = GuardianVocabulary.Of(Options),
        }));
        return new BootPlan(
            [(journal, "journal"), (projection, "projection"), (mode, "mode"), (silences, "silences"), (switches, "switches"), (blacklist, "blacklist"), (bus, "bus"), (policy, "policy"), (agent, "agent"), (kernels.Scheduler, "scheduler"), (kernels.Supervisor, "kernels"), (monitors.Actor, "monitors")],
            [Membership(boot), .. Phases(blacklist, bus, agent, incidents, kernels, monitors.Actor)]);
    }

    private IActorRef Start(Props props, string name) => _context.ActorOf(props.WithDispatcher(GuardianHocon.Dispatcher), name);

    private bool IsProtected(string principal) => _core.Policies.Current.IsProtected(principal);

    private bool IsReserved(string principal, string topic)
    {
        var policy = _core.Policies.Current;
        return policy.IsControlTopic(topic) && policy.Decide(principal, topic, BusOperation.Publish).Allowed;
    }

    private Dictionary<string, Props> OtherMonitors(BusGateway gateway, IActorRef bus, IActorRef incidents, KernelsTree kernels)
    {
        var monitors = new Dictionary<string, Props>(StringComparer.Ordinal)
        {
            ["heartbeats"] = KernelWatchdog.Props(
                new KernelWatchdog.Links(incidents, kernels.World.Hearts, kernels.Directory, _core.Time),
                new KernelWatchdogState(Options.Monitors.Heartbeats, _core.Data.NodeName, _core.StartedAt)).WithDispatcher(GuardianHocon.Heartbeats),
        };
        var resources = Options.Monitors.Resources;
        if (resources.Enabled)
        {
            monitors["resource-pressure"] = ResourcePressureMonitor.Props(
                new ResourcePressureMonitor.Links(incidents, x => gateway.RegisterAsync(Principal, x), _core.Sampler, ResourceSamplers.Processes(_core.Time), _core.Resources, _core.Time)
                {
                    Release = new PressureRelease.Links(kernels.Supervisor, kernels.Scheduler, _core.ApiLimits, _core.Data.NodeName, () => _core.Mode.Held),
                },
                new ResourceMonitorState(resources, _core.Data.NodeName, _core.StartedAt)).WithDispatcher(GuardianHocon.Dispatcher);
        }

        monitors["cluster"] = ClusterMonitor.Props(
            new ClusterMonitor.Links(incidents, See, _core.Time), new ClusterMonitorState(Options.Monitors.Cluster, _core.Data.NodeName, _core.StartedAt)).WithDispatcher(GuardianHocon.Dispatcher);
        monitors["bus"] = BusMonitor.Props(
            new BusMonitor.Links(bus, incidents, _core.Time), new BusMonitorState(Options.Monitors.Bus, _core.Data.NodeName, _core.StartedAt)).WithDispatcher(GuardianHocon.Dispatcher);
        return monitors;
    }

    /// <summary>The nodes that run Guardian, the oldest first, with what they say of their configuration.</summary>
    private SeenCluster? See()
    {
        var unreachable = Akka.Cluster.Cluster.Get(_context.System).State.Unreachable;
        if (_nodes.Targets() is null) return null;
        return new SeenCluster(_core.Data.NodeName, [.. _nodes.All.Select(x => new SeenNode(x.Name, x.Member.Address.ToString(), !unreachable.Contains(x.Member), HashesOf(x.Name, x.Member)))]);
    }

    private Dictionary<string, string> HashesOf(string name, Akka.Cluster.Member member)
    {
        var (policy, playbooks) = name == _core.Data.NodeName ? (_core.Policies.Current.Hash, _core.Playbooks.Current.Hash)
            : _relay.Peers.TryGetValue(member.UniqueAddress, out var peer) ? (peer.PolicyHash, peer.PlaybooksHash) : default;
        var hashes = new Dictionary<string, string>(StringComparer.Ordinal);
        if (policy is not null) hashes["policy"] = policy;
        if (playbooks is not null) hashes["playbooks"] = playbooks;
        return hashes;
    }

    private void Record()
    {
        var (folder, core) = (Path.Combine(_core.Data.FullPath, "traces"), _core);
        if (Options.Record.Enabled) Start(TraceRecorder.Props(_mediator, () => new TraceFiles(folder, core.Data.NodeName, core.Options.Record, core.Time), core.Time), "recorder");
    }

    private IActorRef StartBlacklist()
    {
        _context.ActorOf(ClusterSingletonManager.Props(
            BlacklistAuthority.Props(_replicator, Options.Blacklist, IsProtected, _core.Time), PoisonPill.Instance,
            ClusterSingletonManagerSettings.Create(_context.System).WithRole(ClusterJoining.Role).WithSingletonName("singleton")), "blacklist-authority");
        var authority = _context.ActorOf(ClusterSingletonProxy.Props(
            $"{_context.Self.Path.ToStringWithoutAddress()}/blacklist-authority",
            ClusterSingletonProxySettings.Create(_context.System).WithRole(ClusterJoining.Role).WithSingletonName("singleton")), "blacklist-authority-proxy");
        return Start(Blacklist.Props(new Blacklist.Links(_replicator, authority, _core.Bans, IsProtected, _core.Time), Options.Blacklist), "blacklist");
    }

    private (IActorRef Agent, IActorRef Incidents) StartHealing(IActorRef blacklist, IActorRef bus, KernelsTree kernels, MonitorsRef monitors)
    {
        var outbox = OutboxRegion.Start(_context.System, new OutboxDependencies
        {
            Board = _core.Outbox, Muted = x => _core.Silences.Muted(x.IncidentType, x.IncidentKey, x.Subject),
            Notifications = Options.Notifications, Tasks = Options.Tasks, NodeName = _core.Data.NodeName, DataDirectory = _core.Data.FullPath,
            Time = _core.Time, Http = HttpDelivery.Create(_core.Time),
        });
        var system = _context.System;
        var dependencies = new ActionDependencies
        {
            Blacklist = blacklist, Bus = bus, Outbox = outbox, Time = _core.Time,
            CountViolations = monitors.CountAsync, Resources = _core.Meter(kernels.Trees), Clean = Options.Clean, ApiLimits = _core.ApiLimits, ClusterState = () => Akka.Cluster.Cluster.Get(_context.System).State, Cluster = See, Leasekeeper = _core.Leasekeeper,
            KernelSupervisor = kernels.Supervisor, Scheduler = kernels.Scheduler, Kernels = kernels.Directory, HttpBase = () => GuardianSystem.Access(system).Http,
        };
        var registry = GuardianVocabulary.Registry(Options, dependencies);
        if (Options.Files.Watch) Start(PlaybookWatcher.Props(ShippedFiles.Folder(Options.Files.Playbooks), _core.Playbooks), "playbooks");
        var agent = Start(NodeAgent.Props(registry, _core.Mode, _core.Time), "agent");
        var guards = _guards = GuardRegion.Start(_context.System, _core.Time);
        var incidents = IncidentRegion.Start(_context.System, new IncidentDependencies(
            _core.Playbooks, new OpenIncidents(Options.Incidents.MaxOpen),
            new RunDependencies(_core.Time, registry.Vocabulary, _core.Mode, AgentOf(agent), RunDependencies.Loader(registry.Vocabulary))
            {
                Self = _core.Data.NodeName, Tap = _tap, Nodes = _nodes.Targets, Touches = registry.Touches, Guards = guards,
                Kernels = () => kernels.Directory.All.Count, Remediation = x => kernels.Directory.Find(x)?.Remediation,
            })
        {
            Outbox = outbox, NumberFloor = () => _core.Journal.NumberFloor,
            Switches = _core.Switches, QuietAfter = Options.Incidents.QuietAfter,
        });
        return (agent, incidents);
    }

    /// <summary>
    /// The agent of a node by name. One that is not in the cluster gets nothing: the run finds out by its time-out, or by the membership.
    /// </summary>
    private Func<string, ICanTell> AgentOf(IActorRef own)
    {
        var path = own.Path.ToStringWithoutAddress();
        return name => name == _core.Data.NodeName ? own
            : _nodes.Find(name) is { } member ? _context.System.ActorSelection(new RootActorPath(member.Address) + path)
            : ActorRefs.Nobody;
    }

    /// <summary>A shutdown in order: what comes now is refused, what was accepted is delivered.</summary>
    private void DrainAtShutdown(IActorRef bus) => CoordinatedShutdown.Get(_context.System).AddTask(
        CoordinatedShutdown.PhaseServiceRequestsDone, "guardian-drain", async () =>
        {
            await bus.Ask<BusCommandResult>(DrainBus.Instance, TimeSpan.FromSeconds(5));
            return Akka.Done.Instance;
        });

    /// <summary>
    /// The node is a member and may stay one. An older node of the same name that does not answer may be this one's own earlier
    /// life: then it is waited for until the cluster has removed it.
    /// </summary>
    private BootPhase Membership(BootState boot) => new("membership", _ =>
    {
        if (_nodes.Conflict(_core.Data.NodeName) is { } conflict)
        {
            var since = _conflictSince ??= _core.Time.GetTimestamp();
            if (!conflict.MayPass || (conflict.Answers && _core.Time.GetElapsedTime(since) > ConflictPatience)) boot.Refuse(conflict.Reason);
            throw new InvalidOperationException(conflict.Reason);
        }

        var status = Akka.Cluster.Cluster.Get(_context.System).SelfMember.Status;
        return status is Akka.Cluster.MemberStatus.Up ? Task.CompletedTask : throw new InvalidOperationException($"this node is not a member of the cluster yet: {status}");
    });

    /// <summary>Each asks the real thing the question that the next phase depends on.</summary>
    private IReadOnlyList<BootPhase> Phases(IActorRef blacklist, IActorRef bus, IActorRef agent, IActorRef incidents, KernelsTree kernels, IActorRef monitors) =>
    [
        new("blacklist", async token =>
        {
            var ready = await blacklist.Ask<BlacklistReady>(AwaitBlacklist.Instance, token);
            if (!ready.Synced) _context.System.Log.Warning("The bans are not known yet: their authority does not answer. The bus opens without them and obeys them once they are here");
            _core.Bus.Open();
        }),
        new("bus", token => bus.Ask<BusHealth>(GetBusHealth.Instance, token)),
        new("agent", token => agent.Ask<ProbeAnswer>(new RunProbe
        {
            Id = "boot", Probe = "bus.health", With = EmptyObject, Deadline = _core.Time.GetUtcNow() + TimeSpan.FromSeconds(5),
        }, token)),
        new("incidents", async token =>
        {
            await incidents.Ask<CurrentShardRegionState>(GetShardRegionState.Instance, token);
            Rehearse(incidents);
        }),
        new("kernels", _ => kernels.ContractAsync()),
        new("monitors", token => monitors.Ask<MonitorReady>(AwaitMonitor.Instance, token)),
    ];

    /// <summary>
    /// Walks the way of a first incident before there is one: shard, entity and journal take half a second when cold. Nobody waits
    /// for it, since a node whose journal is away is to start all the same.
    /// </summary>
    private static void Rehearse(IActorRef incidents) =>
        incidents.Tell(new CloseIncident { Key = "guardian/rehearsal", By = "guardian", Reason = "rehearsal at start" }, ActorRefs.NoSender);

    private static readonly JsonElement EmptyObject = JsonDocument.Parse("{}").RootElement.Clone();

    /// <summary>The monitors start last, but the agent's probe asks them.</summary>
    private sealed class MonitorsRef
    {
        public volatile IActorRef Actor = ActorRefs.Nobody;

        public async Task<long> CountAsync(string subject, TimeSpan window, CancellationToken cancellation)
        {
            var answer = await Actor.Ask<ViolationCount>(new CountViolations(subject, window), Timeout.InfiniteTimeSpan, cancellation).ConfigureAwait(false);
            return answer.Unknown is null ? answer.Count : throw new ActionFailedException($"violations of {subject} are not known: {answer.Unknown}");
        }
    }
}
