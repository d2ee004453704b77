using Akka.Actor;
using Akka.Event;
using Guardian.Actors.Bus;
using Guardian.Actors.Leasekeeping;
using Guardian.Actors.Scheduling;

namespace Guardian.Actors.Kernels;

/// <summary>What every replica needs of its node.</summary>
internal sealed record KernelWorld
{
    public required TimeProvider Time { get; init; }
    public required HeartbeatBoard Hearts { get; init; }

    /// <summary>Folder of the node's kernels.</summary>
    public required string Folder { get; init; }

    /// <summary>The node's name.</summary>
    public required string Node { get; init; }

    /// <summary>How much may be begun.</summary>
    public required SchedulerBoard Scheduler { get; init; }

    /// <summary>Leases on the operating system.</summary>
    public required ILeasekeeper Leasekeeper { get; init; }

    /// <summary>Registers a principal on the bus for an actor.</summary>
    public required Func<string, IActorRef, Task<BusPort>> Register { get; init; }
}

// From the KernelActor to its replicas

internal sealed record WantReplica : INoSerializationVerificationNeeded
{
    public static readonly WantReplica Instance = new();
}

internal sealed record UnwantReplica(bool Kill = false) : INoSerializationVerificationNeeded;

internal sealed record ReplaceReplica(bool Kill) : INoSerializationVerificationNeeded;

/// <summary>Percent that it may use for so long; 0 holds it still. Answer: <see cref="ReplicaRestricted"/>.</summary>
internal sealed record RestrictReplica(Restriction What) : INoSerializationVerificationNeeded;

/// <summary>It holds, or why not.</summary>
internal sealed record ReplicaRestricted(string? Failure) : INoSerializationVerificationNeeded
{
    public static readonly ReplicaRestricted Done = new(Failure: null);
}

/// <summary>What a kernel may use until a time; 0 percent is a pause.</summary>
/// <param name="Percent">0 to 99; 100 where nothing restricts it.</param>
/// <param name="Deadline">Its end, a monotonic timestamp: a clock that is set ends nothing early or late.</param>
/// <param name="Reason">For people.</param>
internal sealed record Restriction(int Percent, long Deadline, string Reason)
{
    public static readonly Restriction None = new(100, 0, "");

    /// <summary>How long it goes on; nothing where it has lapsed.</summary>
    public TimeSpan Left(TimeProvider time)
    {
        var now = time.GetTimestamp();
        return Percent < 100 && Deadline > now ? time.GetElapsedTime(now, Deadline) : TimeSpan.Zero;
    }
}

internal sealed record MuteReplica(TimeSpan For) : INoSerializationVerificationNeeded;

/// <summary>From a replica to its KernelActor, whenever it changed.</summary>
internal sealed record ReplicaChanged(ReplicaView View, long Restarts) : INoSerializationVerificationNeeded;

/// <summary>
/// The shell around a <see cref="ReplicaMachine"/>: carries out what it decides and tells the kernel. What an instance is made of, a process or an
/// actor, is the subclass's matter. The machine lives outside, so that a crash of this actor forgets nothing.
/// </summary>
internal abstract class Replica : ReceiveActor, IWithTimers
{
    private HeartbeatBoard.Heart? _heart;
    private ReplicaView? _told;
    private DateTimeOffset? _startedAt;

