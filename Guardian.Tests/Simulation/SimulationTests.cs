using System.Collections.Concurrent;
using System.Globalization;
using Xunit.Abstractions;

namespace Guardian.Tests.Simulation;

/// <summary>
/// Detectors, incident logic, run machine and agent's ledger together under delay, loss, duplication, reordering and crashes.
/// GUARDIAN_SIMULATION_SEEDS sets how many seeds; GUARDIAN_SIMULATION_SEED replays one and prints its history.
/// </summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    private static int Seeds => int.TryParse(Environment.GetEnvironmentVariable("GUARDIAN_SIMULATION_SEEDS"), CultureInfo.InvariantCulture, out var seeds) ? seeds : 10_000;

    [Fact]
    public void Every_seed_keeps_the_invariants()
    {
        if (int.TryParse(Environment.GetEnvironmentVariable("GUARDIAN_SIMULATION_SEED"), CultureInfo.InvariantCulture, out var one))
        {
            ReplayOne(one);
            return;
        }

        var broken = new ConcurrentBag<(int Seed, string Message)>();
        Parallel.For(1, Seeds + 1, new ParallelOptions { MaxDegreeOfParallelism = 2 }, (seed, loop) =>
        {
            try
            {
                Simulation.Run(seed);
            }
            catch (BrokenInvariantException e)
            {
                broken.Add((seed, e.Message));
                if (broken.Count >= 10) loop.Stop();
            }
        });
        broken.OrderBy(x => x.Seed).Select(x => $"seed {x.Seed}: {x.Message}; replay: GUARDIAN_SIMULATION_SEED={x.Seed} dotnet test --filter FullyQualifiedName~SimulationTests").Should().BeEmpty();
    }

    [Fact]
    public void The_same_seed_gives_the_same_history()
    {
        var hashes = Enumerable.Range(1, 50).Select(x => Simulation.Run(x)).ToList();
        Enumerable.Range(1, 50).Select(x => Simulation.Run(x)).Should().Equal(hashes);
        hashes.Should().OnlyHaveUniqueItems("another seed is another history");
    }

    [Fact]
    public void An_agent_that_forgets_what_it_did_is_found() => Found(new WorldOptions { ForgetfulAgent = true }, "took place twice");

    [Fact]
    public void A_monitor_that_tells_once_is_found() => Found(new WorldOptions { TellsOnce = true }, "incidents to tell");

    [Fact]
    public void Acting_before_writing_is_found() => Found(new WorldOptions { ActsBeforeItWrites = true }, "before its dispatch was in the journal");

    private static void Found(WorldOptions bug, string message)
    {
        for (var seed = 1; seed <= 500; seed++)
        {
            try
            {
                Simulation.Run(seed, bug);
            }
            catch (BrokenInvariantException e) when (e.Message.Contains(message, StringComparison.Ordinal))
            {
                return;
            }
        }

        Assert.Fail("500 seeds did not find it");
    }

    private void ReplayOne(int seed)
    {
        var history = new List<string>();
        try
        {
            output.WriteLine($"hash {Simulation.Run(seed, null, history):x}");
        }
        finally
        {
            foreach (var line in history) output.WriteLine(line);
        }
    }
}
