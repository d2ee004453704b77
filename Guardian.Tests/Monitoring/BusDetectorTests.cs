using CsCheck;
using Guardian.Actors.Monitoring;

namespace Guardian.Tests.Monitoring;

public sealed class BusDetectorTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly SeenBus Well = new(true, 0, 0, 0);

    private readonly BusDetector _detector = new(new BusMonitorOptions(), "n1", "i");

    private MonitorSignal? See(SeenBus? bus, double seconds) => _detector.Observe(bus, Start.AddSeconds(seconds));

    [Fact]
    public void A_few_restarts_are_supervision_at_work()
    {
        for (var i = 0; i < 4; i++) See(Well with { Restarts = i }, i).Should().BeNull();
        See(Well with { Restarts = 4 }, 100).Should().BeNull("those before were more than a minute ago");
    }

    [Fact]
    public void Five_restarts_within_a_minute_are_told_once_and_five_calm_seconds_end_it()
    {
        See(Well, 0).Should().BeNull();
        See(Well with { Restarts = 4 }, 1).Should().BeNull();
        var signal = See(Well with { Restarts = 5, Parked = 5 }, 50)!;
        (signal.Key, signal.Type, signal.Entered, signal.Reason).Should().Be(("bus/n1", "message_bus.degraded", true, "the bus restarted 5 times within 1m"));
        signal.Evidence["restarts"].GetValue<long>().Should().Be(5);
        See(Well with { Restarts = 6 }, 51).Should().BeNull("it is known");
        See(Well with { Restarts = 6 }, 52).Should().BeNull();
        See(Well with { Restarts = 6 }, 56.9).Should().BeNull();
        var end = See(Well with { Restarts = 6 }, 57)!;
        (end.Entered, end.Episode).Should().Be((false, signal.Episode));
        See(Well with { Restarts = 7 }, 58).Should().BeNull("what was told counts no more");
    }

    [Theory]
    [InlineData(true, "the bus has not answered for 5s")]
    [InlineData(false, "a queue of the bus has not moved for 5s")]
    public void A_bus_that_is_silent_or_stuck_for_five_seconds_is_told(bool silent, string reason)
    {
        var sick = silent ? null : Well with { Healthy = false, Queued = 7 };
        See(Well, 0).Should().BeNull();
        See(sick, 1).Should().BeNull();
        See(Well, 2).Should().BeNull("it moved again");
        See(sick, 3).Should().BeNull();
        See(sick, 7).Should().BeNull();
        var signal = See(sick, 8)!;
        signal.Reason.Should().Be(reason);
        signal.Evidence.ContainsKey("queued").Should().Be(!silent, "what nobody said is not known");
    }

    [Fact]
    public void Trouble_that_outlasts_its_incident_is_raised_again_after_a_minute_and_what_is_new_at_once()
    {
        See(null, 0).Should().BeNull();
        var first = See(null, 5)!;
        _detector.Over("bus/n1", "another");
        _detector.Over("bus/n2", first.Episode);
        See(null, 100).Should().BeNull("that was not its incident");

        _detector.Over("bus/n1", first.Episode);
        for (var i = 101; i < 160; i++) See(null, i).Should().BeNull("not each second");
        var again = See(null, 160)!;
        (again.Entered, again.Key, again.Episode == first.Episode, again.Number > first.Number).Should().Be((true, first.Key, false, true));
        See(null, 161).Should().BeNull("once");

        _detector.Over(again.Key, again.Episode);
        See(Well, 162).Should().BeNull();
        See(Well, 167).Should().BeNull("its incident is over already");
        See(null, 168).Should().BeNull();
        See(null, 173)!.Entered.Should().BeTrue("this is another trouble");
    }

    [Fact]
    public void Restarts_of_an_incident_that_is_over_are_not_counted_again()
    {
        See(Well, 0);
        var first = See(Well with { Restarts = 5 }, 1)!;
        _detector.Over(first.Key, first.Episode);
        See(Well with { Restarts = 9 }, 62).Should().BeNull("four since");
        See(Well with { Restarts = 10 }, 63)!.Entered.Should().BeTrue();
    }

    [Fact]
    public void Whenever_its_incident_ends_trouble_is_raised_at_most_once_a_minute_where_it_never_was_well_in_between() =>
        Gen.Select(Gen.Int[0, 5], Gen.Int[0, 3], Gen.Int[1, 30], Gen.Bool).Array[1, 60].Sample(steps =>
        {
            var detector = new BusDetector(new BusMonitorOptions(), "n1", "i");
            var (now, restarts) = (Start, 0L);
            var episodes = new HashSet<string>();
            MonitorSignal? open = null;
            DateTimeOffset? ended = null;
            DateTimeOffset? well = Start;
            detector.Observe(Well, now);
            foreach (var (what, more, seconds, over) in steps)
            {
                now = now.AddSeconds(seconds);
                restarts += more;
                var (sick, restarted) = (what < 2, more > 0 && what != 0);
                well = sick || restarted ? null : well ?? now;
                if (well is { } since && now - since >= TimeSpan.FromSeconds(5)) ended = null;
                if (detector.Observe(what == 0 ? null : new SeenBus(what > 1, restarts, 0, 0), now) is { } signal)
                {
                    signal.Entered.Should().Be(open is null);
                    if (signal.Entered) episodes.Add(signal.Episode).Should().BeTrue();
                    if (signal.Entered && ended is { } at) (now - at).Should().BeGreaterThanOrEqualTo(TimeSpan.FromSeconds(60));
                    open = signal.Entered ? signal : null;
                }

                if (!over || open is null) continue;
                detector.Over(open.Key, open.Episode);
                (open, ended) = (null, now);
            }
        });

    [Fact]
    public void What_a_process_before_raised_is_over_once_when_the_bus_is_known_to_be_well()
    {
        (MonitorSignal? Seen, MonitorSignal? End) Look(SeenBus? bus, double seconds) => (See(bus, seconds), _detector.EndOfEarlier(Start.AddSeconds(seconds)));

        Look(null, 0).Should().Be((null, null), "not known is not calm");
        Look(Well, 1).Should().Be((null, null));
        Look(Well, 5.9).Should().Be((null, null));
        var (seen, end) = Look(Well, 6);
        seen.Should().BeNull();
        (end!.Key, end.Entered, end.Episode.Length > 0).Should().Be(("bus/n1", false, true));
        Look(Well, 100).Should().Be((null, null), "once");
    }

    [Fact]
    public void What_this_process_raised_has_an_end_of_its_own()
    {
        See(null, 0);
        var raised = See(null, 5)!;
        _detector.EndOfEarlier(Start.AddSeconds(5)).Should().BeNull();
        See(Well, 6);
        See(Well, 11)!.Episode.Should().Be(raised.Episode);
        _detector.EndOfEarlier(Start.AddSeconds(11)).Should().BeNull();
    }

    [Fact]
    public void Entered_and_left_alternate_and_every_end_is_that_of_its_beginning() =>
        Gen.Select(Gen.Int[0, 5], Gen.Int[0, 3], Gen.Int[1, 30]).Array[1, 60].Sample(steps =>
        {
            var detector = new BusDetector(new BusMonitorOptions(), "n1", "i");
            var (now, restarts) = (Start, 0L);
            MonitorSignal? open = null;
            foreach (var (what, more, seconds) in steps)
            {
                now = now.AddSeconds(seconds);
                restarts += more;
                if (detector.Observe(what == 0 ? null : new SeenBus(what > 1, restarts, 0, 0), now) is not { } signal) continue;
                signal.Entered.Should().Be(open is null);
                if (!signal.Entered) signal.Episode.Should().Be(open!.Episode);
                open = signal.Entered ? signal : null;
            }
        });
}
