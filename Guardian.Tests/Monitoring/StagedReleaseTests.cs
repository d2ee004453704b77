using CsCheck;
using Guardian.Actors.Incidents;
using Guardian.Actors.Mitigations;
using Guardian.Actors.Monitoring;

namespace Guardian.Tests.Monitoring;

public class StagedReleaseTests
{
    private const string Key = "resource/cpu/n";
    private static readonly DateTimeOffset T0 = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly string Run = IncidentKeys.Incident(IncidentKeys.Entity(Key), 3) + ".2";
    private readonly ResourceMonitorOptions _options = new();
    private readonly List<Mitigation> _inForce = [];

    private static Mitigation Lease(string kind, double since, double until, string? owner = null, string target = "x") => new()
    {
        Id = $"{kind}:{target}:{owner ?? Run}", Target = target, Effect = kind, Owner = owner ?? Run, Reason = "test", Since = T0.AddSeconds(since), Until = T0.AddSeconds(until),
    };

    /// <summary>What the shipped playbook restricts, as it begins at a time.</summary>
    private void Shed(double at, string? owner = null)
    {
        _inForce.Add(Lease("kernel-throttle", at, at + 100, owner, "a"));
        _inForce.Add(Lease("kernel-throttle", at, at + 100, owner, "b"));
        _inForce.Add(Lease("kernel-pause", at + 1, at + 86, owner));
        _inForce.Add(Lease("api-limit", at + 2, at + 62, owner));
        _inForce.Add(Lease("scheduler", at + 3, at + 73, owner));
    }

    /// <summary>A load, second by second, through the detector and the release; each stage with its time.</summary>
    private List<(double At, string Kinds)> Live(Func<double, double?> cpu, double seconds, ResourceDetector? detector = null, StagedRelease? release = null, Action<double>? each = null, bool always = false)
    {
        detector ??= new ResourceDetector(_options, "n", "e");
        release ??= new StagedRelease(_options);
        var stages = new List<(double, string)>();
        for (double t = 0; t <= seconds; t += detector.NextInterval.TotalSeconds)
        {
            each?.Invoke(t);
            var (clock, at) = (TimeSpan.FromSeconds(t), T0.AddSeconds(t));
            detector.Observe(ResourceDetectorTests.Sample(t, cpu(t)));
            foreach (var resource in detector.Calm)
            {
                if (!release.IsDue(resource, clock)) continue;
                var stage = release.Stage(resource, clock, _inForce.Where(x => always || (x.Since <= at && x.Until > at)));
                if (stage.Count == 0) continue;
                stages.Add((t, string.Join("+", stage.Select(StagedRelease.Kind))));
                _inForce.RemoveAll(stage.Contains);
            }
        }

        return stages;
    }

    [Fact]
    public void After_the_dwell_everything_is_given_back_one_kind_after_the_other_those_that_end_first_anyhow_first()
    {
        Shed(15);
        var stages = Live(t => t is >= 3 and < 45 ? 100 : 20, 90);
        stages.Select(x => x.Kinds).Should().Equal("api-limit", "scheduler", "kernel-pause", "kernel-throttle+kernel-throttle");
        (stages[0].At - 45).Should().BeInRange(9, 12);
        for (var i = 1; i < stages.Count; i++) (stages[i].At - stages[i - 1].At).Should().BeInRange(5, 6.1);
        (stages[^1].At - 45).Should().BeLessThan(30);
        _inForce.Should().BeEmpty();
    }

    [Fact]
    public void Load_that_comes_back_keeps_what_is_left_until_it_was_calm_for_the_dwell_anew()
    {
        Shed(15);
        // The second stage lets in a load of 70 %: neither calm nor pressure.
        var stages = Live(t => t is >= 3 and < 45 or >= 61 and < 65 ? (t < 45 ? 100 : 70) : 20, 110);
        stages.Select(x => x.Kinds).Should().Equal("api-limit", "scheduler", "kernel-pause", "kernel-throttle+kernel-throttle");
        (stages[2].At - 65).Should().BeInRange(9, 12);
    }

