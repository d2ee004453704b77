using Guardian.Tests.Persistence;
using Xunit.Abstractions;

namespace Guardian.Tests.Crash;

/// <summary>
/// Real nodes, real databases, <c>kill -9</c>: at 8 points drawn from a seed, at all of them with GUARDIAN_FULL_CRASH_MATRIX=1.
/// The seed of a run is printed; GUARDIAN_CRASH_SEED repeats it.
/// </summary>
public abstract class KillMatrixTests(string provider, ITestOutputHelper output)
{
    private const int Drawn = 8;

    protected async Task MatrixAsync()
    {
        var full = Environment.GetEnvironmentVariable("GUARDIAN_FULL_CRASH_MATRIX") == "1";
        var seed = int.TryParse(Environment.GetEnvironmentVariable("GUARDIAN_CRASH_SEED"), out var given) ? given : Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        await using var matrix = await KillMatrix.StartAsync(provider);
        var calm = new Dictionary<string, KillOutcome>();
        foreach (var playbook in new[] { "rogue", "ten" })
        {
            var outcome = calm[playbook] = await matrix.RunAsync(playbook, null);
            outcome.State.Should().StartWith("incident resolved");
            outcome.Calls.Should().Be(outcome.Keys.Count, "undisturbed, nothing is asked for twice");
            output.WriteLine($"{playbook}, undisturbed: {outcome.Events} events, {outcome.Calls} calls\n{outcome.State}");
        }

        var all = calm.SelectMany(x => Enumerable.Range(1, x.Value.Calls).Select(n => new KillPoint("call", n, x.Key))
            .Concat(Enumerable.Range(1, x.Value.Events - 1).Select(n => new KillPoint("event", n, x.Key)))).ToList();
        var points = full ? all : Draw(all, new Random(seed));
        foreach (var point in points)
        {
            var outcome = await matrix.RunAsync(point.Playbook, point);
            var expected = calm[point.Playbook];
            outcome.State.Should().Be(expected.State, $"it was killed at {point}, seed {seed}");
            outcome.Keys.Should().Equal(expected.Keys, $"it was killed at {point}, seed {seed}");
            output.WriteLine($"{point}: {outcome.Calls} calls under {outcome.Keys.Count} keys, {outcome.Events} events");
        }
    }

    /// <summary>Two while the receiver holds a call, the rest after events.</summary>
    private static List<KillPoint> Draw(List<KillPoint> all, Random random)
    {
        List<KillPoint> shuffled = [.. all.OrderBy(_ => random.Next())];
        return [.. shuffled.Where(x => x.Kind == "call").Take(2), .. shuffled.Where(x => x.Kind == "event").Take(Drawn - 2)];
    }
}

public sealed class KillMatrixOnSqliteTests(ITestOutputHelper output) : KillMatrixTests("sqlite", output)
{
    [Fact]
    public Task A_killed_node_ends_what_it_began() => MatrixAsync();
}

public sealed class KillMatrixOnPostgresTests(ITestOutputHelper output) : KillMatrixTests("postgres", output)
{
    [PostgresFact]
    public Task A_killed_node_ends_what_it_began() => MatrixAsync();
}
