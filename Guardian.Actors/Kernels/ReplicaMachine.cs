namespace Guardian.Actors.Kernels;

/// <summary>What a replica's actor has to do next.</summary>
internal enum ReplicaCommand
{
    None,

    /// <summary>Start an instance with <see cref="ReplicaMachine.Epoch"/>.</summary>
    Start,

    /// <summary>End the instance in order.</summary>
    Stop,

    /// <summary>End it at once.</summary>
    Kill,

    /// <summary>Say <see cref="ReplicaMachine.WaitOver"/> after <see cref="ReplicaStep.Wait"/>.</summary>
    Wait,
}

/// <summary>The next thing to do.</summary>
internal readonly record struct ReplicaStep(ReplicaCommand Command, TimeSpan Wait = default)
{
    public static readonly ReplicaStep Nothing;
}

/// <summary>
/// Decides the life of one replica. Pure; times come in and are monotonic. An instance counts as alive from the moment it is to be started until
/// it has ended without a rest, and no other is started meanwhile: there are never two.
/// </summary>
internal sealed class ReplicaMachine(RestartSpec spec, long epoch)
{
    private readonly RestartPolicy _policy = new(spec);
    private bool _wanted;
    private bool _alive;
    private bool _replacing;
    private bool _kill;
    private TimeSpan _startedAt;

    /// <summary>An instance lives, is being started or being ended.</summary>
    public bool Alive => _alive;

    public KernelState State { get; private set; } = KernelState.Stopped;

    /// <summary>Number of the instance that lives, or lived last.</summary>
    public long Epoch { get; private set; } = epoch;

    /// <summary>Instances that were followed by another one.</summary>
    public long Restarts { get; private set; }

    /// <summary>How the instance before ended.</summary>
    public string? LastExit { get; private set; }

    /// <summary>It is to run.</summary>
    public ReplicaStep Want(TimeSpan now)
    {
        if (_wanted) return ReplicaStep.Nothing;
        _wanted = true;
        return _alive ? ReplicaStep.Nothing : Start(now);
    }

    /// <summary>It is not to run.</summary>
    public ReplicaStep Unwant(bool kill = false)
    {
        _wanted = false;
        if (_alive) return End(kill);
        State = KernelState.Stopped;
        return ReplicaStep.Nothing;
    }

    /// <summary>Another instance takes its place, also out of a crash loop.</summary>
    public ReplicaStep Replace(TimeSpan now, bool kill)
    {
        _wanted = true;
        _policy.Reset();
        if (!_alive) return Start(now);
        _replacing = true;
        return End(kill);
    }

    /// <summary>An instance of the life before was found alive.</summary>
    public ReplicaStep Adopted(long epoch, TimeSpan now)
    {
        (_alive, _startedAt, Epoch, State) = (true, now, epoch, KernelState.Starting);
        return _wanted ? ReplicaStep.Nothing : End(kill: false);
    }

    /// <summary>The instance exists.</summary>
    public ReplicaStep Started(TimeSpan now)
    {
        _startedAt = now;
        return State == KernelState.Stopping ? End(_kill) : ReplicaStep.Nothing;
    }

    /// <summary>The instance does its work.</summary>
    public void Ready()
    {
        if (State == KernelState.Starting) State = KernelState.Running;
    }

    /// <summary>The instance was not ready in time: as good as crashed.</summary>
    public ReplicaStep NotReady() => State == KernelState.Starting ? End(kill: true) : ReplicaStep.Nothing;

    /// <summary>Nothing of the instance is left, or it could not be started.</summary>
    /// <param name="now">When.</param>
    /// <param name="how">For people.</param>
    /// <param name="random">0 to 1.</param>
    public ReplicaStep Ended(TimeSpan now, string how, double random)
    {
        var lived = State == KernelState.Starting ? TimeSpan.Zero : now - _startedAt; // what was never ready was never healthy
        (_alive, _kill, LastExit) = (false, false, how);
        if (!_wanted)
        {
            _replacing = false;
            State = KernelState.Stopped;
            return ReplicaStep.Nothing;
        }

        Restarts++;
        if (_replacing) return Start(now);
        var decision = _policy.Crashed(now, lived, random);
        if (!decision.Again)
        {
            State = KernelState.CrashLoop;
            return ReplicaStep.Nothing;
        }

        if (decision.Wait == TimeSpan.Zero) return Start(now);
        State = KernelState.BackingOff;
        return new ReplicaStep(ReplicaCommand.Wait, decision.Wait);
    }

    /// <summary>The back-off has passed.</summary>
    public ReplicaStep WaitOver(TimeSpan now) => _wanted && !_alive && State == KernelState.BackingOff ? Start(now) : ReplicaStep.Nothing;

    private ReplicaStep Start(TimeSpan now)
    {
        (_alive, _replacing, _startedAt, State) = (true, false, now, KernelState.Starting);
        Epoch++;
        return new ReplicaStep(ReplicaCommand.Start);
    }

    private ReplicaStep End(bool kill)
    {
        State = KernelState.Stopping;
        _kill |= kill;
        return new ReplicaStep(_kill ? ReplicaCommand.Kill : ReplicaCommand.Stop);
    }
}