    [Fact]
    public void Load_that_goes_up_and_down_for_three_minutes_gives_nothing_back_early()
    {
        Shed(15);
        Shed(75); // as it is raised again while the load lasts
        Shed(135);
        Live(t => t % 7 < 6 ? 92 : 50, 180).Should().BeEmpty("a second of calm is not ten");
    }

    [Fact]
    public void Unknown_is_not_calm()
    {
        Shed(15);
        Live(t => t is >= 3 and < 30 ? 100 : null, 60).Should().BeEmpty();
    }

    [Fact]
    public void What_was_not_measured_for_a_moment_was_not_calm_for_that_moment()
    {
        Shed(15);
        var stages = Live(t => t is >= 3 and < 30 ? 100 : t is >= 36 and < 37 ? null : 20, 60);
        (stages[0].At - 37).Should().BeInRange(9, 12, "the dwell begins anew");
    }

    [Fact]
    public void After_a_break_in_the_samples_the_dwell_begins_anew()
    {
        var (detector, release) = (new ResourceDetector(_options, "n", "e"), new StagedRelease(_options));
        Shed(0);
        Live(_ => 20, 7, detector, release).Should().BeEmpty();
        var dueAt = Enumerable.Range(37, 20).First(t =>
        {
            detector.Observe(ResourceDetectorTests.Sample(t, 20));
            return detector.Calm.Any(x => release.IsDue(x, TimeSpan.FromSeconds(t)));
        });
        (dueAt - 37).Should().BeInRange(9, 12, "nobody knows what was in the half minute before");
    }

    [Fact]
    public void A_break_in_the_samples_that_no_pressure_fits_into_only_counts_less()
    {
        var detector = new ResourceDetector(_options, "n", "e");
        for (var t = 0; t < 60; t += 3) detector.Observe(ResourceDetectorTests.Sample(t, 20));
        detector.Calm.Should().OnlyContain(x => x.Calm == TimeSpan.FromSeconds(19 * 2), "a starved machine is still seen to be calm");
    }

    [Fact]
    public void A_resource_that_is_gone_is_not_calm()
    {
        var detector = new ResourceDetector(_options, "n", "e");
        for (var t = 0; t < 20; t++) detector.Observe(ResourceDetectorTests.Sample(t, 20));
        detector.Calm.Should().OnlyContain(x => x.Calm > TimeSpan.FromSeconds(10));
        detector.Observe(ResourceDetectorTests.Sample(20, 20) with { Disks = [] });
        detector.Calm.Single(x => x.Key.Contains("disk")).Calm.Should().BeNull();
        detector.Calm.Count(x => x.Calm is null).Should().Be(1);
    }

    [Theory]
    [InlineData(3600)] // the wall clock was right, or an hour ahead, when it was asked for, and is set back
    [InlineData(-3600)]
    public void A_wall_clock_that_jumps_changes_neither_what_is_given_back_nor_what_is_left_alone(double jump)
    {
        Shed(15);
        _inForce.AddRange(_inForce.Select(x => x with { Since = x.Since.AddSeconds(jump), Until = x.Until.AddSeconds(jump) }).ToList());
        _inForce.RemoveRange(0, _inForce.Count / 2);
        var late = Lease("kernel-throttle", 58 - jump, 800, target: "late");
        var stages = Live(t => t is >= 3 and < 45 ? 100 : 20, 90, always: true, each: t =>
        {
            if (t is >= 58 and < 59 && !_inForce.Contains(late)) _inForce.Add(late);
        });
        stages.Should().HaveCount(4);
        _inForce.Should().Equal([late], "asked for in calm");
    }

    [Fact]
    public void A_load_that_only_the_restrictions_keep_away_is_let_in_less_and_less_often()
    {
        var (detector, pressures) = (new ResourceDetector(_options, "n", "e"), 0);
        var (run, pressedBefore) = (1, false);
        // A load that lasts for half an hour; whatever is restricted, any of it, holds it down.
        Live(t => t >= 1800 || _inForce.Exists(x => x.Since <= T0.AddSeconds(t) && x.Until > T0.AddSeconds(t)) ? 20 : 100, 2100, detector, each: t =>
        {
            var pressed = detector.Pressed.Count > 0;
            if (pressed && !pressedBefore)
            {
                pressures++;
                Shed(t + 1, $"{IncidentKeys.Incident(IncidentKeys.Entity(Key), ++run)}.1");
            }

            pressedBefore = pressed;
        });
        pressures.Should().BeInRange(15, 22, "the leases last 100 s; with a dwell that stays it is let in every 40 s");
    }

