using Guardian.Actors.Incidents;
using Guardian.Actors.Monitoring;
using static Guardian.Tests.Monitoring.Violations;

namespace Guardian.Tests.Monitoring;

public class RaiseBookTests
{
    private readonly RaiseBook _book = new();

    private static IncidentRaised Detected(long number, long? violations, string key = "k") => new()
    {
        Key = key, Type = "t", Node = "n1", Subject = "s", At = T0, Detection = number, Episode = "e", Violations = violations, Severity = "high",
    };

    private static IncidentAccepted Accepted(long detection, long? violations = null) => new() { Key = "k", IncidentId = "i", Detection = detection, Episode = "e", Violations = violations };

    [Fact]
    public void A_detection_is_repeated_with_back_off_until_accepted()
    {
        _book.Detected(Detected(1, 5));
        var sent = new List<double>();
        for (var ms = 0; ms < 10_000; ms += 10)
            if (_book.Due(T0.AddMilliseconds(ms)).Count > 0)
                sent.Add(ms);
        sent.Should().Equal(0, 100, 300, 700, 1500, 3100, 5100, 7100, 9100);
        _book.Accepted(Accepted(1, 5), T0.AddSeconds(10));
        (_book.Pending, _book.NextDue()).Should().Be((0, (DateTimeOffset?)null));
    }

    [Fact]
    public void Growth_is_told_at_most_each_100_ms_and_its_last_count_arrives()
    {
        _book.Detected(Detected(1, 5));
        _book.Due(T0).Should().ContainSingle().Which.Violations.Should().Be(5);
        _book.Accepted(Accepted(1), T0.AddMilliseconds(1));
        var sent = new List<long?>();
        for (var ms = 2; ms < 2_000; ms++)
        {
            if (ms <= 300) _book.Grew(new EpisodeGrew("k", "e", ms));
            foreach (var raise in _book.Due(T0.AddMilliseconds(ms)))
            {
                sent.Add(raise.Violations);
                _book.Accepted(Accepted(1), T0.AddMilliseconds(ms));
            }
        }

        sent.Should().Equal(100, 200, 300);
        _book.Pending.Should().Be(0);
    }

    [Fact]
    public void A_count_is_settled_only_by_an_answer_that_covers_it()
    {
        _book.Detected(Detected(1, 5));
        _book.Due(T0);
        _book.Grew(new EpisodeGrew("k", "e", 300));
        _book.Due(T0.AddMilliseconds(100)).Should().ContainSingle().Which.Violations.Should().Be(300);
        _book.Accepted(Accepted(1, 5), T0.AddMilliseconds(150));
        _book.Pending.Should().Be(1);
        _book.Accepted(Accepted(1, 300), T0.AddMilliseconds(160));
        _book.Pending.Should().Be(0);
    }

    [Fact]
    public void Detections_of_one_key_are_all_told_in_order()
    {
        for (var i = 1; i <= 3; i++) _book.Detected(Detected(i, 20));
        _book.Due(T0).Select(x => x.Detection).Should().Equal(1, 2, 3);
        for (var i = 1; i <= 3; i++) _book.Accepted(Accepted(i, 20), T0);
        _book.Pending.Should().Be(0);
    }

    [Fact]
    public void Keys_beyond_the_bound_are_dropped_and_counted()
    {
        for (var i = 0; i < RaiseBook.MaxKeys + 5; i++) _book.Detected(Detected(i, 1, $"k{i}"));
        (_book.Pending, _book.Dropped).Should().Be((RaiseBook.MaxKeys, 5L));
        _book.Due(T0).Count.Should().Be(RaiseBook.MaxActive);
    }
}
