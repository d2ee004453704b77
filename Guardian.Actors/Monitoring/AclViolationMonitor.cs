using Akka.Actor;
using Akka.Cluster.Tools.PublishSubscribe;
using Akka.Event;
using Guardian.Actors.Autonomy;
using Guardian.Actors.Blacklisting;
using Guardian.Actors.Bus;
using Guardian.Actors.Incidents;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Monitoring;

/// <summary>
/// Listens to the whole cluster's violations and turns them into incidents, and, where Guardian may act, into short
/// bans on this node until the run's ban arrives. Detection and raising go on under a hold.
/// </summary>
internal sealed class AclViolationMonitor : ReceiveActor, IWithTimers
{
    /// <summary>The mediator forgets its subscribers when it restarts; subscribing again is harmless.</summary>
    private static readonly TimeSpan Resubscribe = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan SubscribeRetry = TimeSpan.FromMilliseconds(500); // until the first acknowledgement

    private readonly Links _links;
    private readonly AclMonitorState _state;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly List<IActorRef> _waiting = [];
    private bool _subscribed;

    /// <summary>Whom the monitor works with.</summary>
    /// <param name="Mediator">DistributedPubSub's mediator.</param>
    /// <param name="Incidents">Shard region of incidents.</param>
    /// <param name="Blacklist">This node's Blacklist.</param>
    /// <param name="Mode">Whether it may act.</param>
    /// <param name="Time">The clock.</param>
    internal sealed record Links(IActorRef Mediator, IActorRef Incidents, IActorRef Blacklist, ModeView Mode, TimeProvider Time);

