using Akka.Actor;
using Guardian.Actors.Bus;
using Guardian.Playbooks.Model;

namespace Guardian.Tests.Bus;

public sealed class PublishTests : BusFixture
{
    [Fact]
    public void Each_refusal_has_its_reason_in_the_promised_order()
    {
        var alice = Gateway.ClientPort("alice");
        Publish(alice, "a.x").Outcome.Should().Be(PublishOutcome.Accepted);
        Publish(alice, "a.*").Outcome.Should().Be(PublishOutcome.InvalidTopic);
        alice.Publish("a.x", new byte[262_145]).Outcome.Should().Be(PublishOutcome.TooLarge);
        Publish(alice, "a.sealed.x").Should().Be(new PublishResult(PublishOutcome.AclDenied, Rule: "roles/user/publish/deny/0"));
        Bans.Swap(new OneBan("alice"));
        Publish(alice, "a.sealed.x").Outcome.Should().Be(PublishOutcome.Blacklisted, "a ban is asked before the policy");
        Publish(alice, "a.x").Until.Should().NotBeNull();
        Publish(alice, "").Outcome.Should().Be(PublishOutcome.InvalidTopic, "a malformed request is nobody's violation");
        State.Violations.TotalDenied.Should().Be(1);
        State.Violations.TotalBlacklisted.Should().Be(2);
        var counters = Gateway.Counters();
        (counters.Sent, counters.Accepted, counters.Refused).Should().Be((7, 1, 6));
    }

    [Fact]
    public void Whether_a_stream_may_go_on_is_no_violation()
    {
        var alice = Gateway.ClientPort("alice");
        alice.MayHear("a.>").Should().BeTrue();
        alice.MayHear("a.sealed.x").Should().BeFalse();
        Bans.Swap(new OneBan("alice"));
        alice.MayHear("a.>").Should().BeFalse();
        (State.Violations.TotalDenied, State.Violations.TotalBlacklisted).Should().Be((0, 0));
    }

    [Fact]
    public void A_content_type_is_bounded_as_a_topic_is()
    {
        var alice = Gateway.ClientPort("alice");
        foreach (var fits in (string?[])[null, "", "application/json; charset=utf-8", new string('\u8a9e', 255)])
            alice.Publish("a.x", new byte[1], fits).Outcome.Should().Be(PublishOutcome.Accepted);
        foreach (var bad in (string[])[new string('x', 256), "text/plain\r\nX: y", "a\u0000"])
            alice.Publish("a.x", new byte[1], bad).Outcome.Should().Be(PublishOutcome.InvalidContentType);
        var counters = Gateway.Counters();
        (counters.Sent, counters.Accepted, counters.Invalid, State.Violations.TotalDenied).Should().Be((7, 4, 3, 0));
    }

    [Fact]
    public async Task A_wide_subscription_leaves_out_what_is_denied()
    {
        var probe = CreateTestProbe();
        var alice = Gateway.ClientPort("alice");
        alice.Subscribe("a.>", probe.Ref).Accepted.Should().BeTrue();
        alice.Subscribe("a.x", probe.Ref).Accepted.Should().BeTrue();
        Gateway.ClientPort("keeper").Publish("a.sealed.x", "1"u8.ToArray()).Accepted.Should().BeTrue();
        Publish(alice, "a.x", 5).Accepted.Should().BeTrue();
        Number(await probe.ExpectMsgAsync<BusMessage>()).Should().Be(5);
        await probe.ExpectNoMsgAsync(TimeSpan.FromMilliseconds(100));
    }

    [Fact]
    public async Task A_full_stream_refuses_the_publisher_and_loses_nothing()
    {
        State.Options.DefaultQueue = 10;
        Policies.Swap(Guardian.Actors.Access.AccessPolicy.Compile(Policies.Current.Definition, "again"));
        var alice = Gateway.ClientPort("alice");
        var (_, stream) = alice.OpenStream("a.>");
        var accepted = Enumerable.Range(0, 50).Count(i => Publish(alice, "a.x", i).Accepted);
        accepted.Should().Be(10);
        Publish(alice, "a.x").RetryAfter.Should().NotBeNull();
        for (var i = 0; i < 10; i++) Number(await stream!.Reader.ReadAsync()).Should().Be(i);
        Publish(alice, "a.x", 99).Accepted.Should().BeTrue();
        Number(await stream!.Reader.ReadAsync()).Should().Be(99);
        stream.Dispose();
        await stream.Reader.Completion.WaitAsync(TimeSpan.FromSeconds(10));
        State.Subscriptions.Count.Should().Be(0);
    }

