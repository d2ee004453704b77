using CsCheck;
using Guardian.Actors.Mitigations;

namespace Guardian.Tests.Mitigations;

/// <summary>The one mechanism of bans, limits and modes, against a model of it that is a plain list.</summary>
public sealed class LeaseSetTests
{
    private static readonly string[] Owners = ["run-1", "run-2", "operator/ann"];
    private static readonly string[] Targets = ["a", "b"];

    private sealed record Model(string Target, string Owner, int Effect, TimeSpan End);

    private static readonly Gen<(int What, int Target, int Owner, int Effect, int Seconds)> Steps =
        Gen.Select(Gen.Int[0, 4], Gen.Int[0, 1], Gen.Int[0, 2], Gen.Int[1, 100], Gen.Int[1, 90]);

    [Fact]
    public void Whatever_happens_an_owners_lease_is_changed_by_nobody_else_and_ends_at_its_own_time() => Steps.List[1, 60].Sample(steps =>
    {
        var time = new JumpingTime();
        var leases = new LeaseSet<int>(time);
        var model = new List<Model>();
        var elapsed = TimeSpan.Zero;
        foreach (var (what, t, o, effect, seconds) in steps)
        {
            var (target, owner, length) = (Targets[t], Owners[o], TimeSpan.FromSeconds(seconds));
            switch (what)
            {
                case 0:
                    leases.Set(target, owner, effect, "", time.GetUtcNow(), time.GetUtcNow() + length);
                    model.RemoveAll(x => x.Target == target && x.Owner == owner);
                    model.Add(new Model(target, owner, effect, elapsed + length));
                    break;
                case 1:
                    var others = leases.On(target).Where(x => x.Owner != owner).ToList();
                    leases.Remove(target, owner, out _);
                    leases.On(target).Should().BeEquivalentTo(others);
                    model.RemoveAll(x => x.Target == target && x.Owner == owner);
                    break;
                case 2:
                    time.Advance(length);
                    elapsed += length;
                    break;
                case 3:
                    time.Jump(effect % 2 == 0 ? TimeSpan.FromHours(effect) : -TimeSpan.FromHours(effect));
                    break;
                default:
                    leases.Sweep();
                    break;
            }

            foreach (var each in Targets)
            {
                var inForce = model.Where(x => x.Target == each && x.End > elapsed).ToList();
                leases.On(each).Select(x => (x.Owner, x.Effect)).Should().BeEquivalentTo(inForce.Select(x => (x.Owner, x.Effect)), "jumps of the clock end nothing early or late");
                // The strictest of what remains holds: here the smallest.
                leases.On(each).Select(x => x.Effect).DefaultIfEmpty().Min().Should().Be(inForce.Select(x => x.Effect).DefaultIfEmpty().Min());
            }
        }
    }, iter: 1_000);

    [Fact]
    public void The_next_lapse_is_told_in_elapsed_time()
    {
        var time = new JumpingTime();
        var leases = new LeaseSet<int>(time);
        leases.NextLapse().Should().BeNull();
        leases.Set("a", "run-1", 1, "", time.GetUtcNow(), time.GetUtcNow() + TimeSpan.FromSeconds(30));
        time.Jump(TimeSpan.FromDays(1));
        time.Advance(TimeSpan.FromSeconds(10));
        leases.NextLapse().Should().Be(TimeSpan.FromSeconds(20));
    }
}
