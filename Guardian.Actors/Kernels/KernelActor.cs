using Akka.Actor;

namespace Guardian.Actors.Kernels;

// Between the KernelSupervisor and its kernels

/// <summary>What it depends on is ready.</summary>
internal sealed record BeginKernel : INoSerializationVerificationNeeded
{
    public static readonly BeginKernel Instance = new();
}

/// <summary>End everything; the kernel stops itself when nothing is left.</summary>
internal sealed record RetireKernel(bool Kill = false) : INoSerializationVerificationNeeded;

/// <summary>What the kernel may use. Answer: <see cref="KernelRestricted"/>.</summary>
internal sealed record RestrictKernel(Restriction What) : INoSerializationVerificationNeeded;

/// <summary>It holds for every replica, or why not.</summary>
internal sealed record KernelRestricted(string Kernel, string? Failure) : INoSerializationVerificationNeeded;

/// <summary>Told to the supervisor whenever the kernel's state changed.</summary>
internal sealed record KernelChanged(string Name, KernelState State) : INoSerializationVerificationNeeded;

/// <summary>One kernel of actors or processes: as many replicas as wanted, and the view of them that everybody reads.</summary>
internal sealed class KernelActor : ReceiveActor
{
    private readonly KernelDefinition _kernel;
    private readonly KernelDirectory _directory;
    private readonly KernelMemory _memory;
    private readonly Func<int, Props> _replica;
    private readonly SortedDictionary<int, IActorRef> _replicas = [];
    private KernelState? _told;

    /// <summary>Longer than the leasekeeper takes to be replaced.</summary>
    internal static readonly TimeSpan RestrictWithin = TimeSpan.FromSeconds(15);

    public KernelActor(KernelDefinition kernel, KernelMemory memory, KernelDirectory directory, KernelWorld world)
    {
        (_kernel, _memory, _directory) = (kernel, memory, directory);
        _replica = index => kernel.Type == KernelType.Actor
            ? ActorReplica.Props(kernel, index, memory.Replica(index).Machine, world)
            : ProcessReplica.Props(kernel, index, memory.Replica(index), world);
        Receive<BeginKernel>(_ => Begin());
        Receive<ReplicaChanged>(OnChanged);
        Receive<RestartKernel>(OnRestart);
        Receive<StopKernel>(OnStop);
        Receive<ScaleKernel>(OnScale);
        Receive<RestrictKernel>(OnRestrict);
        Receive<MuteKernel>(OnMute);
        Receive<RetireKernel>(OnRetire);
    }

    public static Props Props(KernelDefinition kernel, KernelMemory memory, KernelDirectory directory, KernelWorld world) =>
        Akka.Actor.Props.Create(() => new KernelActor(kernel, memory, directory, world));

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(Decider.From(Directive.Restart)); // its instances go on

    protected override void PreStart()
    {
        // Also those beyond the wanted ones: what an earlier Guardian left there must be found and ended.
        var count = _kernel.Type == KernelType.Process ? Math.Max(_kernel.Replicas.Max, _memory.Wanted) : _memory.Wanted;
        for (var i = 0; i < count; i++) Replica(i);
        if (_memory.Begun) Apply();
        Show();
    }

    private void Begin()
    {
        _memory.Begun = true;
        Apply();
        Show();
    }

    private void Apply()
    {
        for (var i = 0; i < Math.Max(_memory.Wanted, _replicas.Count); i++)
            Replica(i).Tell(_memory.Begun && i < _memory.Wanted ? WantReplica.Instance : new UnwantReplica());
    }

    private IActorRef Replica(int index)
    {
        if (_replicas.TryGetValue(index, out var known)) return known;
        _replicas[index] = Context.ActorOf(_replica(index).WithDispatcher(Context.Props.Dispatcher), $"replica-{index}");
        if (_memory.Restriction.Percent < 100) _replicas[index].Tell(new RestrictReplica(_memory.Restriction));
        return _replicas[index];
    }

    private void OnChanged(ReplicaChanged changed)
    {
        var before = _memory.Views.GetValueOrDefault(changed.View.Index);
        if (changed.View.State == KernelState.CrashLoop && before?.State != KernelState.CrashLoop) _memory.CrashLoops++;
        _memory.Views[changed.View.Index] = changed.View;
        _memory.Restarts[changed.View.Index] = changed.Restarts;
        Show();
    }

    private void OnRestart(RestartKernel restart)
    {
        if (_memory.Wanted == 0) _memory.Wanted = Math.Max(1, _kernel.Replicas.Count);
        _memory.Begun = true;
        for (var i = 0; i < Math.Max(_memory.Wanted, _replicas.Count); i++)
            Replica(i).Tell(i < _memory.Wanted ? new ReplaceReplica(restart.Force) : new UnwantReplica());
        Show();
        Sender.Tell(Done());
    }

    private void OnStop(StopKernel stop)
    {
        var before = _memory.Wanted;
        _memory.Wanted = 0;
        Apply();
        Show();
        Sender.Tell(Done() with { Replicas = (before, 0) });
    }

    private void OnScale(ScaleKernel scale)
    {
        var (answer, wanted) = KernelScaling.Decide(_kernel, _memory.Wanted, scale);
        _memory.Wanted = wanted;
        if (answer.Done) Apply();
        Show();
        Sender.Tell(answer);
    }

