using Akka.Actor;
using Akka.DependencyInjection;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Kernels;

/// <summary><c>Guardian:Kernels</c>, and the kernels that an application declares in code beside those of <c>kernels.yaml</c>.</summary>
public sealed class KernelsOptions
{
    private readonly List<KernelDefinition> _declared = [];

    /// <summary>At the node's shutdown kernels that have not ended by themselves are killed after this. 1 s to 25 s.</summary>
    public Duration ShutdownWithin { get; set; } = TimeSpan.FromSeconds(20);

    internal IReadOnlyList<KernelDefinition> Declared => _declared;

    /// <summary>Hangs one of the application's actors under Guardian.</summary>
    /// <param name="name">1 to 63 letters, digits, '.', '-' or '_'; unique on the node.</param>
    /// <param name="props">How it is made. It receives <see cref="KernelSignal"/> when it is paused or throttled.</param>
    /// <param name="configure">Criticality, class, heartbeat, restarts.</param>
    public void Actor(string name, Props props, Action<KernelSettings>? configure = null) => Actor(name, (_, _) => props, configure);

    /// <summary>The same for an actor that wants its <see cref="KernelContext"/>.</summary>
    public void Actor(string name, Func<KernelContext, Props> props, Action<KernelSettings>? configure = null) => Actor(name, (_, context) => props(context), configure);

    /// <summary>The same by type, made by the application's service provider, which may be given its <see cref="KernelContext"/>.</summary>
    public void Actor<TActor>(string name, Action<KernelSettings>? configure = null)
        where TActor : ActorBase =>
        Actor(name, (system, context) => DependencyResolver.For(system).Props<TActor>(context), configure);

    /// <summary>
    /// Guards an actor that the application has already, without moving its traffic to the bus: asked by <paramref name="ping"/> once per
    /// interval, missed when it gives no answer, and brought back by its owner when it terminated or is to be restarted.
    /// </summary>
    /// <param name="name">As for an actor of Guardian's own.</param>
    /// <param name="find">The actor, once the system runs.</param>
    /// <param name="ping">A message that it answers to its sender, whatever the answer; <see cref="Identify"/> is answered by every actor.</param>
    /// <param name="restart">Its owner's way to bring it back, given the old reference; null: it is looked for again by <paramref name="find"/>.</param>
    /// <param name="configure">Criticality, class, heartbeat, restarts.</param>
    public void Watch(string name, Func<ActorSystem, Task<IActorRef>> find, object ping, Func<IActorRef, Task<IActorRef>>? restart = null, Action<KernelSettings>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(find);
        ArgumentNullException.ThrowIfNull(ping);
        var target = new WatchedTarget(find, ping, restart);
        var every = Settings(name, KernelType.Actor, configure).HeartbeatEvery;
        Actor(name, context => WatchedActor.Props(context, target, every), x =>
        {
            configure?.Invoke(x);
            x.BeatsItself = true;
        });
    }

    /// <summary>The same for an actor at hand, under the name of its path.</summary>
    public void Watch(IActorRef actor, object ping, Func<IActorRef, Task<IActorRef>>? restart = null, Action<KernelSettings>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(actor);
        Watch(actor.Path.Name, _ => Task.FromResult(actor), ping, restart, configure);
    }

    /// <summary>A command, run as child processes; never through a shell.</summary>
    /// <param name="name">As for an actor.</param>
    /// <param name="command">Program and arguments.</param>
    /// <param name="configure">Criticality, class, replicas, heartbeat, restarts.</param>
    public void Process(string name, IReadOnlyList<string> command, Action<KernelSettings>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (command.Count == 0) throw new ArgumentException($"kernel '{name}': the command is empty; give the program and its arguments", nameof(command));
        var settings = Settings(name, KernelType.Process, configure);
        _declared.Add(settings.Definition with { Process = settings.ProcessSpec with { Command = [.. command] } });
    }

    /// <summary>A pool of workers that run jobs with a handler of the application.</summary>
    /// <param name="name">As for an actor.</param>
    /// <param name="workers">Jobs at once. At least 1.</param>
    /// <param name="handler">Runs one job; an exception is a failed attempt.</param>
    /// <param name="configure">Criticality, class, restarts.</param>
    public void Jobs(string name, int workers, JobHandler handler, Action<KernelSettings>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        var settings = Settings(name, KernelType.Jobs, configure);
        _declared.Add(settings.Definition with { Replicas = new ReplicaSpec(workers, 1, workers), Jobs = new JobsSpec { Handler = handler, HandlerAttempts = settings.JobAttempts, HandlerTimeout = settings.JobTimeout } });
    }

    private void Actor(string name, Func<ActorSystem, KernelContext, Props> props, Action<KernelSettings>? configure) =>
        _declared.Add(Settings(name, KernelType.Actor, configure).Definition with { Actor = new ActorSpec(props) });

