using Akka.Actor;
using Akka.Event;

namespace Guardian.Actors.Hosting;

/// <summary>
/// /user/guardian: the parent of everything on this node. Starts the children at once, then asks each phase's contract
/// in order until it holds; the node is ready when all do. A child that crashes is restarted; one that is lost for good
/// makes the node unready and ends the process where Guardian is the host, for its own supervisor to restart.
/// </summary>
internal sealed class GuardianSupervisor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan ContractTimeout = TimeSpan.FromSeconds(5); // several sharding retries fit in
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(100); // short: it is part of the start-up time

    private readonly Func<IActorContext, BootPlan> _build;
    private readonly BootState _state;
    private readonly TimeProvider _time;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Dictionary<IActorRef, string> _required = [];
    private BootPlan _plan = null!;
    private int _phase;
    private long _phaseStarted;

    /// <param name="build">Creates the children in the supervisor's context.</param>
    /// <param name="state">Where readiness and loss are reported.</param>
    /// <param name="time">Clock of the phases.</param>
    public static Props Props(Func<IActorContext, BootPlan> build, BootState state, TimeProvider time) =>
        Akka.Actor.Props.Create(() => new GuardianSupervisor(build, state, time));

    public GuardianSupervisor(Func<IActorContext, BootPlan> build, BootState state, TimeProvider time)
    {
        (_build, _state, _time) = (build, state, time);
        Receive<CheckPhase>(_ => Check());
        Receive<ContractHeld>(OnHeld);
        Receive<ContractFailed>(OnFailed);
        Receive<Terminated>(OnTerminated);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>Ten restarts a minute: enough for a fault that passes, too few for one that does not.</summary>
    protected override SupervisorStrategy SupervisorStrategy() =>
        new OneForOneStrategy(10, TimeSpan.FromMinutes(1), _ => Directive.Restart);

    protected override void PreStart()
    {
        _plan = _build(Context);
        foreach (var (child, name) in _plan.Required)
        {
            _required[child] = name;
            Context.Watch(child);
        }

        _state.Begin(_plan.Phases.Select(x => x.Name));
        _phaseStarted = _time.GetTimestamp();
        Self.Tell(CheckPhase.Instance);
    }

    /// <summary>A crash here is a defect that no restart mends: the references that HTTP holds would be stale.</summary>
    protected override void PreRestart(Exception reason, object message)
    {
        _state.Lost("guardian");
        base.PreRestart(reason, message);
    }

    private void Check()
    {
        if (_phase >= _plan.Phases.Count) return;
        var phase = _plan.Phases[_phase];
        Contract(phase).PipeTo(Self, failure: e => new ContractFailed(phase.Name, e.GetBaseException().Message));
    }

    private static async Task<object> Contract(BootPhase phase)
    {
        using var timeout = new CancellationTokenSource(ContractTimeout);
        await phase.Contract(timeout.Token).WaitAsync(timeout.Token);
        return new ContractHeld(phase.Name);
    }

    private void OnHeld(ContractHeld held)
    {
        _state.Held(held.Phase, _time.GetElapsedTime(_phaseStarted));
        _phaseStarted = _time.GetTimestamp();
        _phase++;
        if (_phase == _plan.Phases.Count) _log.Info("Guardian is ready: {0}", _state.Summary());
        Check();
    }

    private void OnFailed(ContractFailed failed)
    {
        if (_state.Waiting(failed.Phase, failed.Reason)) _log.Warning("Guardian waits for {0}: {1}", failed.Phase, failed.Reason);
        Timers.StartSingleTimer("check", CheckPhase.Instance, RetryPause);
    }

    private void OnTerminated(Terminated terminated)
    {
        if (!_required.Remove(terminated.ActorRef, out var name)) return;
        _log.Error("Guardian lost {0} for good; this node is not ready any more", name);
        _state.Lost(name);
    }

    private sealed record CheckPhase : INoSerializationVerificationNeeded
    {
        public static readonly CheckPhase Instance = new();
    }

    private sealed record ContractHeld(string Phase) : INoSerializationVerificationNeeded;

    private sealed record ContractFailed(string Phase, string Reason) : INoSerializationVerificationNeeded;
}

/// <summary>A step of the start: it is through when the contract's task completes.</summary>
internal sealed record BootPhase(string Name, Func<CancellationToken, Task> Contract);

/// <summary>The children whose loss is fatal, and the phases in order.</summary>
internal sealed record BootPlan(IReadOnlyList<(IActorRef Child, string Name)> Required, IReadOnlyList<BootPhase> Phases);
