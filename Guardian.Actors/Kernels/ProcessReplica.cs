using Akka.Actor;
using Akka.Event;
using Guardian.Actors.Kernels.Processes;
using Guardian.Actors.Leasekeeping;

namespace Guardian.Actors.Kernels;

/// <summary>A replica that is a process. First of all it looks for what another Guardian has left, and adopts or ends it.</summary>
internal sealed class ProcessReplica : Replica
{
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromMilliseconds(500); // doubles, up to the longest
    private static readonly TimeSpan LookAgainAtMost = TimeSpan.FromSeconds(30);

    private readonly InstanceFolder _folder;
    private readonly HealthCheck _beats;
    private readonly HealthCheck? _readiness;
    private readonly ReplicaMemory _memory;
    private readonly ProcessRestriction _restriction;
    private readonly ControlGroup? _group;
    private readonly bool _limited;
    private TimeSpan _lookAgain = LookAgainAfter;
    private string? _obstacle;
    private bool _probing;

    public ProcessReplica(KernelDefinition kernel, int index, ReplicaMemory memory, KernelWorld world)
        : base(kernel, index, memory.Machine, world)
    {
        _memory = memory;
        _limited = kernel.Process!.Limits.Any;
        _group = ControlGroup.Find(world.Node, kernel.Name, index, kernel.Process.Limits);
        _restriction = memory.RestrictionOf(() => new ProcessRestriction(world.Leasekeeper, kernel.Name, index, _group, _limited));
        _folder = new InstanceFolder(world.Folder, kernel.Name, index);
        _beats = HealthCheck.Of(kernel.Heartbeat.Probe, kernel.Heartbeat.MissAfter);
        _readiness = kernel.Process.ReadyProbe is { } probe ? HealthCheck.Of(probe, kernel.Process.ReadyWithin) : null;
        Receive<Looked>(OnLooked);
        Receive<LookAgain>(_ => Look());
        Receive<Spawned>(OnSpawned);
        Receive<Gone>(OnGone);
        Receive<Restricted>(OnRestricted);
        Receive<Probed>(OnProbed);
        Receive<ReadyTimeout>(_ => OnNotReady());
        Receive<CheckReady>(_ => Probe(_readiness!, ready: true));
    }

    protected override ProcessIdentity? Process => _memory.Instance?.Identity;

    public static Props Props(KernelDefinition kernel, int index, ReplicaMemory memory, KernelWorld world) =>
        Akka.Actor.Props.Create(() => new ProcessReplica(kernel, index, memory, world));

    protected override void PreStart()
    {
        base.PreStart();
        if (_memory.Instance is { } kept)
        {
            // This actor crashed and its instance did not.
            Follow(kept);
            if (Machine.State == KernelState.Running) Ready();
            else BeginReadiness();
        }

        if (!_memory.Looked) Look();
    }

    private void Look()
    {
        var (folder, kernel) = (_folder, Kernel);
        Task.Run(() => ProcessInstance.AdoptAsync(folder, kernel)).PipeTo(Self, success: x => new Looked(x, null), failure: e => new Looked(null, e.GetBaseException().Message));
    }

    protected override void Start(long epoch)
    {
        if (!_memory.Looked) return; // what was left is looked for; the answer goes on here
        var (folder, kernel, index, now, group) = (_folder, Kernel, Index, World.Time.GetUtcNow(), _limited ? _group : null);
        Task.Run(() => ProcessInstance.Start(folder, kernel, index, epoch, now, group)).PipeTo(Self, success: x => new Spawned(x, null), failure: e => new Spawned(null, e.GetBaseException().Message));
    }

    protected override void Stop(bool kill)
    {
        if (_memory.Instance is not { } instance)
        {
            // Being started: Started says it again. What cannot be looked for is left to the next Guardian, its record stays.
            if (_obstacle is not null) Ended(_obstacle);
            return;
        }

        if (kill) _memory.Hurry();
        var grace = kill ? TimeSpan.Zero : Kernel.Process!.Grace;
        var (hurry, restriction) = (_memory.Hurried, _restriction);
        // What Guardian itself holds still is freed first, so that it can end in order.
        Task.Run(async () =>
        {
            try
            {
                if (!kill) await restriction.FreeAsync(CancellationToken.None).ConfigureAwait(false);
            }
            catch (LeaseRefusedException)
            {
                // Then it is killed: what is stopped is not given a grace.
            }

            await instance.StopAsync(grace, hurry).ConfigureAwait(false);
        });
    }

