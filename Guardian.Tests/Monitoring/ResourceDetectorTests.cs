using CsCheck;
using Guardian.Actors.Monitoring;
using Guardian.Actors.Resources;

namespace Guardian.Tests.Monitoring;

public class ResourceDetectorTests
{
    private static readonly DateTimeOffset T0 = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly ResourceMonitorOptions _options = new();

    internal static ResourceSample Sample(double seconds, double? cpu, double? memory = 30, double? disk = 40, double? diskAge = null)
    {
        var at = T0.AddSeconds(seconds);
        return new ResourceSample
        {
            At = at,
            Clock = TimeSpan.FromSeconds(seconds),
            Cpu = new Gauge(cpu, "test", at, cpu is null ? "no" : null),
            Memory = new Gauge(memory, "test", at, memory is null ? "no" : null),
            Disks = [new DiskGauge("/data", new Gauge(disk, "test", at.AddSeconds(-(diskAge ?? 0))), 1)],
            Cores = 2,
        };
    }

    /// <summary>Feeds a value each second, or as often as the detector asks, and returns what it said, with its time.</summary>
    private List<(double At, PressureChange Change, string Key)> Run(Func<double, double?> cpu, double seconds, Func<double, double?>? memory = null, ResourceDetector? detector = null, double from = 0)
    {
        detector ??= new ResourceDetector(_options, "n", "e");
        var signals = new List<(double, PressureChange, string)>();
        for (var at = from; at <= from + seconds; at += detector.NextInterval.TotalSeconds)
            foreach (var signal in detector.Observe(Sample(at, cpu(at), memory?.Invoke(at) ?? 30))) signals.Add((at, signal.Change, signal.Key));
        return signals;
    }

    [Fact]
    public void Pressure_is_raised_after_ten_seconds_and_over_after_the_dwell()
    {
        var signals = Run(t => t is >= 5 and < 30 ? 97 : 20, 60);

        signals.Select(x => (x.Change, x.Key)).Should().Equal((PressureChange.Entered, "resource/cpu/n"), (PressureChange.Left, "resource/cpu/n"));
        (signals[0].At - 5).Should().BeInRange(9, 12);
        (signals[1].At - 30).Should().BeInRange(9, 12);
    }

    [Fact]
    public void What_a_process_before_raised_is_over_once_when_its_resource_is_known_to_be_calm()
    {
        var detector = new ResourceDetector(_options, "n", "e");
        var ends = new List<(double At, string Key)>();
        for (var at = 0; at <= 60; at++)
        {
            // Memory is pressed from the start, the disk is known only later.
            detector.Observe(Sample(at, 20, memory: at < 20 ? 95 : 20, disk: at < 30 ? null : 40));
            foreach (var end in detector.EndsOfEarlier())
            {
                (end.Change, end.Episode.Length > 0).Should().Be((PressureChange.Left, true));
                ends.Add((at, end.Key));
            }
        }

        ends.Should().BeEquivalentTo([
            (0.0, "sensor/sampler/n"), (0.0, "sensor/cpu/n"), (0.0, "sensor/memory/n"), (10.0, "resource/cpu/n"), (39.0, "resource/disk/n/data"),
        ], "memory and the disk's sensor were raised by this process, and have ends of their own");
    }

    [Theory]
    [InlineData(79.9)]
    [InlineData(70)]
    [InlineData(0)]
    public void Below_the_limit_is_no_pressure(double value) => Run(_ => value, 600).Should().BeEmpty();

    [Fact]
    public void Nine_seconds_are_no_pressure() => Run(t => t % 30 < 9 ? 100 : 10, 300).Should().BeEmpty();

    [Fact]
    public void A_short_break_in_a_flood_does_not_start_over()
    {
        var signals = Run(t => t is >= 8 and < 10 ? 78 : 100, 20);
        signals.Should().ContainSingle().Which.At.Should().BeInRange(12.5, 15, "each second below cost two more");
    }

