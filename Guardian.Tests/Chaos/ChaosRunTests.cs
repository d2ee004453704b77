using System.Text.Json;
using System.Xml.Linq;
using Guardian.Actors.Chaos;
using Guardian.Actors.Hosting;
using Guardian.Actors.Leasekeeping;
using Guardian.Host.Chaos;
using Guardian.Host.Cli;

namespace Guardian.Tests.Chaos;

/// <summary>The command line around the drills: usage, a node that cannot start, and what is left on disk.</summary>
public sealed class ChaosRunTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("guardian-chaos-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("run", "S99")]
    [InlineData("run", "S02", "--repeat", "0")]
    [InlineData("run", "S02", "--url", "nonsense", "--yes")]
    [InlineData("run", "S02", "--url", "http://192.0.2.1:8558", "--yes")]
    [InlineData("run", "S02", "--url", "http://127.0.0.1:9", "--yes")]
    [InlineData("run", "S02", "--url", "http://127.0.0.1:9")]
    [InlineData("list", "--scenarios", "no-such-folder")]
    public async Task Wrong_usage_and_an_unreachable_node_are_6(params string[] arguments) =>
        (await ChaosCommand.Create(new CliOptions([])).Parse(arguments).InvokeAsync()).Should().Be(6);

    [Fact]
    public async Task The_list_shows_what_ships() => (await ChaosCommand.Create(new CliOptions([])).Parse(["list"]).InvokeAsync()).Should().Be(0);

    [Fact]
    public async Task A_node_that_ends_while_starting_is_a_harness_error_with_its_output_and_a_whole_report()
    {
        var output = new StringWriter();
        var console = new ChaosConsole(output, TextWriter.Null, json: false, terminal: false, TimeProvider.System);
        var run = new ChaosRun(console, TimeProvider.System, () => new GuardianProgram("/bin/sh", ["-c", "echo 'Guardian:Mode: no such mode'; exit 3"]), _ => Task.FromResult<double?>(0), _ => new NoLeasekeeper("none in this test"));
        var request = new ChaosRequest { Scenarios = [ChaosTexts.Control()], Ids = ["S00"], Seed = 42, Repeat = 2, Report = _folder };

        var (report, folder) = await run.RunAsync(request, default);
        console.Closing(report, folder);

        report.Worst.Should().Be(Verdict.HarnessError);
        report.Drills.Should().HaveCount(2);
        report.Drills[0].Judgement.Reasons[0].Should().Contain("ended with 3").And.Contain("no such mode");
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "run.json")));
        json.RootElement.GetProperty("schema").GetString().Should().Be("guardian.chaos/1");
        json.RootElement.GetProperty("exitCode").GetInt32().Should().Be(6);
        json.RootElement.GetProperty("replay").GetString().Should().Be("guardian chaos run S00 --seed 42 --repeat 2");
        json.RootElement.GetProperty("drills").GetArrayLength().Should().Be(2);
        var junit = XDocument.Load(Path.Combine(folder, "junit.xml")).Root!;
        ((int)junit.Attribute("errors")!, (int)junit.Attribute("failures")!, (int)junit.Attribute("tests")!).Should().Be((2, 0, 2));
        (await File.ReadAllTextAsync(Path.Combine(folder, "report.md"))).Should().Contain("| S00_control | harness_error |").And.Contain("chaos run S00 --seed 42");
        File.Exists(Path.Combine(folder, "history.jsonl")).Should().BeTrue();
        File.Exists(Path.Combine(folder, "guardian-S00_control-1", "node.log")).Should().BeTrue("a failed drill keeps its evidence");
        output.ToString().Should().Contain("0 of 2 passed (0 %): harness_error");
    }

    [Fact]
    public void Nobody_is_played_beside_what_needs_the_machine_and_who_watches_it_only_beside_its_like()
    {
        var plans = ScenarioLoader.LoadDirectory(Path.Combine(AppContext.BaseDirectory, "scenarios")).Scenarios.Select(x => new ScenarioPlan(x, 1)).ToList();
        var turns = ChaosRun.Turns(plans).ToList();

        turns.SelectMany(x => x.Select(p => p.Scenario.Name)).Should().BeEquivalentTo(plans.Select(x => x.Scenario.Name));
        turns.Where(x => x.Any(p => p.Scenario.NeedsWholeHost)).Should().OnlyContain(x => x.Count == 1);
        turns.Should().OnlyContain(x => x.Select(p => p.Scenario.WatchesResources).Distinct().Count() == 1);
        turns.Single(x => x.Any(p => p.Scenario.Name == "S09_memory_runaway")).Should().HaveCountGreaterThan(1, "those that watch the machine are played beside one another");
        turns.Count(x => x.Count > 1).Should().Be(2);
    }

    /// <summary>Asked for by its name it is inconclusive; of <c>all</c> it is left out, and what can run decides.</summary>
    [Theory]
    [InlineData("S07")]
    [InlineData("all")]
    public async Task Without_PostgreSQL_a_cluster_is_not_started_and_the_reason_is_given(string asked)
    {
        var output = new StringWriter();
        var console = new ChaosConsole(output, TextWriter.Null, json: false, terminal: false, TimeProvider.System);
        var run = new ChaosRun(console, TimeProvider.System, () => new GuardianProgram("/bin/false", []), _ => Task.FromResult<double?>(0), _ => new NoLeasekeeper("none in this test"));
        var scenario = ScenarioLoader.LoadDirectory(Path.Combine(AppContext.BaseDirectory, "scenarios")).Scenarios.Single(x => x.Name == "S07_node_killed");

        var (report, folder) = await run.RunAsync(new ChaosRequest { Scenarios = [scenario], Ids = [asked], Seed = 42, Repeat = 1, Report = _folder, Postgres = "Host=127.0.0.1;Port=1;Timeout=1" }, default);
        console.Closing(report, folder);

        var junit = XDocument.Load(Path.Combine(folder, "junit.xml")).Root!;
        if (asked == "all")
        {
            report.Skipped.Should().ContainSingle().Which.Missing.Should().Contain("PostgreSQL");
            output.ToString().Should().Contain("left out: S07_node_killed: the PostgreSQL that was given does not answer");
            junit.Descendants("skipped").Should().ContainSingle();
        }
        else
        {
            report.Worst.Should().Be(Verdict.Inconclusive);
            report.Drills[0].Judgement.Reasons[0].Should().Contain("PostgreSQL");
        }
    }

    [Fact]
    public async Task On_a_busy_machine_the_control_is_inconclusive_and_no_node_is_started()
    {
        var console = new ChaosConsole(TextWriter.Null, TextWriter.Null, json: false, terminal: false, TimeProvider.System);
        var run = new ChaosRun(console, TimeProvider.System, () => throw new InvalidOperationException("started"), _ => Task.FromResult<double?>(51), _ => new NoLeasekeeper("none in this test"));

        var (report, _) = await run.RunAsync(new ChaosRequest { Scenarios = [ChaosTexts.Control()], Ids = ["S00"], Seed = 42, Repeat = 1, Report = _folder }, default);

        report.Worst.Should().Be(Verdict.Inconclusive);
        report.Drills[0].Judgement.Reasons[0].Should().Contain("50 %");
    }
}