    protected Replica(KernelDefinition kernel, int index, ReplicaMachine machine, KernelWorld world)
    {
        (Kernel, Index, Machine, World) = (kernel, index, machine, world);
        Receive<WantReplica>(_ => Do(Machine.Want(Now)));
        Receive<UnwantReplica>(x => Do(Machine.Unwant(x.Kill)));
        Receive<ReplaceReplica>(x => Do(Machine.Replace(Now, x.Kill)));
        Receive<WaitOver>(_ => Do(Machine.WaitOver(Now)));
        Receive<RestrictReplica>(x => Restrict(x.What, Sender));
        Receive<MuteReplica>(x => _heart?.Mute(x.For));
        Receive<BeatNow>(_ => OnBeat());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected KernelDefinition Kernel { get; }

    protected int Index { get; }

    protected ReplicaMachine Machine { get; }

    protected KernelWorld World { get; }

    protected ILoggingAdapter Log { get; } = Context.GetLogger();

    /// <summary>Monotonic.</summary>
    protected TimeSpan Now => World.Hearts.Now;

    protected abstract ProcessIdentity? Process { get; }

    protected HeartbeatBoard.Heart? Heart => _heart;

    /// <summary>Why it runs without its limits; null where it does not.</summary>
    protected virtual string? Unlimited => null;

    /// <summary>What keeps an instance from being started; null where nothing does.</summary>
    protected virtual string? Obstacle => null;

    /// <summary>Brings an instance into being; later <see cref="Started"/> or <see cref="Ended"/>.</summary>
    protected abstract void Start(long epoch);

    /// <summary>Ends the instance; later <see cref="Ended"/>.</summary>
    protected abstract void Stop(bool kill);

    /// <summary>Changes what the instance may use; answers with <see cref="ReplicaRestricted"/>.</summary>
    protected abstract void Restrict(Restriction what, IActorRef asker);

    /// <summary>A beat is due.</summary>
    protected abstract void OnBeat();

    protected void Do(ReplicaStep step)
    {
        switch (step.Command)
        {
            case ReplicaCommand.Start:
                Start(Machine.Epoch);
                break;
            case ReplicaCommand.Stop or ReplicaCommand.Kill:
                Silence();
                Stop(step.Command == ReplicaCommand.Kill);
                break;
            case ReplicaCommand.Wait:
                Timers.StartSingleTimer("wait", WaitOver.Instance, step.Wait);
                Log.Info("Kernel {0}/{1} is started again in {2:F0} ms", Kernel.Name, Index, step.Wait.TotalMilliseconds);
                break;
        }

        Tell();
    }

    protected void Started()
    {
        _startedAt = World.Time.GetUtcNow();
        Do(Machine.Started(Now));
    }

    /// <summary>From now on it beats, and is missed when it does not.</summary>
    protected void Ready()
    {
        if (Machine.State is not (KernelState.Starting or KernelState.Running)) return;
        Machine.Ready();
        _heart = World.Hearts.Register(Kernel.Name, Index, Machine.Epoch, Kernel.Heartbeat);
        Timers.StartPeriodicTimer("beat", BeatNow.Instance, Kernel.Heartbeat.Every);
        Tell();
    }

    protected void Ended(string how)
    {
        Silence();
        _startedAt = null;
        var step = Machine.Ended(Now, how, Random.Shared.NextDouble());
        if (Machine.State == KernelState.CrashLoop)
            Log.Error("Kernel {0}/{1} has reached its limit of {2} restarts within {3} and is not started again: {4}", Kernel.Name, Index, Kernel.Restart.Max, Kernel.Restart.Within, how);
        else if (Machine.State != KernelState.Stopped)
            Log.Warning("Kernel {0}/{1} ended: {2}", Kernel.Name, Index, how);
        Do(step);
    }

    protected override void PreStart()
    {
        if (Machine.State == KernelState.BackingOff) Timers.StartSingleTimer("wait", WaitOver.Instance, TimeSpan.Zero); // this actor crashed
        Tell();
    }

    protected override void PostStop() => Silence();

    protected void Tell()
    {
        var view = new ReplicaView
        {
            Index = Index, State = Machine.State, Epoch = Machine.Epoch, Process = Process, StartedAt = _startedAt, LastExit = Obstacle ?? Machine.LastExit, Heart = _heart, Unlimited = Unlimited,
        };
        if (view == _told) return;
        _told = view;
        Context.Parent.Tell(new ReplicaChanged(view, Machine.Restarts));
    }

    private void Silence()
    {
        Timers.Cancel("beat");
        if (_heart is not null) World.Hearts.Remove(_heart);
        _heart = null;
    }

    private sealed record WaitOver : INoSerializationVerificationNeeded
    {
        public static readonly WaitOver Instance = new();
    }

    private sealed record BeatNow : INoSerializationVerificationNeeded
    {
        public static readonly BeatNow Instance = new();
    }
}