    public AclViolationMonitor(Links links, AclMonitorState state)
    {
        (_links, _state) = (links, state);
        Receive<ViolationDigest>(OnDigest);
        Receive<IncidentAccepted>(OnAccepted);
        Receive<IncidentOver>(OnOver);
        Receive<PrincipalCleared>(OnCleared);
        Receive<CountViolations>(OnCount);
        Receive<GetMonitorTotals>(OnTotals);
        Receive<AwaitMonitor>(OnAwait);
        Receive<SubscribeAck>(OnSubscribed);
        Receive<Terminated>(OnTerminated);
        Receive<SubscribeNow>(_ => Subscribe());
        Receive<SendDue>(_ => Send());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <param name="links">Whom the monitor works with.</param>
    /// <param name="state">Kept by the parent, so that it outlives the actor.</param>
    public static Props Props(Links links, AclMonitorState state) => Akka.Actor.Props.Create(() => new AclViolationMonitor(links, state));

    protected override void PreStart()
    {
        Context.Watch(_links.Mediator);
        Context.System.EventStream.Subscribe(Self, typeof(PrincipalCleared));
        Subscribe();
        ScheduleSend();
    }

    private void Subscribe()
    {
        _links.Mediator.Tell(new Subscribe(ViolationDigest.Topic, Self));
        Timers.StartSingleTimer("subscribe", SubscribeNow.Instance, _subscribed ? Resubscribe : SubscribeRetry);
    }

    private void OnSubscribed(SubscribeAck ack)
    {
        if (_subscribed) return;
        _subscribed = true;
        _state.Ledger.Begin(_links.Time.GetUtcNow());
        Timers.StartSingleTimer("subscribe", SubscribeNow.Instance, Resubscribe);
        foreach (var waiting in _waiting) waiting.Tell(MonitorReady.Instance);
        _waiting.Clear();
        _log.Info("Watching access violations on '{0}'", ack.Subscribe.Topic);
    }

    // A mediator that crashed is restarted in its place; one that stopped did so because the node leaves, and does not come back.
    private void OnTerminated(Terminated terminated)
    {
        _subscribed = false;
        Timers.Cancel("subscribe");
        _log.Warning("The mediator {0} stopped, as it does when its node leaves the cluster: access violations are not seen until this node starts again", terminated.ActorRef);
    }

    private void OnDigest(ViolationDigest digest)
    {
        var now = _links.Time.GetUtcNow();
        var deltas = _state.Ledger.Observe(digest, now);
        Remember(deltas, now);
        var observed = _state.Detector.Observe(deltas, now);
        foreach (var detection in observed.Detections) OnDetection(detection, digest.DeclaredPrincipals, now);
        foreach (var grew in observed.Grew) _state.Raises.Grew(grew);
        Send();
    }

    private void Remember(IReadOnlyList<ViolationDelta> deltas, DateTimeOffset now)
    {
        foreach (var delta in deltas)
            foreach (var e in ViolationEvent.Of(delta, now))
            {
                _state.Recent.Add(e.Principal, e.At, e.Weight);
                if (e.Topic != e.Principal) _state.Recent.Add(e.Topic, e.At, e.Weight);
            }
    }

    private void OnDetection(Detection detection, int declaredPrincipals, DateTimeOffset now)
    {
        _log.Warning("{0}: {1} ({2})", detection.Key, detection.Type, detection.Rule);
        Contain(detection, declaredPrincipals, now);
        _state.Raises.Detected(AclIncidents.Raise(detection) with { Monitor = _state.Node });
    }

    private void Contain(Detection detection, int declaredPrincipals, DateTimeOffset now)
    {
        if (detection.Principal is not { } principal) return;
        TimeSpan length = _state.Options.ProvisionalBan;
        var mayAct = _links.Mode.MayAct(RiskClass.Contain) && _links.Mode.HeldFor(detection.Type, detection.Key, detection.Subject) is null;
        if (mayAct && _state.Cap.TryTake(principal, now, now + length, declaredPrincipals))
            _links.Blacklist.Tell(new ProvisionalBan(principal, length, detection.Key, detection.Rule));
        else
            _state.BansWithheld++;
    }

    private void OnAccepted(IncidentAccepted accepted)
    {
        _state.Raises.Accepted(accepted, _links.Time.GetUtcNow());
        Send();
    }

    private void OnOver(IncidentOver over)
    {
        _state.Detector.Over(over.Key, over.Episode);
        _state.Raises.Over(over.Key, over.Episode);
    }

    private void OnCleared(PrincipalCleared cleared)
    {
        _state.Detector.Exempt(cleared.Principal, cleared.ExemptUntil);
        if (cleared.ExemptUntil is not null) _state.Cap.Release(cleared.Principal);
    }

    private void Send()
    {
        foreach (var raise in _state.Raises.Due(_links.Time.GetUtcNow())) _links.Incidents.Tell(raise);
        ScheduleSend();
    }

    private void ScheduleSend()
    {
        if (_state.Raises.NextDue() is not { } next) return;
        var wait = next - _links.Time.GetUtcNow();
        Timers.StartSingleTimer("send", SendDue.Instance, wait > TimeSpan.FromMilliseconds(1) ? wait : TimeSpan.FromMilliseconds(1));
    }

    private void OnCount(CountViolations count) => Sender.Tell(_subscribed
        ? new ViolationCount(count.Subject, _state.Recent.Count(count.Subject, count.Window, _links.Time.GetUtcNow()))
        : new ViolationCount(count.Subject, 0, "the monitor is not subscribed to the violations"));

    private void OnAwait(AwaitMonitor _)
    {
        if (_subscribed) Sender.Tell(MonitorReady.Instance);
        else _waiting.Add(Sender);
    }

    private void OnTotals(GetMonitorTotals _) => Sender.Tell(new MonitorTotals
    {
        Digests = _state.Ledger.Digests,
        Denied = _state.Ledger.Denied,
        Blacklisted = _state.Ledger.Blacklisted,
        Overflow = _state.Ledger.Overflow,
        Subjects = _state.Detector.Subjects,
        FellOut = _state.Ledger.FellOut + _state.Detector.FellOut,
        Detections = _state.Detector.Detections,
        RaisesPending = _state.Raises.Pending,
        RaisesDropped = _state.Raises.Dropped,
        BansWithheld = _state.BansWithheld,
    });

    private sealed record SubscribeNow : INoSerializationVerificationNeeded
    {
        public static readonly SubscribeNow Instance = new();
    }

    private sealed record SendDue : INoSerializationVerificationNeeded
    {
        public static readonly SendDue Instance = new();
    }
}