    protected override void Restrict(Restriction what, IActorRef asker)
    {
        _memory.Restriction = what;
        if (_memory.Instance is { } instance && Machine.State is KernelState.Running or KernelState.Starting) Apply(instance, asker);
        else asker.Tell(ReplicaRestricted.Done); // it holds for the next instance from its start
    }

    /// <summary>One change after the other: a lease is taken before the effect and released after it.</summary>
    private void Apply(ProcessInstance instance, IActorRef asker)
    {
        var (what, time) = (_memory.Restriction, World.Time);
        if (what.Percent == 0) Heart?.Expect(false); // before it is still
        _memory.Restricting = _memory.Restricting.ContinueWith(_ => _restriction.ApplyAsync(instance, what.Percent, what.Left(time), what.Reason, CancellationToken.None),
            CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).Unwrap();
        _memory.Restricting.PipeTo(Self, success: () => new Restricted(what, null, asker), failure: e => new Restricted(what, e.GetBaseException().Message, asker));
    }

    private void OnRestricted(Restricted restricted)
    {
        if (restricted.Failure is not null) Log.Error("Kernel {0}/{1}: {2}", Kernel.Name, Index, restricted.Failure);
        if (restricted.What == _memory.Restriction) Heart?.Expect(restricted.What.Percent > 0 || restricted.Failure is not null);
        if (restricted.What.Percent == 100 && Timers.IsTimerActive("ready")) AwaitReadiness();
        restricted.Asker.Tell(new ReplicaRestricted(restricted.Failure));
    }

    protected override void OnBeat()
    {
        if (Machine.State == KernelState.Running) Probe(_beats, ready: false);
    }

    private void OnLooked(Looked looked)
    {
        if (looked.Failure is { } failure)
        {
            // Nothing is started beside what may be alive.
            var obstacle = $"what an earlier Guardian left in {_folder.Full} cannot be looked for, so nothing is started: {failure}";
            if (obstacle != _obstacle) Log.Error("Kernel {0}/{1}: {2}", Kernel.Name, Index, obstacle);
            _obstacle = obstacle;
            Timers.StartSingleTimer("look", LookAgain.Instance, _lookAgain);
            _lookAgain = _lookAgain * 2 < LookAgainAtMost ? _lookAgain * 2 : LookAgainAtMost;
            if (Machine.State == KernelState.Stopping) Ended(obstacle);
            else Tell();
            return;
        }

        (_memory.Looked, _obstacle) = (true, null);
        if (looked.Instance is { } instance)
        {
            Log.Info("Kernel {0}/{1} is adopted, pid {2}", Kernel.Name, Index, instance.Identity.Pid);
            Follow(instance);
            Do(Machine.Adopted(instance.Record.Epoch, Now));
            BeginReadiness();
            RestrictFromItsStart(instance);
        }
        else if (Machine.State == KernelState.Starting)
        {
            Start(Machine.Epoch);
        }
        else if (Machine.State == KernelState.Stopping)
        {
            Ended("it was not started"); // told to end before that was known
        }
        else
        {
            Tell();
        }
    }

    private void OnSpawned(Spawned spawned)
    {
        if (spawned.Instance is not { } instance)
        {
            Ended(spawned.Failure!);
            return;
        }

        Log.Info("Kernel {0}/{1} started, pid {2}", Kernel.Name, Index, instance.Identity.Pid);
        if (instance.Unlimited is { } why && _memory.Unlimited != why) Log.Warning("Kernel {0}/{1} runs without its limits: {2}", Kernel.Name, Index, why);
        if (instance.Unrecorded is { } unrecorded) Log.Warning("Kernel {0}/{1} runs, but the disk does not take its record yet: {2}; it is tried again", Kernel.Name, Index, unrecorded);
        _memory.Unlimited = instance.Unlimited;
        Follow(instance);
        Started();
        BeginReadiness();
        RestrictFromItsStart(instance);
    }

    private void RestrictFromItsStart(ProcessInstance instance)
    {
        if (_memory.Restriction.Left(World.Time) > TimeSpan.Zero) Apply(instance, ActorRefs.Nobody);
    }

    private void Follow(ProcessInstance instance)
    {
        _memory.Instance = instance;
        instance.Ended.PipeTo(Self, success: x => new Gone(instance, x), failure: e => new Gone(instance, e.GetBaseException().Message));
    }

