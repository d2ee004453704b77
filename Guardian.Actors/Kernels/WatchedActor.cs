using Akka.Actor;

namespace Guardian.Actors.Kernels;

/// <summary>
/// Stands for an actor that somebody else owns: asks it on its own terms whether it lives, and ends when it does. Its traffic stays where
/// it is. A further instance asks the owner to bring the actor back.
/// </summary>
internal sealed class WatchedActor : ReceiveActor, IWithTimers
{
    private readonly KernelContext _context;
    private readonly WatchedTarget _target;
    private readonly TimeSpan _every;
    private IActorRef _actor = ActorRefs.Nobody;

    public WatchedActor(KernelContext context, WatchedTarget target, TimeSpan every)
    {
        (_context, _target, _every) = (context, target, every);
        Receive<Found>(OnFound);
        Receive<PingNow>(_ => _actor.Tell(_target.Ping));
        Receive<Terminated>(x => throw new InvalidOperationException($"{x.ActorRef.Path} terminated"));
        Receive<Status.Failure>(x => throw new InvalidOperationException(x.Cause.GetBaseException().Message));
        ReceiveAny(OnAnswer);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(KernelContext context, WatchedTarget target, TimeSpan every) => Akka.Actor.Props.Create(() => new WatchedActor(context, target, every));

    protected override void PreStart() => _target.NextAsync(Context.System).PipeTo(Self, success: x => new Found(x), failure: e => new Status.Failure(e));

    private void OnFound(Found found)
    {
        _actor = Context.Watch(found.Actor);
        _context.Beat();
        Timers.StartPeriodicTimer("ping", PingNow.Instance, TimeSpan.Zero, _every);
    }

    /// <summary>Whatever it answers, it lives.</summary>
    private void OnAnswer(object _)
    {
        if (Sender.Equals(_actor)) _context.Beat();
    }

    private sealed record Found(IActorRef Actor) : INoSerializationVerificationNeeded;

    private sealed record PingNow : INoSerializationVerificationNeeded
    {
        public static readonly PingNow Instance = new();
    }
}

/// <summary>An actor of the application, and how its owner brings it back.</summary>
internal sealed class WatchedTarget(Func<ActorSystem, Task<IActorRef>> find, object ping, Func<IActorRef, Task<IActorRef>>? restart)
{
    private IActorRef? _known;

    public object Ping { get; } = ping;

    /// <summary>The actor as it is found first; afterwards what its owner made of it. Without an owner's word it is looked for again.</summary>
    public async Task<IActorRef> NextAsync(ActorSystem system)
    {
        var known = _known;
        return _known = known is null || restart is null ? await find(system).ConfigureAwait(false) : await restart(known).ConfigureAwait(false);
    }
}