    private KernelSettings Settings(string name, KernelType type, Action<KernelSettings>? configure)
    {
        if (!KernelsFileReader.KernelName().IsMatch(name)) throw new ArgumentException($"'{name}' is no name for a kernel: 1 to 63 letters, digits, '.', '-' or '_'", nameof(name));
        if (_declared.Exists(x => x.Name == name)) throw new ArgumentException($"kernel '{name}' is declared twice", nameof(name));
        var settings = new KernelSettings();
        configure?.Invoke(settings);
        if (settings.JobAttempts is < 1 or > 100) throw new ArgumentException($"kernel '{name}': JobAttempts is 1 to 100, not {settings.JobAttempts}", nameof(configure));
        if (settings.JobTimeout.Value < TimeSpan.FromMilliseconds(100) || settings.JobTimeout.Value > TimeSpan.FromDays(7)) throw new ArgumentException($"kernel '{name}': JobTimeout is 100ms to 7d, not {settings.JobTimeout}", nameof(configure));
        settings.Definition = settings.Apply(name, type);
        return settings;
    }
}

/// <summary>What may be said of a kernel in code; the defaults are those of <c>kernels.yaml</c>.</summary>
public sealed class KernelSettings
{
    private readonly RestartSpec _restart = new();

    internal KernelDefinition Definition { get; set; } = null!;

    internal ProcessSpec ProcessSpec => new() { Command = [], Environment = new Dictionary<string, string>(Environment), WorkingDirectory = WorkingDirectory, Grace = Grace, Limits = new LimitSpec(MaxCores, MaxMemory?.Bytes, MaxProcesses) };

    /// <summary>What may be done to it under pressure.</summary>
    public KernelCriticality Criticality { get; set; } = KernelCriticality.Normal;

    /// <summary>Workload class, e.g. <c>model_training</c>.</summary>
    public string Class { get; set; } = "general";

    /// <summary><c>enforce</c> opts in to what destroys; null: the node's autonomy decides.</summary>
    public OperatingMode? Remediation { get; set; }

    /// <summary>Kernels that must be ready before this one.</summary>
    public IList<string> DependsOn { get; } = [];

    /// <summary>Instances; scaling stays within <see cref="MinReplicas"/> and <see cref="MaxReplicas"/>.</summary>
    public int Replicas { get; set; } = 1;

    /// <summary>Fewest instances.</summary>
    public int MinReplicas { get; set; } = 1;

    /// <summary>Most instances.</summary>
    public int MaxReplicas { get; set; } = 1;

    /// <summary>One beat in so long.</summary>
    public Duration HeartbeatEvery { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Missed after so long; null: three intervals.</summary>
    public Duration? MissAfter { get; set; }

    /// <summary>An actor beats only when it calls <see cref="KernelContext.Beat"/>; otherwise Guardian beats for it while it lives.</summary>
    public bool BeatsItself { get; set; }

    /// <summary>Restarts within <see cref="RestartWithin"/>, never more.</summary>
    public int MaxRestarts { get; set; } = 5;

    /// <summary>Window of <see cref="MaxRestarts"/>.</summary>
    public Duration RestartWithin { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Attempts of a job that a handler runs, in all. 1 to 100.</summary>
    public int JobAttempts { get; set; } = 1;

    /// <summary>A job that a handler has not done by then is over as timed out. 100 ms to 7 d.</summary>
    public Duration JobTimeout { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Environment of a process.</summary>
    public IDictionary<string, string> Environment { get; } = new Dictionary<string, string>();

    /// <summary>Working directory of a process; null: the application's own.</summary>
    public string? WorkingDirectory { get; set; }

    /// <summary>Cores that each replica of a process may use at most; null: no limit of its own.</summary>
    public double? MaxCores { get; set; }

    /// <summary>Memory that each replica of a process may use at most.</summary>
    public ByteSize? MaxMemory { get; set; }

    /// <summary>Processes and threads of each replica of a process.</summary>
    public int? MaxProcesses { get; set; }

    /// <summary>Between TERM and KILL of a process.</summary>
    public Duration Grace { get; set; } = TimeSpan.FromSeconds(5);

    internal KernelDefinition Apply(string name, KernelType type) => new()
    {
        Name = name, Type = type, Criticality = Criticality, Class = Class, Remediation = Remediation, DependsOn = [.. DependsOn],
        Replicas = Replicas >= MinReplicas && MinReplicas >= 0 ? new ReplicaSpec(Replicas, MinReplicas, Math.Max(Replicas, MaxReplicas))
            : throw new ArgumentException($"kernel '{name}': Replicas {Replicas} is less than MinReplicas {MinReplicas}", name),
        Heartbeat = new HeartbeatSpec { Every = HeartbeatEvery, MissAfter = MissAfter ?? HeartbeatEvery.Value * 3, ByItself = BeatsItself },
        Restart = _restart with { Max = MaxRestarts, Within = RestartWithin },
    };
}
