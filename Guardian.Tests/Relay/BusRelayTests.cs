using System.Diagnostics;
using Akka.Actor;
using Akka.Cluster;
using Akka.Configuration;
using Guardian.Actors.Access;
using Guardian.Actors.Blacklisting;
using Guardian.Actors.Bus;
using Guardian.Actors.Hosting;
using Guardian.Actors.Relay;
using Guardian.Tests.Blacklisting;

namespace Guardian.Tests.Relay;

/// <summary>Two nodes' buses over real remoting: what is published on one reaches the allowed subscribers of the other.</summary>
public sealed class BusRelayTests : IAsyncLifetime
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);
    private readonly Node _a = new("a");
    private readonly Node _b = new("b");
    private readonly Node _stranger = new("stranger");

    public async Task InitializeAsync()
    {
        foreach (var node in new[] { _a, _b }) Akka.Cluster.Cluster.Get(node.System).Join(Akka.Cluster.Cluster.Get(_a.System).SelfAddress);
        await UntilAsync(() => Akka.Cluster.Cluster.Get(_b.System).State.Members.Count(x => x.Status == MemberStatus.Up) == 2);
    }

    public Task DisposeAsync() => Task.WhenAll(_a.System.Terminate(), _b.System.Terminate(), _stranger.System.Terminate());

    private static async Task UntilAsync(Func<bool> condition, string what = "")
    {
        var clock = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (!condition())
        {
            clock.Elapsed.Should().BeLessThan(Soon, what);
            await timer.WaitForNextTickAsync();
        }
    }

    /// <summary>The topic's interest of b has reached a.</summary>
    private Task WantedAsync(string topic) => UntilAsync(() => _a.State.Subscriptions.Resolve(topic, _a.State.Policies.Current).Subscribers.Any(x => x.IsPeer), $"b's interest in {topic}");

    [Fact]
    public async Task Messages_reach_allowed_subscribers_of_the_other_node_in_order_and_once()
    {
        var (_, stream) = _b.Gateway.ClientPort("bob").OpenStream("a.>");
        await WantedAsync("a.x");
        var port = _a.Gateway.ClientPort("alice");
        for (var i = 0; i < 2_000; i++) port.Publish("a.x", BitConverter.GetBytes(i), "text/plain").Accepted.Should().BeTrue();
        port.Publish("a.sealed.x", new byte[1]).Outcome.Should().Be(PublishOutcome.AclDenied);
        _a.Gateway.ClientPort("keeper").Publish("a.sealed.y", new byte[1]).Accepted.Should().BeTrue();
        port.Publish("a.x", new byte[256 * 1024]).Accepted.Should().BeTrue();

        using var deadline = new CancellationTokenSource(Soon);
        for (var i = 0; i < 2_000; i++)
        {
            var message = await stream!.Reader.ReadAsync(deadline.Token);
            (BitConverter.ToInt32(message.Body.Span), message.Principal, message.Topic, message.ContentType).Should().Be((i, "alice", "a.x", "text/plain"));
        }

        (await stream!.Reader.ReadAsync(deadline.Token)).Body.Length.Should().Be(256 * 1024, "bob may not receive what the keeper sealed");
        await UntilAsync(() => _a.Relay.Waiting == 0);
        var (sent, received) = (_a.Relay.Counters(), _b.Relay.Counters());
        (sent.Sent, sent.Dropped, received.Received, received.Lost, received.Refused).Should().Be((2_002, 0, 2_002, 0, 0));
        _b.Relay.Counters().Sent.Should().Be(0, "what came from a node goes to no other");
        _a.Gateway.Counters().Delivered.Should().Be(0, "nobody subscribed here");
    }

    [Fact]
    public async Task Only_nodes_with_subscribers_get_anything_and_an_end_is_heard()
    {
        var port = _a.Gateway.ClientPort("alice");
        var (_, other) = _b.Gateway.ClientPort("bob").OpenStream("b.>");
        await WantedAsync("b.x");
        port.Publish("a.x", new byte[1]).Accepted.Should().BeTrue();
        _a.Gateway.ClientPort("guardian-like").Publish("scheduler.x", new byte[1]);
        other!.Dispose();
        await UntilAsync(() => !_a.State.Subscriptions.Resolve("b.x", _a.State.Policies.Current).Subscribers.Any(x => x.IsPeer));
        port.Publish("b.x", new byte[1]).Accepted.Should().BeTrue();
        await UntilAsync(() => _a.State.Queued == 0);
        _a.Relay.Counters().Sent.Should().Be(0);
    }

    [Fact]
    public async Task After_a_crash_of_the_relay_new_interest_is_still_heard_and_messages_still_flow()
    {
        var (_, first) = _b.Gateway.ClientPort("bob").OpenStream("a.one.>");
        await WantedAsync("a.one.x");
        foreach (var node in new[] { _a, _b }) node.RelayActor.Tell(Kill.Instance);
        var (_, second) = _b.Gateway.ClientPort("bob").OpenStream("b.>");
        await WantedAsync("b.x");
        var port = _a.Gateway.ClientPort("alice");
        port.Publish("a.one.x", new byte[1]).Accepted.Should().BeTrue();
        port.Publish("b.x", new byte[1]).Accepted.Should().BeTrue();
        using var deadline = new CancellationTokenSource(Soon);
        (await first!.Reader.ReadAsync(deadline.Token)).Topic.Should().Be("a.one.x");
        (await second!.Reader.ReadAsync(deadline.Token)).Topic.Should().Be("b.x");
        _b.Relay.Counters().Lost.Should().Be(0);
    }

    [Fact]
    public async Task A_topic_of_the_node_itself_stays_here()
    {
        _b.Gateway.ClientPort("bob").OpenStream(">").Result.Outcome.Should().Be(PublishOutcome.AclDenied);
        _b.Gateway.ClientPort("overseer").OpenStream(">").Result.Accepted.Should().BeTrue();
        await WantedAsync("a.x");
        _a.State.Subscriptions.Resolve("scheduler.load_shedding", _a.State.Policies.Current).Subscribers.Should().BeEmpty();
        _a.State.Subscriptions.Resolve("guardian.anything", _a.State.Policies.Current).Subscribers.Should().BeEmpty();
    }

    [Fact]
    public async Task Who_is_no_member_is_not_heard()
    {
        var (_, stream) = _b.Gateway.ClientPort("bob").OpenStream("a.>");
        var forged = new RelayBatch { Incarnation = long.MaxValue, Messages = [new RelayedMessage { Sequence = 1, Id = "x", Topic = "a.x", Principal = "guardian", Body = new byte[1], At = DateTimeOffset.UtcNow }] };
        var address = Akka.Cluster.Cluster.Get(_b.System).SelfAddress;
        _stranger.System.ActorSelection(new RootActorPath(address) / "user" / "parent" / "relay").Tell(forged, _stranger.RelayActor);
        await UntilAsync(() => _b.Relay.Counters().Rejected > 0);
        stream!.Reader.TryRead(out _).Should().BeFalse();
        _b.Relay.Counters().Received.Should().Be(0);
    }

    [Fact]
    public async Task A_node_that_is_gone_is_forgotten_and_publishing_goes_on()
    {
        _b.Gateway.ClientPort("bob").OpenStream("a.>");
        await WantedAsync("a.x");
        await Akka.Cluster.Cluster.Get(_b.System).LeaveAsync();
        await UntilAsync(() => _a.Relay.Peers.IsEmpty);
        _a.Gateway.ClientPort("alice").Publish("a.x", new byte[1]).Accepted.Should().BeTrue();
        _a.State.Subscriptions.Resolve("a.x", _a.State.Policies.Current).Subscribers.Should().BeEmpty();
    }

    private sealed class Node
    {
        public Node(string name)
        {
            PolicyStore.TryCompile("access.yaml", """
                apiVersion: guardian/v1
                kind: AccessPolicy
                controlTopics: ["control.>"]
                roles:
                  user:
                    publish: { allow: ["a.>", "b.>"], deny: ["a.sealed.>"] }
                    subscribe: { allow: ["a.>", "b.>"], deny: ["a.sealed.>"] }
                principals:
                  alice: { roles: [user] }
                  bob: { roles: [user] }
                  keeper: { publish: { allow: ["a.>"] } }
                  overseer: { subscribe: { allow: [">"] } }
                """, 1000, out var policy, out var errors).Should().BeTrue(string.Join('\n', errors));
            System = ActorSystem.Create("guardian", ConfigurationFactory.ParseString($$"""
                akka.loglevel = ERROR
                akka.cluster { roles = [guardian, "guardian-node:{{name}}"], leader-actions-interval = 100ms, gossip-interval = 100ms }
                akka.remote.dot-netty.tcp { maximum-frame-size = 1 MiB, send-buffer-size = 1 MiB, receive-buffer-size = 1 MiB }
                """).WithFallback(GuardianHocon.Sections).WithFallback(ClusterHocon.Of()));
            State = BusState.Create(new BusOptions { DefaultQueue = 100_000 }, new PolicyStore(policy, TimeProvider.System, TimeSpan.FromMinutes(10)), new BanView(TimeProvider.System), TimeProvider.System, name, 7);
            Gateway = new BusGateway(State, System.ActorOf(MessageBus.Props(State, ActorRefs.Nobody), "bus"));
            var relay = BusRelay.Props(new BusRelay.Links(State, Relay, () => "p", () => "b"));
            RelayActor = System.ActorOf(Props.Create(() => new Parent(relay)), "parent").Ask<IActorRef>("relay", Soon).GetAwaiter().GetResult();
        }

        public ActorSystem System { get; }
        public BusState State { get; }
        public BusGateway Gateway { get; }
        public RelayState Relay { get; } = new(new RelayOptions());
        public IActorRef RelayActor { get; }
    }

    /// <summary>Restarts whatever crashes, as Guardian's supervisor does.</summary>
    private sealed class Parent : ReceiveActor
    {
        public Parent(Props relay)
        {
            var child = Context.ActorOf(relay, "relay");
            ReceiveAny(_ => Sender.Tell(child));
        }

        protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Restart);
    }
}