    [Fact]
    public void What_others_hold_is_never_given_back()
    {
        var others = new[] { "operator/alice", "monitor/resource/cpu/n", IncidentKeys.Incident(IncidentKeys.Entity("resource/memory/n"), 3) + ".2", Run[..^2], Run + "x", "x" + Run };
        foreach (var owner in others) Shed(15, owner);
        Live(t => t is >= 3 and < 45 ? 100 : 20, 60).Should().BeEmpty();
    }

    [Fact]
    public void What_was_asked_for_in_calm_is_left_alone_with_or_without_a_pressure_before()
    {
        Shed(100);
        Live(t => t is >= 3 and < 45 ? 100 : 20, 130).Should().BeEmpty("an operator tries the playbook on a calm machine");
        _inForce.Clear();
        Shed(20);
        Live(_ => 20, 80).Should().BeEmpty();
        _inForce.Clear();
        Shed(20);
        // A short rise on a machine that was never under pressure.
        Live(t => t is >= 30 and < 33 ? 70 : 20, 80).Should().BeEmpty();
    }

    [Fact]
    public void After_the_nodes_start_what_runs_of_before_restrict_is_given_back_once_it_was_calm_for_the_dwell()
    {
        Shed(2); // a run that goes on after a crash
        var stages = Live(_ => 20, 40);
        stages.Should().HaveCount(4);
        stages[0].At.Should().BeInRange(9, 12);
    }

    [Fact]
    public void A_recurrence_soon_after_waits_for_two_dwells_a_later_one_is_given_back_like_the_first()
    {
        Shed(15);
        Shed(130, Run[..^1] + "3");
        Shed(430, Run[..^1] + "4");
        var stages = Live(t => t is >= 3 and < 45 or >= 110 and < 150 or >= 410 and < 450 ? 100 : 20, 500);
        stages.Should().HaveCount(12);
        (stages[4].At - 150).Should().BeInRange(19, 22);
        (stages[8].At - 450).Should().BeInRange(9, 12);
    }

    /// <summary>Whatever the load does: only after the dwell, never two stages close together, never anything of others; and calm gives all back.</summary>
    [Fact]
    public void Stages_keep_their_times_and_calm_gives_everything_back() =>
        Gen.Select(Gen.Double[0, 100].Array[10, 40], Gen.Int[1, 12], Gen.Int[0, 100]).Sample((values, hold, shedAt) =>
        {
            var length = values.Length * hold;
            var detector = new ResourceDetector(new ResourceMonitorOptions(), "n", "e");
            var (calmSince, pressedSinceShed) = ((double?)null, false);
            var calm = new List<(double At, double For)>();
            double Load(double t) => t < length ? values[(int)t / hold] : 10;
            var mine = new StagedReleaseTests();
            mine.Shed(shedAt);
            mine.Shed(shedAt, "operator/alice");
            var stages = mine.Live(t => Load(t), length + 60, detector, each: t =>
            {
                pressedSinceShed |= t > shedAt + 3 && detector.Pressed.Count > 0;
                calmSince = Load(t) < 60 ? calmSince ?? t : null;
                calm.Add((t, t - (calmSince ?? t)));
            });
            for (var i = 0; i < stages.Count; i++)
            {
                calm.Last(x => x.At <= stages[i].At - 1).For.Should().BeGreaterThanOrEqualTo(8, "fast samples are averaged over a second");
                if (i > 0) (stages[i].At - stages[i - 1].At).Should().BeGreaterThanOrEqualTo(5);
            }

            stages.Sum(x => x.Kinds.Split('+').Length).Should().BeLessThanOrEqualTo(5, "the operator's are not touched");
            if (pressedSinceShed) mine._inForce.Should().NotContain(x => x.Owner == Run && x.Until > T0.AddSeconds(length + 60), "the others ended by themselves");
        });
}