    private void OnRestrict(RestrictKernel restrict)
    {
        _memory.Restriction = restrict.What;
        Task.WhenAll(_replicas.Values.Select(x => x.Ask<ReplicaRestricted>(new RestrictReplica(restrict.What), RestrictWithin)))
            .PipeTo(Sender, success: x => new KernelRestricted(_kernel.Name, x.FirstOrDefault(y => y.Failure is not null)?.Failure), failure: e => new KernelRestricted(_kernel.Name, e.GetBaseException().Message));
        Show();
    }

    private void OnMute(MuteKernel mute)
    {
        foreach (var replica in _replicas.Values) replica.Tell(new MuteReplica(mute.For));
        Sender.Tell(Done());
    }

    private void OnRetire(RetireKernel retire)
    {
        _memory.Wanted = 0;
        _memory.Retiring = true;
        foreach (var replica in _replicas.Values) replica.Tell(new UnwantReplica(retire.Kill));
        Show();
    }

    private void Show()
    {
        var state = KernelScaling.State([.. _memory.Views.Values], _memory.Wanted, _memory.Begun);
        _directory.Set(new KernelView
        {
            Name = _kernel.Name, Type = _kernel.Type, Criticality = _kernel.Criticality, Class = _kernel.Class, Remediation = _kernel.Remediation,
            State = state, Reason = _memory.Begun ? _memory.Views.Values.FirstOrDefault(x => x.State == state && x.LastExit is not null && state != KernelState.Running)?.LastExit : $"waits for {string.Join(", ", _kernel.DependsOn)}",
            Paused = _memory.Restriction.Percent == 0, Percent = _memory.Restriction.Percent == 0 ? 100 : _memory.Restriction.Percent,
            Replicas = _kernel.Replicas with { Count = _memory.Wanted }, CrashLoops = _memory.CrashLoops, Restarts = _memory.Restarts.Values.Sum(),
            Instances = [.. _memory.Views.Values.Where(x => x.Index < _memory.Wanted || x.State != KernelState.Stopped)],
        });
        if (_memory.Retiring && _memory.Views.Count >= _replicas.Count && _memory.Views.Values.All(x => x.State == KernelState.Stopped)) Context.Stop(Self);
        if (state == _told) return;
        _told = state;
        Context.Parent.Tell(new KernelChanged(_kernel.Name, state));
    }

    private KernelAnswer Done() => new() { Done = true, Kernels = [_kernel.Name] };
}

/// <summary>What outlives a crash of the kernel's actor.</summary>
internal sealed class KernelMemory(KernelDefinition kernel, long epoch)
{
    private readonly Dictionary<int, ReplicaMemory> _replicas = [];

    /// <summary>Replicas wanted now.</summary>
    public int Wanted { get; set; } = kernel.Replicas.Count;

    /// <summary>What it depends on was ready once.</summary>
    public bool Begun { get; set; }

    public bool Retiring { get; set; }

    public Restriction Restriction { get; set; } = Restriction.None;

    public long CrashLoops { get; set; }

    public SortedDictionary<int, ReplicaView> Views { get; } = [];

    public Dictionary<int, long> Restarts { get; } = [];

    public ReplicaMemory Replica(int index) =>
        _replicas.TryGetValue(index, out var known) ? known : _replicas[index] = new ReplicaMemory(new ReplicaMachine(kernel.Restart, epoch));
}

/// <summary>How many replicas, and what a kernel's state is when its replicas differ. Pure.</summary>
internal static class KernelScaling
{
    /// <summary>Within the kernel's bounds; asked for more than fits, it goes as far as it may, and refuses where that changes nothing.</summary>
    public static (KernelAnswer Answer, int Wanted) Decide(KernelDefinition kernel, int wanted, ScaleKernel scale)
    {
        var (_, min, max) = kernel.Replicas;
        if (scale.To is { } to && (to < min || to > max)) return (Refused($"{kernel.Name} has from {min} to {max} replicas, not {to}"), wanted);
        var next = scale.To ?? Math.Clamp(wanted + (scale.Change ?? 0), Math.Min(min, wanted), Math.Max(max, wanted));
        if (next == wanted && scale.To is null)
            return (Refused($"{kernel.Name} has {wanted} replicas and may have from {min} to {max}") with { Replicas = (wanted, wanted) }, wanted);
        return (new KernelAnswer { Done = true, Kernels = [kernel.Name], Replicas = (wanted, next) }, next);
    }

    /// <summary>The worst that holds of any wanted replica.</summary>
    public static KernelState State(IReadOnlyList<ReplicaView> replicas, int wanted, bool begun)
    {
        if (!begun) return KernelState.Waiting;
        var states = replicas.Where(x => x.Index < wanted).Select(x => x.State).ToHashSet();
        if (wanted == 0) return replicas.All(x => x.State == KernelState.Stopped) ? KernelState.Stopped : KernelState.Stopping;
        KernelState[] worst = [KernelState.CrashLoop, KernelState.BackingOff, KernelState.Stopping, KernelState.Starting, KernelState.Stopped];
        foreach (var state in worst)
            if (states.Contains(state)) return state == KernelState.Stopped ? KernelState.Starting : state; // about to be started
        return replicas.Count(x => x.Index < wanted) < wanted ? KernelState.Starting : KernelState.Running; // some have not said anything yet
    }

    private static KernelAnswer Refused(string reason) => new() { Done = false, Reason = reason };
}
