using System.Text;
using Akka.Actor;
using Akka.TestKit.Xunit2;
using Guardian.Actors.Bus;
using Guardian.Actors.Mitigations;
using Guardian.Actors.Scheduling;

namespace Guardian.Tests.Scheduling;

public sealed class WorkSchedulerTests : TestKit
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);
    private readonly SchedulerBoard _board = new();
    private readonly IActorRef _scheduler;

    public WorkSchedulerTests() => _scheduler = Sys.ActorOf(WorkScheduler.Props(
        new SchedulerMemory("n1", _board, new LeaseSet<SchedulerMode>(TimeProvider.System)), (_, _) => new TaskCompletionSource<BusPort>().Task, TimeProvider.System));

    private Task<SchedulerAnswer> SetAsync(SchedulerMode mode, string owner, double seconds = 600) =>
        _scheduler.Ask<SchedulerAnswer>(new SetSchedulerMode(mode, owner, "test", DateTimeOffset.UtcNow.AddSeconds(seconds)), Soon);

    private void Announce(string state, string principal = "guardian", string body = """{ "key": "resource/cpu/n1", "state": "STATE" }""") => _scheduler.Tell(new BusMessage
    {
        Id = "m", Topic = WorkScheduler.LoadShedding, Principal = principal, Body = Encoding.UTF8.GetBytes(body.Replace("STATE", state)), At = DateTimeOffset.UtcNow,
    });

    [Fact]
    public async Task The_strictest_lease_holds_and_each_owner_lifts_its_own()
    {
        Sys.EventStream.Subscribe(TestActor, typeof(SchedulerModeChanged));
        (await SetAsync(SchedulerMode.Reduced, "run-1")).Before.Should().Be(SchedulerMode.Normal);
        (await SetAsync(SchedulerMode.CriticalOnly, "run-2")).Should().Match<SchedulerAnswer>(x => x.Mode == SchedulerMode.CriticalOnly && x.Before == SchedulerMode.Reduced && x.Leases.Count == 2);
        (await _scheduler.Ask<SchedulerAnswer>(new LiftSchedulerMode("run-2"), Soon)).Mode.Should().Be(SchedulerMode.Reduced);
        (await _scheduler.Ask<SchedulerAnswer>(new LiftSchedulerMode("run-2"), Soon)).Done.Should().BeFalse();
        (await SetAsync(SchedulerMode.Normal, "run-1")).Mode.Should().Be(SchedulerMode.Normal);
        new[] { ExpectMsg<SchedulerModeChanged>(Soon).Mode, ExpectMsg<SchedulerModeChanged>(Soon).Mode, ExpectMsg<SchedulerModeChanged>(Soon).Mode, ExpectMsg<SchedulerModeChanged>(Soon).Mode }
            .Should().Equal(SchedulerMode.Reduced, SchedulerMode.CriticalOnly, SchedulerMode.Reduced, SchedulerMode.Normal);
    }

    [Fact]
    public async Task A_lease_ends_by_itself()
    {
        await SetAsync(SchedulerMode.CriticalOnly, "run-1", 0.3);
        await Await.UntilAsync(() => _board.Mode == SchedulerMode.Normal, Soon);
        (await _scheduler.Ask<SchedulerAnswer>(GetSchedulerMode.Instance, Soon)).Leases.Should().BeEmpty();
    }

    [Fact]
    public async Task Announced_pressure_reduces_at_once_until_it_is_over_and_nobody_else_may_announce_it()
    {
        Announce("entered", principal: "rogue");
        Announce("entered", body: "no json");
        (await _scheduler.Ask<SchedulerAnswer>(GetSchedulerMode.Instance, Soon)).Mode.Should().Be(SchedulerMode.Normal);
        Announce("entered");
        (await _scheduler.Ask<SchedulerAnswer>(GetSchedulerMode.Instance, Soon)).Should().Match<SchedulerAnswer>(x => x.Mode == SchedulerMode.Reduced && x.Leases[0].Owner == "monitor/resource/cpu/n1");
        Announce("left");
        (await _scheduler.Ask<SchedulerAnswer>(GetSchedulerMode.Instance, Soon)).Mode.Should().Be(SchedulerMode.Normal);
    }
}
