using Akka.Actor;
using Akka.DependencyInjection;
using Akka.Event;
using Guardian.Actors.Access;
using Guardian.Actors.Actions;
using Guardian.Actors.Autonomy;
using Guardian.Actors.Blacklisting;
using Guardian.Actors.Bus;
using Guardian.Actors.Kernels;
using Guardian.Actors.Leasekeeping;
using Guardian.Actors.Notifications;
using Guardian.Actors.Persistence;
using Guardian.Actors.Resources;
using Guardian.Actors.Runs;
using Guardian.Actors.Silencing;
using Guardian.Actors.Switches;

namespace Guardian.Actors.Hosting;

/// <summary>Puts a Guardian together and starts its supervision tree.</summary>
internal static class GuardianBootstrap
{
    /// <summary>Name of the supervisor, <c>/user/guardian</c>.</summary>
    public const string Name = "guardian";

    /// <summary>Starts Guardian, or disables it with the reason; never throws into the application's start.</summary>
    public static void Start(ActorSystem system, GuardianOptions options, DataDirectory data, TimeProvider time)
    {
        system.RegisterOnTermination(data.Dispose);
        if (!Akka.Cluster.Cluster.Get(system).SelfRoles.Contains(ClusterJoining.Role))
        {
            Disable(system, $"this node lacks the cluster role '{ClusterJoining.Role}'; call WithGuardian after WithClustering, or add the role");
            return;
        }

        try
        {
            AddRegistered(system, options);
            var core = GuardianCore.Create(options, data, time) with { Leasekeeper = StartLeasekeeper(system, options, data, time) };
            var boot = new BootState();
            system.ActorOf(GuardianSupervisor.Props(context => GuardianTree.Build(context, core, boot), boot, time), Name);
        }
        catch (AccessPolicyException e)
        {
            Disable(system, "the access policy is not valid: " + string.Join("; ", e.Errors));
        }
        catch (Exception e) when (e is IOException or ArgumentException)
        {
            Disable(system, e.Message); // an unreadable file, or an action that is registered twice
        }
    }

    /// <summary>Actions and probes that the application registered with its services, besides those in the options.</summary>
    private static void AddRegistered(ActorSystem system, GuardianOptions options)
    {
        if (!system.Settings.Setup.Get<DependencyResolverSetup>().HasValue) return;
        var services = DependencyResolver.For(system).Resolver;
        foreach (var action in services.GetService<IEnumerable<IGuardianAction>>() ?? []) options.Actions.Add(action);
        foreach (var probe in services.GetService<IEnumerable<IGuardianProbe>>() ?? []) options.Probes.Add(probe);
    }

    /// <summary>A child process, ended with the actor system. Where it cannot be, whatever needs it is refused with the reason.</summary>
    private static ILeasekeeper StartLeasekeeper(ActorSystem system, GuardianOptions options, DataDirectory data, TimeProvider time)
    {
        if (Posix.Unsupported is { } reason) return new NoLeasekeeper(reason);
        if (!options.Leasekeeper.Enabled) return new NoLeasekeeper("effects on the operating system are not supported: Guardian:Leasekeeper:Enabled is false");
        if (options.Executable is not { } program)
            return new NoLeasekeeper("effects on the operating system are not supported in an embedding application: they need the executable guardian as leasekeeper");
        var keeper = new Leasekeeper(program, Path.Combine(data.FullPath, "leases"), options.Leasekeeper.Longest, time, (line, warning) =>
        {
            if (warning) system.Log.Warning(line);
            else system.Log.Info(line);
        });
        CoordinatedShutdown.Get(system).AddTask(CoordinatedShutdown.PhaseBeforeActorSystemTerminate, "guardian-leasekeeper", async () =>
        {
            await keeper.DisposeAsync();
            return Akka.Done.Instance;
        });
        return keeper;
    }

    /// <summary>Says why Guardian does not run here.</summary>
    public static void Disable(ActorSystem system, string reason)
    {
        system.Log.Error("Guardian is disabled: {0}", reason);
        GuardianSystem.Access(system).Disable(reason);
    }
}

