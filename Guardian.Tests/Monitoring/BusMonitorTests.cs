using Akka.Actor;
using Akka.TestKit.Xunit2;
using Guardian.Actors.Bus;
using Guardian.Actors.Incidents;
using Guardian.Actors.Monitoring;
using Guardian.Tests.Mitigations;

namespace Guardian.Tests.Monitoring;

public sealed class BusMonitorTests : TestKit
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public BusMonitorTests()
        : base("akka.loglevel = ERROR")
    {
    }

    [Fact]
    public async Task A_bus_that_stays_silent_after_its_incident_ended_is_raised_again()
    {
        var (time, bus, incidents) = (new JumpingTime(), CreateTestProbe(), CreateTestProbe());
        var monitor = Sys.ActorOf(BusMonitor.Props(new BusMonitor.Links(bus, incidents, time), new BusMonitorState(new BusMonitorOptions(), "n1", time.GetUtcNow())));

        async Task Looks(int seconds)
        {
            time.Advance(TimeSpan.FromSeconds(seconds));
            for (var i = 0; i < 2; i++) await bus.ExpectMsgAsync<GetBusHealth>(Patience);
        }

        await Looks(0);
        await Looks(5);
        var raised = await incidents.ExpectMsgAsync<IncidentRaised>(Patience);
        monitor.Tell(new IncidentAccepted { Key = raised.Key, IncidentId = "x-1", Detection = raised.Detection, Episode = raised.Episode });
        monitor.Tell(new IncidentOver { Key = raised.Key, Episode = raised.Episode });
        await Looks(0);
        await Looks(60);

        var again = await incidents.FishForMessageAsync<IncidentRaised>(x => x.Detection != raised.Detection, Patience);
        (again.Key, again.Episode == raised.Episode).Should().Be((raised.Key, false));
    }

    [Fact]
    public async Task A_bus_that_crashes_in_a_loop_is_raised_until_it_is_accepted_and_its_end_is_told_until_it_is_confirmed()
    {
        var (bus, incidents) = (CreateTestProbe(), CreateTestProbe());
        var state = new BusMonitorState(new BusMonitorOptions { UnhealthyFor = TimeSpan.FromSeconds(1) }, "n1", TimeProvider.System.GetUtcNow());
        Sys.ActorOf(BusMonitor.Props(new BusMonitor.Links(bus, incidents, TimeProvider.System), state));

        async Task Answer(long restarts)
        {
            await bus.ExpectMsgAsync<GetBusHealth>(Patience);
            bus.Reply(new BusHealth(true, restarts, 0, 0));
        }

        await Answer(0);
        await Answer(5);
        await bus.ExpectMsgAsync<GetBusHealth>(Patience);
        var raised = await incidents.ExpectMsgAsync<IncidentRaised>(Patience);
        (raised.Key, raised.Type, raised.Evidence!.Value.GetProperty("restarts").GetInt32()).Should().Be(("bus/n1", "message_bus.degraded", 5));
        bus.Reply(new BusHealth(true, 5, 0, 0));

        // Nobody accepted it: it comes again.
        await Answer(5);
        (await incidents.ExpectMsgAsync<IncidentRaised>(Patience)).Detection.Should().Be(raised.Detection);
        incidents.Reply(new IncidentAccepted { Key = raised.Key, IncidentId = "x-1", Detection = raised.Detection, Episode = raised.Episode });

        var over = default(IncidentCleared);
        while (over is null)
        {
            await Answer(5);
            over = await incidents.FishForMessageAsync<IncidentCleared>(_ => true, TimeSpan.FromSeconds(2)).AsTask().ContinueWith(x => x.IsCompletedSuccessfully ? x.Result : null, TaskScheduler.Default);
        }

        over.Episode.Should().Be(raised.Episode);
        incidents.Reply(new IncidentOver { Key = raised.Key, Episode = raised.Episode });

        // A look may have told it once more before the word arrived.
        for (var (quiet, looks) = (0, 0); quiet < 3; looks++)
        {
            await Answer(5);
            quiet = incidents.HasMessages ? 0 : quiet + 1;
            while (incidents.HasMessages) await incidents.ReceiveOneAsync(Patience);
            looks.Should().BeLessThan(30);
        }
    }
}
