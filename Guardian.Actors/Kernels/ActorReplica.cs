using Akka.Actor;
using Guardian.Actors.Bus;
using Guardian.Actors.Leasekeeping;

namespace Guardian.Actors.Kernels;

/// <summary>
/// A replica that is one of the application's actors. Its crash ends it: starting it anew is the kernel's matter, with back-off and limit.
/// An actor cannot be killed: one that never returns from a message stays, and no other takes its place.
/// </summary>
internal sealed class ActorReplica : Replica
{
    private IActorRef? _actor;
    private KernelContext? _context;
    private string _how = "it stopped";
    private int _percent = 100;

    public ActorReplica(KernelDefinition kernel, int index, ReplicaMachine machine, KernelWorld world)
        : base(kernel, index, machine, world) => Receive<Terminated>(OnTerminated);

    protected override ProcessIdentity? Process => null;

    public static Props Props(KernelDefinition kernel, int index, ReplicaMachine machine, KernelWorld world) =>
        Akka.Actor.Props.Create(() => new ActorReplica(kernel, index, machine, world));

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(e =>
    {
        _how = $"{e.GetType().Name}: {e.Message}";
        return Directive.Stop;
    });

    protected override void PreStart()
    {
        base.PreStart();
        if (Machine.Alive) Ended("the actor that watches over it crashed"); // its children went with it
    }

    protected override void Start(long epoch)
    {
        var port = new TaskCompletionSource<BusPort>(TaskCreationOptions.RunContinuationsAsynchronously);
        _context = new KernelContext(Kernel.Name, epoch, port.Task);
        _how = "it stopped";
        try
        {
            _actor = Context.Watch(Context.ActorOf(Kernel.Actor!.Make(Context.System, _context), $"instance-{epoch}"));
        }
        catch (Exception e) // the application's factory may throw anything
        {
            Ended($"it cannot be made: {e.GetBaseException().Message}");
            return;
        }

        Register(_actor, port);
        Started();
        Ready();
        _context.Give(Heart);
        if (_percent != 100) Signal();
    }

    protected override void Stop(bool kill)
    {
        if (_actor is not null) Context.Stop(_actor);
    }

    protected override void Restrict(Restriction what, IActorRef asker)
    {
        _percent = what.Percent;
        Heart?.Expect(_percent > 0 || !Kernel.Heartbeat.ByItself);
        if (_context is not null) Signal();
        asker.Tell(ReplicaRestricted.Done);
    }

    /// <summary>Beats for the actor while it lives; one that beats itself is on its own.</summary>
    protected override void OnBeat()
    {
        if (!Kernel.Heartbeat.ByItself) Heart?.Beat();
    }

    private void Signal() => _actor?.Tell(_context!.Set(_percent == 0, Math.Max(1, _percent)));

    private void Register(IActorRef actor, TaskCompletionSource<BusPort> port) => World.Register(Kernel.Name, actor).ContinueWith(
        x =>
        {
            if (x.IsCompletedSuccessfully) port.TrySetResult(x.Result);
            else port.TrySetException(x.Exception?.GetBaseException() ?? new OperationCanceledException());
        }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private void OnTerminated(Terminated terminated)
    {
        if (!terminated.ActorRef.Equals(_actor)) return;
        (_actor, _context) = (null, null);
        Ended(_how);
    }
}