/// <summary>What the actors share: state that outlives each of them and is read from any thread.</summary>
internal sealed record GuardianCore
{
    public required GuardianOptions Options { get; init; }
    public required DataDirectory Data { get; init; }
    public required TimeProvider Time { get; init; }
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary><see cref="StartedAt"/> as a timestamp of <see cref="Time"/>: the wall clock may jump.</summary>
    public required long Started { get; init; }
    public required PolicyStore Policies { get; init; }
    public required BanView Bans { get; init; }
    public required ModeView Mode { get; init; }
    public required BusState Bus { get; init; }
    public required ReadModel ReadModel { get; init; }
    public required JournalHealthHolder Journal { get; init; }
    public required PlaybookCatalog Playbooks { get; init; }
    public SwitchView Switches { get; } = new();
    public ILeasekeeper Leasekeeper { get; init; } = new NoLeasekeeper("not started");

    public required Mitigations.ApiLimits ApiLimits { get; init; }

    /// <summary>The latest sample of the machine.</summary>
    public ResourceView Resources { get; } = new();

    /// <summary>Measurements on demand.</summary>
    public ResourceMeter Meter(Func<IReadOnlyList<KernelTree>> kernels) => new()
    {
        Kernels = kernels,
        Sampler = Options.Monitors.Resources.Sampler ?? (() => ResourceSamplers.Create([], Time)),
        Processes = ResourceSamplers.Processes(Time),
        Time = Time,
        Mounts = [Data.FullPath, .. Options.Monitors.Resources.Mounts],
    };

    /// <summary>A new reader of the machine: the data directory's disk first.</summary>
    public IResourceSampler Sampler() => Options.Monitors.Resources.Sampler?.Invoke()
        ?? ResourceSamplers.Create([Data.FullPath, .. Options.Monitors.Resources.Mounts], Time);

    public required SilenceView Silences { get; init; }

    public OutboxBoard Outbox { get; } = new();

    public required KernelCatalog Kernels { get; init; }

    public string ProjectionPath => Path.Combine(Data.FullPath, "projection.db");

    /// <exception cref="AccessPolicyException">The policy is not valid.</exception>
    /// <exception cref="IOException">The playbooks are not valid.</exception>
    public static GuardianCore Create(GuardianOptions options, DataDirectory data, TimeProvider time)
    {
        var started = time.GetUtcNow();
        var policies = PolicyStore.Load(ShippedFiles.File(options.Files.Policy), time, options.Monitors.Acl.PolicySwapGuard, options.Bus.DecisionCache);
        var playbooks = new PlaybookCatalog(ShippedFiles.Folder(options.Files.Playbooks), GuardianVocabulary.Of(options));
        if (!playbooks.TryReload()) throw new IOException("the playbooks are not valid: " + string.Join("; ", playbooks.Errors));
        var kernels = new KernelCatalog(options.Files.Kernels.Length == 0 ? null : ShippedFiles.File(options.Files.Kernels), options.Kernels.Declared);
        if (!kernels.TryReload()) throw new IOException("the kernels are not valid: " + string.Join("; ", kernels.Errors));
        KernelFile.Require(options.Files.Kernels, kernels, data.FullPath);
        var bans = new BanView(time);
        var silences = new SilenceView(time);
        return new GuardianCore
        {
            Options = options,
            Data = data,
            Time = time,
            StartedAt = started,
            Started = time.GetTimestamp(),
            Policies = policies,
            Bans = bans,
            Mode = new ModeView(options.Mode, options.Autonomy.For) { Silences = silences },
            Silences = silences,
            Bus = BusState.Create(options.Bus, policies, bans, time, data.NodeName, started.UtcTicks, closed: true), // opened by the boot, once the bans are here
            ReadModel = new ReadModel(Path.Combine(data.FullPath, "projection.db")),
            Journal = new JournalHealthHolder(),
            ApiLimits = new Mitigations.ApiLimits(time),
            Playbooks = playbooks,
            Kernels = kernels,
        };
    }
}
