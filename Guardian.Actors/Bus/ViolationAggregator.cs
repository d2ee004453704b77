using Akka.Actor;
using Akka.Cluster.Tools.PublishSubscribe;

namespace Guardian.Actors.Bus;

/// <summary>
/// Publishes the node's denials. It is woken by the first one after a quiet time and then runs on its own timer, so a flood
/// puts nothing into its mailbox; what was counted lives in the table and survives its restarts.
/// </summary>
internal sealed class ViolationAggregator : ReceiveActor, IWithTimers
{
    private readonly ViolationTable _table;
    private readonly ViolationDigests _digests;
    private readonly IActorRef _mediator;
    private readonly TimeProvider _time;

    public ViolationAggregator(ViolationTable table, ViolationDigests digests, IActorRef mediator, TimeProvider time)
    {
        _table = table;
        _digests = digests;
        _mediator = mediator;
        _time = time;
        Receive<Flush>(OnFlush);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>Props. The digests' state is handed in so that the sequence goes on after a restart.</summary>
    public static Props Props(BusState state, ViolationDigests digests, IActorRef mediator) =>
        Akka.Actor.Props.Create(() => new ViolationAggregator(state.Violations, digests, mediator, state.Time));

    protected override void PreStart()
    {
        var self = Self;
        _table.Woken = () => self.Tell(Flush.Instance, ActorRefs.NoSender);
        self.Tell(Flush.Instance);
    }

    private void OnFlush(Flush _)
    {
        if (_digests.Take(_time.GetTimestamp()) is { } digest) _mediator.Tell(new Publish(ViolationDigest.Topic, digest), Self);

        // While there is news the timer is enough. Else: quiet first, look afterwards, so that what is counted in between
        // either wakes this actor or is seen here.
        if (!_digests.HasNews) _table.Quiet();
        if (_digests.Due(_time.GetTimestamp()) is { } due) Timers.StartSingleTimer(nameof(Flush), Flush.Instance, due);
    }

    private sealed record Flush : INoSerializationVerificationNeeded
    {
        public static readonly Flush Instance = new();
    }
}
