using System.Collections.Concurrent;
using Akka.Actor;
using Guardian.Actors.Bus;

namespace Guardian.Tests.Bus;

public sealed class RestartTests : BusFixture
{
    [Fact]
    public async Task Every_accepted_message_arrives_once_in_order_across_restarts_of_bus_and_topics()
    {
        const int messages = 20_000;
        var received = new ConcurrentDictionary<string, ConcurrentQueue<int>>();
        var collector = Sys.ActorOf(Props.Create(() => new Collector(received)));
        string[] names = ["alice", "bob"];
        Gateway.ClientPort("alice").Subscribe("a.>", collector).Accepted.Should().BeTrue();
        var accepted = new ConcurrentDictionary<string, List<int>>();
        var publishers = names.Select(name => Task.Run(() =>
        {
            var port = Gateway.ClientPort(name);
            var mine = accepted[name] = [];
            for (var i = 0; i < messages; i++)
            {
                if (Publish(port, "a.x", i).Accepted) mine.Add(i);
            }
        })).ToList();
        (await Bus.Ask<BusCommandResult>(new RestartBus("run-1/step", "test"), TimeSpan.FromSeconds(10))).Done.Should().BeTrue();
        for (var i = 0; i < 5; i++)
        {
            Bus.Tell(new RegisterPrincipal("alice", null!)); // crashes the bus
            foreach (var actor in State.Topics.All.Select(x => x.Actor)) actor?.Tell(i == 3 ? PoisonPill.Instance : Kill.Instance);
            await Bus.Ask<BusHealth>(GetBusHealth.Instance, TimeSpan.FromSeconds(10));
        }

        await Task.WhenAll(publishers);
        await AwaitAssertAsync(
            () =>
            {
                foreach (var name in names) received.GetOrAdd(name, _ => new()).Should().Equal(accepted[name]);
            },
            TimeSpan.FromSeconds(30));
        await AwaitAssertAsync(() => Gateway.Counters().Queued.Should().Be(0), TimeSpan.FromSeconds(10));
        var counters = Gateway.Counters();
        counters.Sent.Should().Be(2 * messages);
        counters.Restarts.Should().BeGreaterThanOrEqualTo(6);
        State.Parked.Should().Contain(x => x.Message == nameof(RegisterPrincipal));
    }

    [Fact]
    public async Task A_restart_on_command_is_done_once_in_the_interval_and_answered_afterwards()
    {
        (await Ask("k1")).Should().Be(new BusCommandResult(true));
        State.Restarts.Should().Be(1);
        (await Ask("k1")).Done.Should().BeTrue("the same request is answered, not repeated");
        var second = await Ask("k2");
        second.Done.Should().BeFalse();
        second.Reason.Should().Contain("possible again in");
        State.Restarts.Should().Be(1);
        State.Parked.Should().BeEmpty();
    }

    [Fact]
    public async Task A_queue_that_does_not_move_is_no_health_and_a_restart_moves_it()
    {
        var probe = CreateTestProbe();
        var alice = Gateway.ClientPort("alice");
        alice.Subscribe("a.>", probe.Ref);
        Publish(alice, "a.x", 1).Accepted.Should().BeTrue();
        await probe.ExpectMsgAsync<BusMessage>(TimeSpan.FromSeconds(10));
        var topic = State.Topics.All.Single();
        await AwaitConditionAsync(() => Task.FromResult(!topic.Scheduled), TimeSpan.FromSeconds(10));

        // A wake-up that was lost ten seconds ago.
        topic.TrySchedule(TimeProvider.System.GetTimestamp() - 10 * TimeProvider.System.TimestampFrequency).Should().BeTrue();
        Publish(alice, "a.x", 2).Accepted.Should().BeTrue();
        (await Bus.Ask<BusHealth>(GetBusHealth.Instance, TimeSpan.FromSeconds(10))).Healthy.Should().BeFalse();
        probe.HasMessages.Should().BeFalse();

        (await Ask("k1")).Done.Should().BeTrue();
        Number(await probe.ExpectMsgAsync<BusMessage>(TimeSpan.FromSeconds(10))).Should().Be(2);
        (await Bus.Ask<BusHealth>(GetBusHealth.Instance, TimeSpan.FromSeconds(10))).Healthy.Should().BeTrue();
    }

    [Fact]
    public async Task A_delivery_that_crashes_is_parked_and_the_other_subscribers_get_the_message()
    {
        var probe = CreateTestProbe();
        var alice = Gateway.ClientPort("alice");
        State.Subscriptions.TryAdd(new Throwing(alice), "a.>");
        alice.Subscribe("a.>", probe.Ref);
        for (var i = 0; i < 30; i++) Publish(alice, "a.x", i).Accepted.Should().BeTrue();
        for (var i = 0; i < 30; i++) Number(await probe.ExpectMsgAsync<BusMessage>(TimeSpan.FromSeconds(10))).Should().Be(i);
        await AwaitAssertAsync(() => State.Parked.Should().HaveCount(30), TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Sent_is_accepted_plus_refused_in_every_snapshot()
    {
        using var stop = new CancellationTokenSource();
        var calls = 0L;
        var publishers = new[] { "alice", "rogue" }.Select(name => Task.Run(() =>
        {
            var port = Gateway.ClientPort(name);
            for (var i = 0; i < 50_000; i++)
            {
                Publish(port, i % 3 == 0 ? "a.sealed.x" : i % 5 == 0 ? "a.*" : "a.x");
                Interlocked.Increment(ref calls);
            }
        })).ToArray();
        while (!publishers.All(x => x.IsCompleted))
        {
            var snapshot = Gateway.Counters();
            snapshot.Sent.Should().Be(snapshot.Accepted + snapshot.Refused);
            await Task.Yield();
        }

        await Task.WhenAll(publishers);
        Gateway.Counters().Sent.Should().Be(calls);
    }

    private Task<BusCommandResult> Ask(string key) => Bus.Ask<BusCommandResult>(new RestartBus(key, "test"), TimeSpan.FromSeconds(10));

    private sealed class Collector : ReceiveActor
    {
        public Collector(ConcurrentDictionary<string, ConcurrentQueue<int>> received) =>
            Receive<BusMessage>(x => received.GetOrAdd(x.Principal, _ => new()).Enqueue(Number(x)));
    }

    private sealed class Throwing(BusPort port) : Subscriber(port.Principal, port)
    {
        public override bool TryReserve(int bound) => true;

        public override void Deliver(BusMessage message) => throw new InvalidOperationException("poison");

        public override bool DeliverDropping(BusMessage message, int bound) => throw new InvalidOperationException("poison");
    }
}