    [Fact]
    public void Load_that_swings_around_the_limit_for_three_minutes_is_at_most_one_incident()
    {
        Run(t => t % 6 < 3 ? 90 : 70, 180).Should().BeEmpty("half of the time is below");
        var mostly = Run(t => t % 6 < 5 ? 90 : 70, 180);
        mostly.Count(x => x.Change == PressureChange.Entered).Should().Be(1);
        mostly.Should().NotContain(x => x.Change == PressureChange.Left, "70 % is not calm");
    }

    [Fact]
    public void A_value_that_falls_fast_raises_nothing()
    {
        _options.FallingVeto = 1;
        Run(_ => 30, 30, t => t < 8 ? 99 : Math.Max(50, 99 - (t - 8) * 2)).Should().BeEmpty();
        _options.FallingVeto = 100;
        Run(_ => 30, 30, t => t < 8 ? 99 : Math.Max(50, 99 - (t - 8) * 2)).Select(x => x.Key).Should().Contain("resource/memory/n");
    }

    [Fact]
    public void Pressure_that_lasts_is_told_again_and_after_the_end_there_is_a_cooldown()
    {
        var detector = new ResourceDetector(_options, "n", "e");
        var signals = Run(t => t < 135 || t > 150 ? 95 : 10, 220, detector: detector);
        signals.Select(x => x.Change).Should().Equal(PressureChange.Entered, PressureChange.Again, PressureChange.Again, PressureChange.Left, PressureChange.Entered);
        (signals[1].At - signals[0].At).Should().BeInRange(60, 61);
        (signals[4].At - signals[3].At).Should().BeInRange(30, 32, "though the load came back at once");
    }

    [Fact]
    public void Peaks_on_a_machine_that_is_calm_again_prolong_nothing()
    {
        // After 40 s a quarter of a second at the limit every four seconds: seen by the fast samples near a limit alone.
        var signals = Run(t => t < 40 || t % 4 < 0.25 ? 100 : 30, 200);
        signals.Select(x => x.Change).Should().Equal(PressureChange.Entered, PressureChange.Left);
        (signals[1].At - 40).Should().BeInRange(9, 12);
    }

    [Fact]
    public void Pressure_that_comes_back_in_short_bursts_is_not_told_as_one_that_lasts()
    {
        var signals = Run(t => t < 40 ? 95 : t % 9 < 5 ? 90 : 30, 300);
        signals.Select(x => x.Change).Should().Equal([PressureChange.Entered], "never ten seconds at the limit again, and never calm for ten");
    }

    [Fact]
    public void After_an_incident_that_was_resolved_the_same_pressure_waits_for_the_cooldown()
    {
        var detector = new ResourceDetector(_options, "n", "e");
        ResourceSignal? entered = null;
        var second = double.NaN;
        for (double t = 0; t < 100; t++)
        {
            foreach (var signal in detector.Observe(Sample(t, 95)))
            {
                if (entered is null)
                {
                    entered = signal;
                    detector.Over(signal.Key, "another episode").Should().BeNull();
                    detector.Pressed.Should().NotBeEmpty("that was not its episode");
                    var left = detector.Over(signal.Key, signal.Episode)!;
                    (left.Change, left.Key, left.Episode, left.Gauge.Value).Should().Be((PressureChange.Left, signal.Key, signal.Episode, 95));
                    detector.Pressed.Should().BeEmpty();
                    detector.Over(signal.Key, signal.Episode).Should().BeNull("it is over already");
                }
                else if (double.IsNaN(second))
                {
                    second = t;
                    signal.Episode.Should().NotBe(entered.Episode);
                    signal.Number.Should().BeGreaterThan(entered.Number);
                }
            }
        }

        (second - entered!.At.Subtract(T0).TotalSeconds).Should().BeInRange(30, 32);
    }

