using Guardian.Actors.Blacklisting;
using Guardian.Actors.Chaos;
using Microsoft.Extensions.Time.Testing;

namespace Guardian.Tests.Blacklisting;

/// <summary>A node's view of the bans, by a wall clock that jumps.</summary>
public class BanReplicaTests
{
    private readonly FakeTimeProvider _steady = new();
    private readonly JumpableTime _time;
    private readonly BanReplica _replica;

    public BanReplicaTests() => _replica = new BanReplica(_time = new JumpableTime(_steady));

    [Theory]
    [InlineData(1, false)]
    [InlineData(-1, false)]
    [InlineData(1, true)]
    [InlineData(-1, true)]
    public void A_ban_that_the_authority_confirms_after_the_clock_jumped_lasts_as_long_as_it_was_given(int hours, bool replicatedFirst)
    {
        var ban = new BanPrincipal { Key = "k", Principal = "rogue", For = TimeSpan.FromSeconds(20), Reason = "r", Owner = "operator/ann", ByOperator = true };
        var given = _time.GetUtcNow();
        _replica.Ban(ban, given + ban.For, 1, held: true);
        var until = given + ban.For + TimeSpan.FromMilliseconds(3); // it counts from its arrival
        Pass(3);
        _time.Jump(TimeSpan.FromHours(hours));

        if (replicatedFirst) Replicate(until);
        _replica.Ban(ban, until, 1, held: false);
        Banned().Should().BeTrue();
        if (!replicatedFirst) Replicate(until);
        Pass(16); // longer than what holds here alone
        Banned().Should().BeTrue();
        Pass(1.1);
        Banned().Should().BeFalse();
    }

    private void Replicate(DateTimeOffset until) => _replica.OnBucket(BanBuckets.Of("rogue"), BanBucket.Empty with
    {
        Bans = [new BanEntry { Principal = "rogue", Since = until - TimeSpan.FromSeconds(20), Until = until, Reason = "r", Owner = "operator/ann", Offences = 1 }],
    });

    /// <summary>In steps, each looked at as the Blacklist does.</summary>
    private void Pass(double seconds)
    {
        for (var left = seconds; left > 0; left -= 0.5)
        {
            _steady.Advance(TimeSpan.FromSeconds(Math.Min(left, 0.5)));
            _replica.Sweep();
            _replica.Rebuild(BucketedBans.Empty);
        }
    }

    private bool Banned()
    {
        _replica.Rebuild(BucketedBans.Empty);
        return _replica.List("rogue").Count == 1;
    }
}
