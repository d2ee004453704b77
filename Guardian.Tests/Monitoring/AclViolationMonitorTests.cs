using Akka.Actor;
using Akka.Cluster.Tools.PublishSubscribe;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Guardian.Actors.Autonomy;
using Guardian.Actors.Blacklisting;
using Guardian.Actors.Bus;
using Guardian.Actors.Hosting;
using Guardian.Actors.Incidents;
using Guardian.Actors.Monitoring;
using Guardian.Playbooks.Model;
using static Guardian.Tests.Monitoring.Violations;

namespace Guardian.Tests.Monitoring;

public class AclViolationMonitorTests : TestKit
{
    private readonly TestProbe _mediator;
    private readonly TestProbe _incidents;
    private readonly TestProbe _blacklist;
    private readonly ModeView _mode = new(OperatingMode.Enforce, _ => OperatingMode.Enforce);
    private readonly AclMonitorState _state = new(new AclMonitorOptions(), "n1", T0);
    private readonly IActorRef _monitor;

    public AclViolationMonitorTests()
    {
        (_mediator, _incidents, _blacklist) = (CreateTestProbe(), CreateTestProbe(), CreateTestProbe());
        _monitor = Sys.ActorOf(AclViolationMonitor.Props(new(_mediator, _incidents, _blacklist, _mode, TimeProvider.System), _state));
    }

    private static ViolationDigest Flood(string principal = "rogue", int count = 20, long sequence = 1, long row = 1) => Digest(sequence,
        [Row(row, principal, "system.control", [.. Enumerable.Range(0, Math.Min(20, count)).Select(i => DateTimeOffset.UtcNow.AddMilliseconds(i - 20))], count, control: true)], T0.UtcTicks); // of this node's own bus

    [Fact]
    public void It_is_ready_when_its_subscription_is_acknowledged()
    {
        _monitor.Tell(AwaitMonitor.Instance, TestActor);
        var subscribe = _mediator.ExpectMsg<Subscribe>();
        subscribe.Topic.Should().Be(ViolationDigest.Topic);
        ExpectNoMsg(TimeSpan.FromMilliseconds(50));
        _monitor.Tell(new CountViolations("rogue", TimeSpan.FromSeconds(1)), TestActor);
        ExpectMsg<ViolationCount>().Unknown.Should().NotBeNull();
        _monitor.Tell(new SubscribeAck(subscribe));
        ExpectMsg<MonitorReady>();
    }

    [Fact]
    public async Task A_mediator_that_stopped_is_told_once_and_not_asked_again()
    {
        await _mediator.ExpectMsgAsync<Subscribe>();
        await EventFilter.Warning(contains: "The mediator").ExpectAsync(1, async () =>
        {
            Sys.Stop(_mediator);
            // Whoever asks is answered in its turn, so what the stop led to is over.
            for (var i = 0; i < 3; i++)
            {
                await WatchAsync(_mediator);
                await ExpectTerminatedAsync(_mediator);
                _monitor.Tell(new CountViolations("rogue", TimeSpan.FromSeconds(1)), TestActor);
                await ExpectMsgAsync<ViolationCount>();
            }
        });
    }

    [Fact]
    public void A_flood_is_banned_here_raised_until_accepted_and_counted()
    {
        _monitor.Tell(Flood());
        _blacklist.ExpectMsg<ProvisionalBan>().Principal.Should().Be("rogue");
        var first = _incidents.ExpectMsg<IncidentRaised>();
        (first.Key, first.Type, first.Violations).Should().Be(("acl/principal/rogue", AclIncidents.ControlTopicFlood, 20L));
        var types = new HashSet<string> { first.Type };
        var last = first;
        while (types.Count < 3) types.Add((last = _incidents.ExpectMsg<IncidentRaised>()).Type);
        _incidents.FishForMessage<IncidentRaised>(x => x.Detection == 1).Should().NotBeNull("it is repeated until accepted");
        for (var i = 1; i <= 3; i++) _monitor.Tell(new IncidentAccepted { Key = first.Key, IncidentId = "i", Detection = i, Episode = first.Episode, Violations = 20 });
        _monitor.Tell(Flood(count: 300, sequence: 9));
        _incidents.FishForMessage<IncidentRaised>(x => x.Violations == 300);
    }

    [Fact]
    public void A_hold_stops_provisional_bans_and_nothing_else()
    {
        _mode.Swap(OperatingMode.Enforce, "maintenance");
        _monitor.Tell(Flood());
        _incidents.ExpectMsg<IncidentRaised>();
        _monitor.Tell(GetMonitorTotals.Instance, TestActor);
        ExpectMsg<MonitorTotals>().BansWithheld.Should().Be(3);
        _blacklist.HasMessages.Should().BeFalse();
    }

    [Fact]
    public void The_cap_holds_back_bans_on_many_principals()
    {
        for (var i = 1; i <= 5; i++) _monitor.Tell(Flood($"p{i}", sequence: i, row: i));
        _blacklist.ReceiveN(3).Cast<ProvisionalBan>().Select(x => x.Principal).Distinct().Should().Equal("p1");
        _monitor.Tell(GetMonitorTotals.Instance, TestActor);
        ExpectMsg<MonitorTotals>().BansWithheld.Should().Be(12);
    }

    [Fact]
    public void A_crash_of_the_actor_counts_nothing_again()
    {
        _monitor.Tell(Flood());
        _incidents.ExpectMsg<IncidentRaised>();
        _monitor.Tell(Kill.Instance);
        Watch(_monitor);
        ExpectTerminated(_monitor);
        var again = Sys.ActorOf(AclViolationMonitor.Props(new(_mediator, _incidents, _blacklist, _mode, TimeProvider.System), _state));
        again.Tell(Flood());
        again.Tell(GetMonitorTotals.Instance, TestActor);
        var totals = ExpectMsg<MonitorTotals>();
        (totals.Denied, totals.Detections).Should().Be((20L, 3L));
    }

    [Fact]
    public void Denials_are_counted_for_principal_and_topic()
    {
        _monitor.Tell(new SubscribeAck(_mediator.ExpectMsg<Subscribe>()));
        _monitor.Tell(Flood(count: 7));
        foreach (var (subject, count) in new[] { ("rogue", 7), ("system.control", 7), ("librarian", 0) })
        {
            _monitor.Tell(new CountViolations(subject, TimeSpan.FromSeconds(60)), TestActor);
            ExpectMsg<ViolationCount>().Count.Should().Be(count);
        }
    }
}
