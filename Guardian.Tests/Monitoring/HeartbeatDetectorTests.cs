using CsCheck;
using Guardian.Actors.Kernels;
using Guardian.Actors.Monitoring;

namespace Guardian.Tests.Monitoring;

public sealed class HeartbeatDetectorTests
{
    private static readonly TimeSpan Interval = Ms(100);

    private static TimeSpan Ms(double ms) => TimeSpan.FromMilliseconds(ms);

    private static HeartbeatSample Sample(double lastBeat, long epoch = 1, string kernel = "k", int replica = 0) =>
        new(kernel, replica, epoch, Ms(lastBeat), Ms(1_000), Ms(3_000));

    /// <summary>Looks every 100 ms from one time to another at a heart that beats (or not) as given.</summary>
    private static List<(double At, string What)> Look(HeartbeatDetector detector, double from, double to, Func<double, HeartbeatSample> sample)
    {
        var seen = new List<(double, string)>();
        for (var now = from; now <= to; now += 100)
        {
            var findings = detector.Look([sample(now)], Ms(now));
            seen.AddRange(findings.Missed.Select(x => (now, $"missed {x.Epoch}")));
            seen.AddRange(findings.Heard.Select(x => (now, $"heard {x.Epoch}")));
            if (findings.Doubts) seen.Add((now, "doubts"));
        }

        return seen;
    }

    [Theory]
    [InlineData(1_900, false)]
    [InlineData(2_100, true)]
    public void The_watchdog_takes_its_interval_and_its_tolerance_from_the_options(double late, bool doubts)
    {
        var detector = new KernelWatchdogState(new HeartbeatMonitorOptions { Interval = Ms(1_000), Tolerance = Ms(2_000) }, "n1", DateTimeOffset.UnixEpoch).Detector;
        detector.Look([], Ms(1_000));
        detector.Look([], Ms(2_000 + late)).Doubts.Should().Be(doubts);
    }

    [Fact]
    public void Three_intervals_without_a_beat_are_missed_once()
    {
        var detector = new HeartbeatDetector(Interval, Ms(500));
        Look(detector, 0, 20_000, now => Sample(Math.Min(5_000, Math.Floor(now / 1_000) * 1_000))).Should().Equal((8_000d, "missed 1"));
    }

    [Fact]
    public void A_pause_below_the_threshold_is_nothing()
    {
        var detector = new HeartbeatDetector(Interval, Ms(500));
        Look(detector, 0, 20_000, now => Sample(now is > 5_000 and < 7_900 ? 5_000 : Math.Floor(now / 100) * 100)).Should().BeEmpty();
    }

    [Fact]
    public void What_is_heard_again_may_be_missed_again_and_a_new_instance_is_missed_for_itself()
    {
        var detector = new HeartbeatDetector(Interval, Ms(500));
        Look(detector, 0, 5_000, _ => Sample(0)).Should().Equal((3_000d, "missed 1"));
        Look(detector, 5_100, 6_000, now => Sample(now)).Should().Equal((5_100d, "heard 1"));
        Look(detector, 6_100, 12_000, _ => Sample(6_000)).Should().Equal((9_000d, "missed 1"));
        Look(detector, 12_100, 18_000, _ => Sample(12_000, epoch: 2)).Should().Equal((15_000d, "missed 2"));
        detector.Over("k");
        Look(detector, 18_100, 18_200, _ => Sample(12_000, epoch: 2)).Should().Equal((18_100d, "missed 2"));
    }

    [Fact]
    public void A_watchdog_that_was_late_itself_blames_nobody()
    {
        var detector = new HeartbeatDetector(Interval, Ms(500));
        Look(detector, 0, 2_000, _ => Sample(0)).Should().BeEmpty();
        // Four seconds in which nobody had a processor: neither the watchdog nor the heart.
        Look(detector, 6_000, 6_900, _ => Sample(0)).Should().Equal((6_000d, "doubts"));
        Look(detector, 7_000, 7_100, _ => Sample(0)).Should().Equal([(7_000d, "missed 1")], "it had its interval since");
        detector.Doubts.Should().Be(1);
    }

    /// <summary>Whatever beats at least once within the threshold is never blamed, whatever the watchdog's own delays are.</summary>
    [Fact]
    public void Nobody_who_beats_is_ever_blamed() => Gen.Select(Gen.Double[20, 4_000].Array[5, 80], Gen.Double[0, 2_999]).Sample((delays, age) =>
    {
        var detector = new HeartbeatDetector(Interval, Ms(500));
        var now = 10_000d;
        foreach (var delay in delays)
        {
            now += delay;
            detector.Look([Sample(now - age)], Ms(now)).Missed.Should().BeEmpty();
        }
    });

    /// <summary>
    /// Stretches in which nobody had a processor, short of the tolerance and beyond it, shorter and longer than the threshold of a heart
    /// that beats fast: at their end the look comes first, and the beat that was due a moment later.
    /// </summary>
    [Fact]
    public void Whoever_stood_still_together_with_the_watchdog_is_not_blamed() => Gen.Select(Gen.Int[0, 1_500].Array[1, 12], Gen.Int[1, 900].Array[1, 12], Gen.Int[0, 40]).Sample((stalls, between, behind) =>
    {
        var detector = new HeartbeatDetector(Interval, Ms(500));
        var (look, beat, last, now) = (100, 200, 0, 0);
        var missed = new List<int>();
        foreach (var (stall, quiet) in stalls.Zip(between))
        {
            var (from, to) = (now + quiet, now + quiet + stall);
            for (; now <= to; now++)
            {
                if (now > from && now < to) continue; // nobody runs
                if (now >= look)
                {
                    missed.AddRange(detector.Look([new HeartbeatSample("k", 0, 1, Ms(last), Ms(200), Ms(600))], Ms(now)).Missed.Select(_ => now));
                    look = now + 100;
                }

                if (now >= beat + behind) (last, beat) = (now, now + 200 - behind);
            }
        }

        missed.Should().BeEmpty();
    });

    [Fact]
    public void A_look_that_was_a_little_late_excuses_as_much_and_no_more()
    {
        var detector = new HeartbeatDetector(Interval, Ms(500));
        var missed = new List<double>();
        double[] looks = [100, 200, 650, 740, 750]; // late by 350 once, short of the tolerance
        foreach (var now in looks) missed.AddRange(detector.Look([new HeartbeatSample("k", 0, 1, Ms(0), Ms(200), Ms(600))], Ms(now)).Missed.Select(_ => now));
        missed.Should().Equal(750);
    }

    [Fact]
    public void What_was_silent_before_the_first_look_is_not_blamed_for_that()
    {
        var detector = new HeartbeatDetector(Interval, Ms(500));
        Look(detector, 8_000, 12_000, _ => Sample(0)).Should().Equal([(9_900d, "missed 1")], "it had the way from one interval to the threshold since");
        detector.Doubts.Should().Be(0);
    }

    /// <summary>Lateness delays, it does not hide: a heart that stopped is missed by a watchdog that is late at every look.</summary>
    [Fact]
    public void A_heart_that_stopped_is_missed_however_late_the_looks_are() => Gen.Int[0, 499].Array[100].Sample(delays =>
    {
        var detector = new HeartbeatDetector(Interval, Ms(500));
        var (now, missed) = (0d, 0);
        foreach (var delay in delays)
        {
            now += 100 + delay;
            missed += detector.Look([Sample(0)], Ms(now)).Missed.Count;
        }

        missed.Should().Be(1);
    });
}