    private void BeginReadiness()
    {
        if (Machine.State != KernelState.Starting) return;
        if (_readiness is null)
        {
            Ready();
            return;
        }

        AwaitReadiness();
        Timers.StartPeriodicTimer("check", CheckReady.Instance, TimeSpan.Zero, HealthCheck.ReadyEvery);
    }

    private void AwaitReadiness() => Timers.StartSingleTimer("ready", ReadyTimeout.Instance, Kernel.Process!.ReadyWithin);

    private void OnNotReady()
    {
        if (_memory.Restriction.Left(World.Time) > TimeSpan.Zero)
        {
            AwaitReadiness(); // held still, or back, by Guardian itself: that is no failure of its own
            return;
        }

        Timers.Cancel("check");
        if (Machine.State == KernelState.Starting) Log.Warning("Kernel {0}/{1} was not ready within {2}", Kernel.Name, Index, Kernel.Process!.ReadyWithin);
        Do(Machine.NotReady());
    }

    private void Probe(HealthCheck check, bool ready)
    {
        if (_probing || _memory.Instance is not { } instance) return;
        _probing = true;
        var epoch = Machine.Epoch;
        check.PassesAsync(instance).PipeTo(Self, success: x => new Probed(epoch, x, ready), failure: _ => new Probed(epoch, false, ready));
    }

    private void OnProbed(Probed probed)
    {
        _probing = false;
        if (!probed.Passed || probed.Epoch != Machine.Epoch) return;
        if (!probed.Ready)
        {
            Heart?.Beat();
            return;
        }

        Timers.Cancel("check");
        Timers.Cancel("ready");
        Ready();
    }

    private void OnGone(Gone gone)
    {
        if (!ReferenceEquals(gone.Instance, _memory.Instance)) return;
        Timers.Cancel("check");
        Timers.Cancel("ready");
        _memory.Forget();
        var restriction = _restriction;
        _memory.Restricting = _memory.Restricting.ContinueWith(_ => restriction.ForgetAsync(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).Unwrap();
        Ended(gone.How);
    }

    protected override string? Unlimited => _memory.Unlimited;

    protected override string? Obstacle => _obstacle;

    protected override void PostStop()
    {
        base.PostStop();
        if (_memory.Instance is null) _group?.Remove(); // here, not on the pool: the node may end before the pool comes to it
    }

    private sealed record Looked(ProcessInstance? Instance, string? Failure) : INoSerializationVerificationNeeded;

    private sealed record LookAgain : INoSerializationVerificationNeeded
    {
        public static readonly LookAgain Instance = new();
    }

    private sealed record Spawned(ProcessInstance? Instance, string? Failure) : INoSerializationVerificationNeeded;

    private sealed record Gone(ProcessInstance Instance, string How) : INoSerializationVerificationNeeded;

    private sealed record Probed(long Epoch, bool Passed, bool Ready) : INoSerializationVerificationNeeded;

    private sealed record Restricted(Restriction What, string? Failure, IActorRef Asker) : INoSerializationVerificationNeeded;

    private sealed record ReadyTimeout : INoSerializationVerificationNeeded
    {
        public static readonly ReadyTimeout Instance = new();
    }

    private sealed record CheckReady : INoSerializationVerificationNeeded
    {
        public static readonly CheckReady Instance = new();
    }
}

/// <summary>What outlives a crash of the replica's actor.</summary>
internal sealed class ReplicaMemory(ReplicaMachine machine)
{
    private TaskCompletionSource _hurry = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ReplicaMachine Machine { get; } = machine;

    public ProcessInstance? Instance { get; set; }

    /// <summary>Why the instance runs without the limits that were declared; null where it has them, or none were.</summary>
    public string? Unlimited { get; set; }

    /// <summary>What an earlier Guardian left was looked for.</summary>
    public bool Looked { get; set; }

    /// <summary>What it may use, for the next instance too.</summary>
    public Restriction Restriction { get; set; } = Restriction.None;

    /// <summary>The change of it that is under way.</summary>
    public Task Restricting { get; set; } = Task.CompletedTask;

    private ProcessRestriction? _restriction;

    public ProcessRestriction RestrictionOf(Func<ProcessRestriction> make) => _restriction ??= make();

    /// <summary>Completes when the grace is over early.</summary>
    public Task Hurried => _hurry.Task;

    public void Hurry() => _hurry.TrySetResult();

    public void Forget()
    {
        Instance = null;
        if (_hurry.Task.IsCompleted) _hurry = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
