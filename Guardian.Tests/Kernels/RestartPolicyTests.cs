using CsCheck;
using Guardian.Actors.Kernels;

namespace Guardian.Tests.Kernels;

public sealed class RestartPolicyTests
{
    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    [Fact]
    public void The_first_restart_after_a_healthy_stretch_is_immediate_and_the_next_ones_wait_twice_as_long()
    {
        var policy = new RestartPolicy(new RestartSpec { Max = 100, HealthyAfter = Seconds(10) });
        policy.Crashed(Seconds(100), lived: Seconds(100), 1).Wait.Should().Be(TimeSpan.Zero);
        policy.Crashed(Seconds(101), Seconds(1), 1).Wait.Should().Be(Seconds(0.1));
        policy.Crashed(Seconds(102), Seconds(1), 1).Wait.Should().Be(Seconds(0.2));
        policy.Crashed(Seconds(103), Seconds(1), 0).Wait.Should().Be(Seconds(0.2), "half of 400 ms is random");
        policy.Crashed(Seconds(120), Seconds(10), 1).Wait.Should().Be(TimeSpan.Zero, "it was healthy in between");
    }

    [Fact]
    public void Kills_half_a_second_apart_within_a_wide_limit_never_wait()
    {
        var policy = new RestartPolicy(new RestartSpec { Max = 1000, Within = Seconds(60) });
        for (var i = 1; i <= 50; i++) policy.Crashed(Seconds(i * 0.5), Seconds(0.4), 1).Should().Be(new RestartDecision(true, TimeSpan.Zero));
    }

    [Fact]
    public void The_limit_is_a_window_and_never_a_lifetime_count()
    {
        var policy = new RestartPolicy(new RestartSpec { Max = 3, Within = Seconds(60) });
        for (var i = 0; i < 1000; i++) policy.Crashed(Seconds(i * 25), Seconds(25), 1).Again.Should().BeTrue();
        policy.Crashed(Seconds(25_000), Seconds(1), 1).Again.Should().BeTrue();
        policy.Crashed(Seconds(25_001), Seconds(1), 1).Again.Should().BeFalse("this is the fourth within a minute");
        policy.Reset();
        policy.Crashed(Seconds(25_002), Seconds(1), 1).Should().Be(new RestartDecision(true, TimeSpan.Zero));
    }

    [Fact]
    public void No_window_ever_holds_more_restarts_than_the_limit() =>
        Gen.Select(Gen.Int[1, 10], Gen.Double[0.01, 30].Array[1, 100], Gen.Double[0, 1]).Sample((max, gaps, random) =>
        {
            var spec = new RestartSpec { Max = max, Within = Seconds(60) };
            var policy = new RestartPolicy(spec);
            var (now, restarts) = (TimeSpan.Zero, new List<TimeSpan>());
            foreach (var gap in gaps)
            {
                now += Seconds(gap);
                var decision = policy.Crashed(now, Seconds(gap), random);
                if (decision.Again) restarts.Add(now);
                else restarts.Count(x => now - x < spec.Within).Should().Be(max, "it gives up at the limit and not before");
                decision.Wait.Should().BeLessThanOrEqualTo(spec.Longest);
                restarts.Count(x => now - x < spec.Within).Should().BeLessThanOrEqualTo(max);
            }
        });
}
