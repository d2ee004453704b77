using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using Guardian.Actors.Bus;
using Guardian.Actors.Hosting;

namespace Guardian.Actors.Relay;

/// <summary>
/// The bus between nodes. Each node tells the others what its subscribers want; a topic's messages go to the nodes that want it, in
/// batches, at most once. Rights to publish were checked where a message was published, rights to subscribe are checked here.
/// </summary>
internal sealed class BusRelay : ReceiveActor, IWithTimers
{
    /// <summary>A change waits for others in the same moment.</summary>
    private static readonly TimeSpan Together = TimeSpan.FromMilliseconds(20);

    /// <summary>A lost notice is repaired so soon; a few dozen bytes for each node.</summary>
    private static readonly TimeSpan Repeat = TimeSpan.FromSeconds(2);

    /// <summary>Batches without an answer for so long are lost, as is whatever was in them.</summary>
    private static readonly TimeSpan Overdue = TimeSpan.FromSeconds(3);

    private readonly Links _links;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Cluster _cluster = Cluster.Get(Context.System);
    private readonly RelayedDelivery _delivery;
    private readonly string _path;
    private long _seen = -1;

    public BusRelay(Links links)
    {
        _links = links;
        _delivery = new RelayedDelivery(links.Bus);
        _path = Self.Path.ToStringWithoutAddress();
        Receive<ClusterEvent.MemberRemoved>(x => Leave(x.Member));
        Receive<ClusterEvent.IMemberEvent>(x => Meet(x.Member));
        Receive<InterestChanged>(_ => Timers.StartSingleTimer(nameof(TellInterest), TellInterest.Instance, Together));
        Receive<TellInterest>(_ => TellAll());
        Receive<Tick>(OnTick);
        Receive<Wake>(x => Send(x.Peer));
        Receive<BusInterest>(OnInterest);
        Receive<GetBusInterest>(x => FromMember(x, _ => Sender.Tell(Interest(full: true))));
        Receive<RelayBatch>(OnBatch);
        Receive<RelayAck>(OnAck);
    }

    /// <summary>What the relay works on.</summary>
    internal sealed record Links(BusState Bus, RelayState State, Func<string> PolicyHash, Func<string> PlaybooksHash);

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(Links links) => Akka.Actor.Props.Create(() => new BusRelay(links));

