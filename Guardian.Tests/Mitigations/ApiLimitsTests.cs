using Guardian.Actors.Mitigations;
using Guardian.Playbooks.Model;

namespace Guardian.Tests.Mitigations;

public sealed class ApiLimitsTests
{
    private readonly JumpingTime _time = new();
    private readonly ApiLimits _limits;

    public ApiLimitsTests() => _limits = new ApiLimits(_time);

    private string? Set(string owner, string rate, int seconds = 60) => _limits.Set(owner, Rate.Parse(rate), "test", _time.GetUtcNow().AddSeconds(seconds));

    /// <summary>Requests taken before the first is refused. The rates are so slow that no token comes back meanwhile.</summary>
    private int Taken()
    {
        for (var i = 0; i < 100; i++)
            if (_limits.Refuses(out var retryAfter))
            {
                retryAfter.Should().BePositive();
                return i;
            }

        return int.MaxValue;
    }

    [Fact]
    public void The_strictest_holds_and_an_owner_lifts_only_its_own()
    {
        Set("run-1", "9/h").Should().BeNull();
        Set("run-2", "3/h").Should().BeNull();
        Taken().Should().Be(3);
        _limits.Mitigations("n1").Select(x => (x.Owner, x.Effect, x.Node, x.Target)).Should().Equal(("run-1", "limit to 9/h", "n1", "api"), ("run-2", "limit to 3/h", "n1", "api"));

        _limits.Lift("run-3").Should().BeFalse();
        _limits.Lift("run-2").Should().BeTrue();
        Taken().Should().Be(9, "the other one's limit is as it was");
        _limits.LiftById("api-limit:run-1").Should().BeTrue();
        Taken().Should().Be(int.MaxValue);
        _limits.Refused.Should().Be(2);
    }

    [Fact]
    public void It_lapses_by_itself_whatever_the_clock_does()
    {
        Set("run-1", "1/h", 60);
        _time.Jump(TimeSpan.FromDays(2));
        _time.Advance(TimeSpan.FromSeconds(59));
        Taken().Should().Be(1);
        _time.Jump(TimeSpan.FromDays(-4));
        _time.Advance(TimeSpan.FromSeconds(1));
        Taken().Should().Be(int.MaxValue);
        _limits.Mitigations("n1").Should().BeEmpty();
    }

    [Fact]
    public void A_renewal_keeps_what_was_used_and_a_lease_in_the_past_is_refused()
    {
        Set("run-1", "4/h", 10);
        Taken().Should().Be(4);
        Set("run-1", "4/h", 60);
        Taken().Should().Be(0);
        _time.Advance(TimeSpan.FromSeconds(30));
        _limits.Mitigations("n1").Should().ContainSingle();
        _limits.Set("run-2", Rate.Parse("1/s"), "", _time.GetUtcNow()).Should().Contain("ended already");
    }
}