    [Fact]
    public async Task Limits_are_leases_and_control_topics_take_only_denials_only()
    {
        var alice = Gateway.ClientPort("alice");
        var until = DateTimeOffset.UtcNow.AddMinutes(1);
        (await Ask(new SetBusLimit("control.stop", null, new Rate(1, TimeSpan.FromHours(1)), false, "r1", "t", until))).Done.Should().BeFalse();
        (await Ask(new SetBusLimit("a.x", null, new Rate(5, TimeSpan.FromHours(1)), false, "r1", "t", until))).Done.Should().BeTrue();
        (await Ask(new SetBusLimit("a.x", null, new Rate(2, TimeSpan.FromHours(1)), false, "r2", "t", until))).Done.Should().BeTrue();
        Enumerable.Range(0, 5).Count(_ => Publish(alice, "a.x").Accepted).Should().Be(2, "the strictest holds");
        Publish(alice, "a.x").Outcome.Should().Be(PublishOutcome.RateLimited);
        Publish(alice, "a.y").Accepted.Should().BeTrue();
        (await Ask(new LiftBusLimit("a.x", null, "r2"))).Done.Should().BeTrue();
        Enumerable.Range(0, 9).Count(_ => Publish(alice, "a.x").Accepted).Should().Be(5, "the other owner's stays");
        var left = await Bus.Ask<BusMitigations>(GetBusMitigations.Instance);
        (await Ask(new LiftMitigation(left.Items.Single().Id))).Done.Should().BeTrue();
        Publish(alice, "a.x").Accepted.Should().BeTrue();
    }

    [Fact]
    public async Task Denials_above_the_rate_raise_nothing_and_accepted_traffic_is_untouched()
    {
        (await Ask(new SetBusLimit("a.sealed.x", null, new Rate(3, TimeSpan.FromHours(1)), true, "r1", "t", DateTimeOffset.UtcNow.AddMinutes(1)))).Done.Should().BeTrue();
        var rogue = Gateway.ClientPort("rogue");
        var outcomes = Enumerable.Range(0, 10).Select(_ => Publish(rogue, "a.sealed.x").Outcome).ToList();
        outcomes.Count(x => x == PublishOutcome.AclDenied).Should().Be(3);
        outcomes.Count(x => x == PublishOutcome.RateLimited).Should().Be(7);
        State.Violations.TotalDenied.Should().Be(3);
        Enumerable.Range(0, 20).Should().OnlyContain(_ => Publish(Gateway.ClientPort("keeper"), "a.sealed.x").Accepted);
    }

    [Fact]
    public async Task A_limit_ends_by_itself()
    {
        var alice = Gateway.ClientPort("alice");
        await Ask(new SetBusLimit("a.x", null, new Rate(1, TimeSpan.FromHours(1)), false, "r1", "t", DateTimeOffset.UtcNow.AddMilliseconds(300)));
        Publish(alice, "a.x");
        Publish(alice, "a.x").Outcome.Should().Be(PublishOutcome.RateLimited);
        await AwaitAssertAsync(() => Publish(alice, "a.x").Accepted.Should().BeTrue(), TimeSpan.FromSeconds(10));
        await AwaitAssertAsync(async () => (await Bus.Ask<BusMitigations>(GetBusMitigations.Instance)).Items.Should().BeEmpty(), TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_port_ends_with_its_owner()
    {
        var owner = CreateTestProbe();
        var subscriber = CreateTestProbe();
        var port = await Gateway.RegisterAsync("alice", owner.Ref);
        port.Subscribe("a.>", subscriber.Ref);
        Sys.Stop(owner.Ref);
        await AwaitAssertAsync(() => Publish(port, "a.x").Outcome.Should().Be(PublishOutcome.Revoked), TimeSpan.FromSeconds(10));
        await AwaitAssertAsync(() => State.Subscriptions.Count.Should().Be(0), TimeSpan.FromSeconds(10)); // just after it refuses
        Gateway.Counters().Sent.Should().Be(Gateway.Counters().Accepted + Gateway.Counters().Refused);
    }

    [Fact]
    public async Task A_drained_bus_refuses_and_delivers_what_it_has()
    {
        var probe = CreateTestProbe();
        var alice = Gateway.ClientPort("alice");
        alice.Subscribe("a.>", probe.Ref);
        for (var i = 0; i < 1000; i++) Publish(alice, "a.x", i).Accepted.Should().BeTrue();
        (await Bus.Ask<BusCommandResult>(DrainBus.Instance, TimeSpan.FromSeconds(10))).Done.Should().BeTrue();
        Publish(alice, "a.x").Outcome.Should().Be(PublishOutcome.Draining);
        for (var i = 0; i < 1000; i++) Number(await probe.ExpectMsgAsync<BusMessage>()).Should().Be(i);
    }

    [Fact]
    public void A_protected_principal_is_not_for_clients()
    {
        Gateway.Invoking(x => x.ClientPort("guardian")).Should().Throw<InvalidOperationException>();
        Gateway.Invoking(x => x.ClientPort(" ")).Should().Throw<ArgumentException>();
    }

    private Task<BusCommandResult> Ask(object command) => Bus.Ask<BusCommandResult>(command, TimeSpan.FromSeconds(10));
}