    [Fact]
    public void Unknown_neither_raises_nor_ends_pressure_and_is_a_failed_sensor_after_a_while()
    {
        var signals = Run(t => t is >= 3 and < 40 ? null : 95, 120);
        signals.Select(x => (x.Change, x.Key)).Should().Equal(
            (PressureChange.Entered, "sensor/cpu/n"), (PressureChange.Left, "sensor/cpu/n"), (PressureChange.Entered, "resource/cpu/n"), (PressureChange.Again, "resource/cpu/n"));
        signals[0].At.Should().BeInRange(18, 19);
        (signals[2].At - 40).Should().BeInRange(5, 10, "what was known before counts, the gap does not");

        var pressed = Run(t => t is < 20 or > 60 ? 95 : null, 70);
        pressed.Should().NotContain(x => x.Change == PressureChange.Left && x.Key == "resource/cpu/n");
    }

    [Fact]
    public void A_sensor_that_the_platform_lacks_does_not_fail()
    {
        var detector = new ResourceDetector(_options, "n", "e");
        for (var t = 0; t < 60; t++) detector.Observe(Sample(t, 10) with { Cpu = Gauge.NotSupported(T0.AddSeconds(t)) }).Should().BeEmpty();
    }

    [Fact]
    public void An_old_value_is_no_value()
    {
        var detector = new ResourceDetector(_options, "n", "e");
        var signals = new List<ResourceSignal>();
        for (var t = 0; t < 60; t++) signals.AddRange(detector.Observe(Sample(t, 10, disk: 95, diskAge: t)));
        signals.Select(x => (x.Change, x.Key)).Should().Equal((PressureChange.Entered, "resource/disk/n/data"), (PressureChange.Entered, "sensor/disk/n/data"));
    }

    [Fact]
    public void A_sampler_that_is_silent_is_a_failed_sensor_until_it_is_back()
    {
        var detector = new ResourceDetector(_options, "n", "e");
        detector.Observe(Sample(0, 10));
        detector.Silence(TimeSpan.FromSeconds(2), T0).Should().BeEmpty();
        detector.Silence(TimeSpan.FromSeconds(10), T0).Should().BeEmpty();
        var failed = Enumerable.Range(11, 20).SelectMany(t => detector.Silence(TimeSpan.FromSeconds(t), T0)).Should().ContainSingle().Subject;
        (failed.Key, failed.Type, failed.Change).Should().Be(("sensor/sampler/n", "sensor_failure", PressureChange.Entered));
        detector.Observe(Sample(40, 10)).Should().ContainSingle().Which.Change.Should().Be(PressureChange.Left);
    }

    [Fact]
    public void A_break_in_the_samples_is_not_time_under_pressure()
    {
        var detector = new ResourceDetector(_options, "n", "e");
        detector.Observe(Sample(0, 100));
        detector.Observe(Sample(3_600, 100)).Should().BeEmpty("two intervals at most are counted");
    }

    [Fact]
    public void Near_the_limit_samples_come_faster()
    {
        var detector = new ResourceDetector(_options, "n", "e");
        detector.Observe(Sample(0, 50));
        detector.NextInterval.Should().Be(TimeSpan.FromSeconds(1));
        detector.Observe(Sample(1, 72));
        detector.NextInterval.Should().Be(TimeSpan.FromMilliseconds(250));
    }

    /// <summary>Whatever the load does: pressure begins before it ends, never twice in a row, and never sooner than the rules allow.</summary>
    [Fact]
    public void Pressure_and_calm_alternate_and_keep_their_times() =>
        Gen.Select(Gen.Double[0, 100].Array[20, 200], Gen.Int[1, 10]).Sample((values, hold) =>
        {
            var signals = Run(t => values[Math.Min((int)t / hold, values.Length - 1)], values.Length * hold - 1).Where(x => x.Key == "resource/cpu/n").ToList();
            var (pressed, changedAt) = (false, double.NegativeInfinity);
            foreach (var (at, change, _) in signals)
            {
                pressed.Should().Be(change is PressureChange.Left or PressureChange.Again);
                if (change == PressureChange.Entered) (at - changedAt).Should().BeGreaterThanOrEqualTo(30);
                if (change == PressureChange.Left) (at - changedAt).Should().BeGreaterThanOrEqualTo(9);
                if (change != PressureChange.Again) (pressed, changedAt) = (change == PressureChange.Entered, at);
            }
        });
}
