using Akka.Actor;
using Akka.TestKit.Xunit2;
using Guardian.Actors.Incidents;
using Guardian.Actors.Monitoring;
using Guardian.Tests.Mitigations;

namespace Guardian.Tests.Monitoring;

public sealed class ClusterMonitorTests : TestKit
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public ClusterMonitorTests()
        : base("akka.loglevel = ERROR")
    {
    }

    [Fact]
    public async Task A_node_that_stays_away_after_its_incident_ended_is_raised_again()
    {
        var (time, incidents) = (new JumpingTime(), CreateTestProbe());
        var looks = 0;
        var seen = new SeenCluster("a", [new SeenNode("a", "a", true, new Dictionary<string, string>()), new SeenNode("b", "b", false, new Dictionary<string, string>())]);
        SeenCluster See()
        {
            Interlocked.Increment(ref looks);
            return seen;
        }

        var monitor = Sys.ActorOf(ClusterMonitor.Props(new ClusterMonitor.Links(incidents, See, time), new ClusterMonitorState(new ClusterMonitorOptions(), "a", time.GetUtcNow())));
        var raised = await incidents.ExpectMsgAsync<IncidentRaised>(Patience);
        monitor.Tell(new IncidentAccepted { Key = raised.Key, IncidentId = "x-1", Detection = raised.Detection, Episode = raised.Episode });
        monitor.Tell(new IncidentOver { Key = raised.Key, Episode = raised.Episode });
        var told = Volatile.Read(ref looks);
        await Await.UntilAsync(() => Volatile.Read(ref looks) >= told + 2, Patience);
        time.Advance(TimeSpan.FromSeconds(60));

        var again = await incidents.FishForMessageAsync<IncidentRaised>(x => x.Detection != raised.Detection, Patience);
        (again.Key, again.Episode == raised.Episode).Should().Be((raised.Key, false));
    }
}
