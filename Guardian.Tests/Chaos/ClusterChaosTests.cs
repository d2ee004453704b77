using Guardian.Actors.Chaos;
using Guardian.Tests.Clustering;
using Guardian.Tests.Node;
using Guardian.Tests.Persistence;
using Xunit.Abstractions;

namespace Guardian.Tests.Chaos;

/// <summary>The scenarios with PostgreSQL, played by the command line itself on nodes of its own.</summary>
[Collection(RealClusters.Name)]
public sealed class ClusterChaosTests(ITestOutputHelper output) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("guardian-cluster-chaos-");

    public void Dispose() => _folder.Delete(recursive: true);

    [PostgresFact]
    public Task Commits_that_nobody_is_told_of() => PassesAsync("S06_postgres_unacknowledged");

    [LongPostgresTheory]
    [InlineData("S06_postgres_refused")]
    [InlineData("S06_postgres_hangs")]
    [InlineData("S08_partition")]
    [InlineData("S08_one_way")]
    [InlineData("S08_flapping")]
    public Task Passes(string scenario) => PassesAsync(scenario);

    /// <summary>The node on which the run lives is killed after each of its steps; another one ends it, the same as undisturbed.</summary>
    [LongPostgresTheory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public Task Node_killed_after_step(int steps) => PassesAsync("S07_node_killed", x => x.Replace("away: 16s", $"away: 16s, afterSteps: {steps}", StringComparison.Ordinal));

    /// <summary>One node alone, killed after a step that the seed draws and started again: four seeds, four steps.</summary>
    [LongPostgresTheory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public Task Healer_killed_at_a_seeded_step(int which)
    {
        var seeds = Enumerable.Range(1, 100).GroupBy(x => new Random(x).Next(0, 6)).Select(x => x.First()).Take(4).ToList();
        seeds.Should().HaveCount(4);
        return PassesAsync("S15_healer_killed", seed: seeds[which]);
    }

    private async Task PassesAsync(string scenario, Func<string, string>? change = null, int seed = 1)
    {
        var file = Path.Combine(AppContext.BaseDirectory, "scenarios", scenario + ".yaml");
        var text = System.Text.RegularExpressions.Regex.Replace(await File.ReadAllTextAsync(file), ", variantOf: [A-Za-z0-9_]+", "");
        var scenarios = _folder.CreateSubdirectory("scenarios").FullName;
        await File.WriteAllTextAsync(Path.Combine(scenarios, scenario + ".yaml"), change?.Invoke(text) ?? text);
        var (code, said) = await GuardianCommand.RunAsync(_folder.FullName, ["chaos", "run", scenario, "--seed", $"{seed}", "--scenarios", scenarios, "--report", _folder.FullName, "--postgres", Postgres.Server!]);
        output.WriteLine(said);
        code.Should().Be(Verdict.Pass.ExitCode(), said);
    }
}

/// <summary>Needs PostgreSQL and minutes: GUARDIAN_TEST_LONG=1 runs it.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LongPostgresTheoryAttribute : TheoryAttribute
{
    public LongPostgresTheoryAttribute() =>
        Skip = Environment.GetEnvironmentVariable("GUARDIAN_TEST_LONG") == "1" ? Postgres.Missing : "takes minutes: GUARDIAN_TEST_LONG=1 runs it";
}
