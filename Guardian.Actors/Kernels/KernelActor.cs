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
        Receive<FindScale>(x => Sender.Tell(KernelScaling.Find(_kernel.Name, _memory.Changes, x.Key)));
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
        _memory.Want(_memory.AtLeastOne, _memory.Wanted > 0 ? _memory.Changes : [], Sender, Done());
        _memory.Begun = true;
        for (var i = 0; i < Math.Max(_memory.Wanted, _replicas.Count); i++)
            Replica(i).Tell(i < _memory.Wanted ? new ReplaceReplica(restart.Force) : new UnwantReplica());
        Show();
    }

    private void OnStop(StopKernel stop)
    {
        _memory.Want(0, [], Sender, Done() with { Replicas = (_memory.Wanted, 0) });
        Apply();
        Show();
    }

    private void OnScale(ScaleKernel scale)
    {
        var (answer, wanted, changes) = KernelScaling.Decide(_kernel, _memory.Wanted, _memory.Changes, scale);
        _memory.Want(wanted, changes, Sender, answer);
        if (answer.Done) Apply();
        Show();
    }

    private void OnRestrict(RestrictKernel restrict)
    {
        _memory.Restriction = restrict.What;
        Show(); // before the answer
        Task.WhenAll(_replicas.Values.Select(x => x.Ask<ReplicaRestricted>(new RestrictReplica(restrict.What), RestrictWithin)))
            .PipeTo(Sender, success: x => new KernelRestricted(_kernel.Name, x.FirstOrDefault(y => y.Failure is not null)?.Failure), failure: e => new KernelRestricted(_kernel.Name, e.GetBaseException().Message));
    }

    private void OnMute(MuteKernel mute)
    {
        foreach (var replica in _replicas.Values) replica.Tell(new MuteReplica(mute.For));
        Sender.Tell(Done());
    }

    private void OnRetire(RetireKernel retire)
    {
        _memory.Retire();
        foreach (var replica in _replicas.Values) replica.Tell(new UnwantReplica(retire.Kill));
        Show();
    }

    private void Show()
    {
        var state = KernelScaling.State([.. _memory.Views.Values], _memory.Wanted, _memory.Begun);
        var view = KernelViews.Of(_kernel, _memory, state);
        _directory.Set(view with
        {
            Reason = view.Reason ?? _memory.Views.Values.FirstOrDefault(x => x.State == state && x.LastExit is not null && state != KernelState.Running)?.LastExit,
            CrashLoops = _memory.CrashLoops, Restarts = _memory.Restarts.Values.Sum(),
            Instances = [.. _memory.Views.Values.Where(x => x.Index < _memory.Wanted || x.State != KernelState.Stopped)],
        });
        if (_memory.Retiring && _memory.Views.Count >= _replicas.Count && _memory.Views.Values.All(x => x.State == KernelState.Stopped)) Context.Stop(Self);
        if (state == _told) return;
        _told = state;
        Context.Parent.Tell(new KernelChanged(_kernel.Name, state));
    }

    private KernelAnswer Done() => new() { Done = true, Kernels = [_kernel.Name] };
}