    protected override void PreStart()
    {
        var self = Self;
        _links.Bus.Relay = _links.State;
        _links.Bus.Subscriptions.InterestChanged = () => self.Tell(InterestChanged.Instance, ActorRefs.NoSender);
        _cluster.Subscribe(self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents, typeof(ClusterEvent.IMemberEvent));
        Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, Repeat);
        self.Tell(TellInterest.Instance);
        foreach (var peer in _links.State.Peers.Values) Send(peer.Subscriber); // after a restart
    }

    protected override void PostStop() => _cluster.Unsubscribe(Self);

    private void Meet(Member member)
    {
        if (member.UniqueAddress.Equals(_cluster.SelfUniqueAddress) || member.Status is MemberStatus.Down or MemberStatus.Removed) return;
        if (NodeRoles.NameOf(member) is not { } name || _links.State.Peers.ContainsKey(member.UniqueAddress)) return;
        var self = Self;
        _links.State.Peers[member.UniqueAddress] = new Peer(member, new PeerSubscriber(name, _links.State.Options, _links.State.Metrics,
            x => self.Tell(new Wake(x), ActorRefs.NoSender)));
        RelayOf(member.Address).Tell(Interest(full: true));
        RelayOf(member.Address).Tell(GetBusInterest.Instance);
    }

    private void Leave(Member member)
    {
        if (!_links.State.Peers.TryRemove(member.UniqueAddress, out var peer)) return;
        _links.Bus.Subscriptions.SetPeer(peer.Subscriber, []);
        peer.Subscriber.Close();
    }

    private void TellAll()
    {
        var version = _links.Bus.Subscriptions.InterestVersion;
        if (version != _seen)
        {
            _seen = version;
            var patterns = InterestSummary.Of(_links.Bus.Subscriptions.Interest());
            if (!patterns.SequenceEqual(_links.State.Told.Patterns)) _links.State.Told = (_links.State.Told.Version + 1, patterns);
        }

        var interest = Interest(full: true);
        foreach (var peer in _links.State.Peers.Values) RelayOf(peer.Member.Address).Tell(interest);
    }

    private void OnTick(Tick _)
    {
        var brief = Interest(full: false);
        foreach (var peer in _links.State.Peers.Values)
        {
            RelayOf(peer.Member.Address).Tell(brief);
            if (peer.Subscriber.UnderWay == 0 || _links.Bus.Time.GetElapsedTime(peer.Subscriber.ProgressAt) < Overdue) continue;
            peer.Subscriber.UnderWay = 0;
            Send(peer.Subscriber);
        }
    }

    private BusInterest Interest(bool full) => new()
    {
        Incarnation = _links.Bus.Incarnation, Version = _links.State.Told.Version, Patterns = full ? _links.State.Told.Patterns : null, PolicyHash = _links.PolicyHash(), PlaybooksHash = _links.PlaybooksHash(),
    };

    private void OnInterest(BusInterest x) => FromMember(x, peer =>
    {
        (peer.PolicyHash, peer.PlaybooksHash) = (x.PolicyHash, x.PlaybooksHash);
        if (peer.Interest is { } known && (x.Incarnation, x.Version).CompareTo(known) <= 0) return;
        if (x.Patterns is not { } patterns)
        {
            Sender.Tell(GetBusInterest.Instance);
            return;
        }

        peer.Interest = (x.Incarnation, x.Version);
        _links.Bus.Subscriptions.SetPeer(peer.Subscriber, [.. patterns.Where(p => Access.TopicNames.IsPattern(p, out _)).Take(InterestSummary.MaxPatterns)]);
    });

    private void Send(PeerSubscriber peer)
    {
        while (peer.UnderWay < PeerSubscriber.Window && !peer.Closed)
        {
            var messages = peer.Take();
            if (messages.Count == 0) return;
            if (_links.State.Peers.Values.FirstOrDefault(x => x.Subscriber == peer) is not { } to) return;
            peer.UnderWay++;
            peer.ProgressAt = _links.Bus.Time.GetTimestamp();
            _links.State.Metrics.Sent(messages.Count);
            RelayOf(to.Member.Address).Tell(new RelayBatch { Incarnation = _links.Bus.Incarnation, Messages = messages });
        }
    }

    private void OnBatch(RelayBatch batch) => FromMember(batch, peer =>
    {
        foreach (var message in batch.Messages)
        {
            if (!peer.Arrived.Take(batch.Incarnation, message.Sequence, out var lost)) continue;
            if (lost > 0) _links.State.Metrics.Lost(lost);
            _links.State.Metrics.Received();
            if (!_delivery.Deliver(message)) _links.State.Metrics.Refused();
        }

        Sender.Tell(new RelayAck { Incarnation = batch.Incarnation, Sequence = batch.Messages.Count == 0 ? 0 : batch.Messages[^1].Sequence });
    });

    private void OnAck(RelayAck ack) => FromMember(ack, peer =>
    {
        if (ack.Incarnation != _links.Bus.Incarnation) return;
        peer.Subscriber.UnderWay = Math.Max(0, peer.Subscriber.UnderWay - 1);
        peer.Subscriber.ProgressAt = _links.Bus.Time.GetTimestamp();
        Send(peer.Subscriber);
    });

    /// <summary>Only members with Guardian are listened to; the connection says who it is.</summary>
    private void FromMember(object message, Action<Peer> then)
    {
        var address = Sender.Path.Address;
        if (_links.State.Peers.Values.FirstOrDefault(x => x.Member.Address.Equals(address)) is { } peer)
        {
            then(peer);
            return;
        }

        if (message is RelayBatch) _links.State.Metrics.Rejected(); // the rest is repeated by members that are not known yet
        _log.Debug("Refused what {0} says: not a member of the cluster, or not known as one yet", Sender);
    }

    private ActorSelection RelayOf(Address address) => Context.System.ActorSelection(new RootActorPath(address) + _path);

    private sealed record Wake(PeerSubscriber Peer) : INoSerializationVerificationNeeded;

    private sealed record InterestChanged : INoSerializationVerificationNeeded
    {
        public static readonly InterestChanged Instance = new();
    }

    private sealed record TellInterest : INoSerializationVerificationNeeded
    {
        public static readonly TellInterest Instance = new();
    }

    private sealed record Tick : INoSerializationVerificationNeeded
    {
        public static readonly Tick Instance = new();
    }
}
