using Akka.Actor;

namespace Guardian.Actors.Monitoring;

/// <summary>
/// Parent of the node's monitors. A node that does not watch is not ready: when a monitor is lost for good, so is this actor,
/// and its parent says so.
/// </summary>
internal sealed class MonitorsSupervisor : ReceiveActor
{
    private readonly IActorRef _aclViolations;

    public MonitorsSupervisor(Props aclViolations, IReadOnlyDictionary<string, Props> others)
    {
        _aclViolations = Context.Watch(Context.ActorOf(aclViolations, "acl-violations"));
        foreach (var (name, props) in others) Context.Watch(Context.ActorOf(props, name));
        Receive<AwaitMonitor>(_aclViolations.Forward);
        Receive<CountViolations>(_aclViolations.Forward);
        Receive<GetMonitorTotals>(_aclViolations.Forward);
        Receive<Terminated>(_ => Context.Stop(Self));
    }

    /// <param name="aclViolations">The AclViolationMonitor.</param>
    /// <param name="others">Further monitors by name; they answer no questions.</param>
    public static Props Props(Props aclViolations, IReadOnlyDictionary<string, Props> others) => Akka.Actor.Props.Create(() => new MonitorsSupervisor(aclViolations, others));

    protected override SupervisorStrategy SupervisorStrategy() =>
        new OneForOneStrategy(10, TimeSpan.FromMinutes(1), Decider.From(Directive.Restart));
}
