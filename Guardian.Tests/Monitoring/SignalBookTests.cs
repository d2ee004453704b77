using System.Text.Json.Nodes;
using Guardian.Actors.Incidents;
using Guardian.Actors.Monitoring;

namespace Guardian.Tests.Monitoring;

public class SignalBookTests
{
    private static readonly DateTimeOffset T0 = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly MonitorSignal Began = new("cluster/node/n2", "node_unreachable", "n2", "e1", 1, T0, true, "n2 does not answer", new Dictionary<string, JsonNode>());
    private readonly SignalBook _book = new("n1");

    /// <summary>
    /// Whoever keeps the incident may be away the whole time, or get the end first; it would confirm the end of what it does not
    /// know, and nobody would hear that a node was gone.
    /// </summary>
    [Fact]
    public void Trouble_that_ends_before_its_incident_was_accepted_is_told_first_and_its_end_afterwards()
    {
        _book.Take(Began);
        _book.Take(Began with { Entered = false, At = T0.AddSeconds(6), Reason = "n2 was removed" });
        for (var second = 0; second < 10; second++) _book.Due(T0.AddSeconds(second)).Should().AllBeOfType<IncidentRaised>();

        _book.Accepted(new IncidentAccepted { Key = Began.Key, IncidentId = "i", Detection = 1, Episode = "e1" }, T0.AddSeconds(10));
        for (var second = 10; second < 13; second++)
            _book.Due(T0.AddSeconds(second)).Should().ContainSingle().Which.Should().BeOfType<IncidentCleared>().Which.Reason.Should().Be("n2 was removed", "it is told until it is confirmed");
        _book.Over(new IncidentOver { Key = Began.Key, Episode = "e1" });
        _book.Due(T0.AddSeconds(13)).Should().BeEmpty();
    }

    [Fact]
    public void An_end_of_what_another_one_raised_does_not_wait()
    {
        _book.Take(Began);
        _book.Take(Began with { Entered = false, Episode = "earlier" });
        _book.Due(T0).Should().HaveCount(2);
    }
}
