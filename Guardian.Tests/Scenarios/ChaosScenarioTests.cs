using System.Text.RegularExpressions;
using Akka.TestKit.Xunit2;
using Guardian.Actors.Chaos;
using Guardian.Actors.Chaos.Drills;
using Guardian.Actors.Chaos.Targets;
using Guardian.Actors.Hosting;
using Xunit.Abstractions;

namespace Guardian.Tests.Scenarios;

/// <summary>The shipped scenarios against real actors in this process, on Akka's TestKit.</summary>
[Collection("scenarios")]
public sealed partial class ChaosScenarioTests(ITestOutputHelper output)
{
    /// <summary>A shared test machine: what is fast is measured by the benchmarks and by <c>chaos run</c>, here it must only be right.</summary>
    private static readonly DrillTiming Timing = new() { WarmUp = TimeSpan.FromMilliseconds(500), Settle = TimeSpan.FromSeconds(10) };

    /// <summary>A takeover leaves the same as an undisturbed run, wherever it happened: after the run's beginning, and after each of its six steps.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public Task Healer_crashes_after_step(int steps) => RunAsync("S15_healer_crashes", x => x.Replace("afterSteps: -1", $"afterSteps: {steps}", StringComparison.Ordinal).Replace("expect:", "expect:\n  stableFor: 500ms", StringComparison.Ordinal));

    /// <summary>A node that recovers without the safeguard under test proves nothing of it, however well it looks.</summary>
    [Theory]
    [InlineData("S02_acl_spam")]
    [InlineData("S02_forty")]
    [InlineData("S06_journal_locked")]
    [InlineData("S15_healer_crashes")]
    public Task Without_its_playbook_it_fails(string name) => WithoutPlaybookAsync(name);

    [LinuxTheory]
    [InlineData("S01_heartbeat_pause")]
    [InlineData("S04_crash_loop")]
    public Task Without_its_playbook_it_fails_on_Linux(string name) => WithoutPlaybookAsync(name);

    [Theory]
    [InlineData("S00_control")]
    [InlineData("S02_acl_spam")]
    [InlineData("S02_burst")]
    [InlineData("S02_forty")]
    [InlineData("S05_bus_crash")]
    [InlineData("S06_journal_locked")]
    public Task Passes(string name) => RunAsync(name);

    private static string OfItsOwn(string text) => System.Text.RegularExpressions.Regex.Replace(text, ", variantOf: [A-Za-z0-9_]+", "");

    [LinuxTheory]
    [InlineData("S01_heartbeat_pause")]
    [InlineData("S01_short_pause")]
    [InlineData("S04_kernel_crash")]
    [InlineData("S04_crash_loop")]
    [InlineData("S12_poison_job")]
    public Task Passes_on_Linux(string name) => RunAsync(name);

    /// <summary>Five times the time for everything.</summary>
    private static string Roomy(string scenario) => Bound().Replace(scenario, x => $"{5 * int.Parse(x.Value, System.Globalization.CultureInfo.InvariantCulture)}");

    [GeneratedRegex(@"(?<=(Within|AfterDetection|AfterWithdrawal): )\d+(?=m?s)|(?<=result\.ms < )\d+(?=\.0)")]
    private static partial Regex Bound();

    private async Task WithoutPlaybookAsync(string name)
    {
        var others = Directory.CreateTempSubdirectory("guardian-playbooks-");
        var judgement = await PlayAsync(name, x => Impatient().Replace(x, "3s"), (options, plan) =>
        {
            options.Files.Playbooks = others.FullName;
            foreach (var file in Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "playbooks"), "*.yaml").Where(x => Path.GetFileNameWithoutExtension(x) != plan.Scenario.Expect.Playbook))
                File.Copy(file, Path.Combine(others.FullName, Path.GetFileName(file)));
        });
        judgement.Verdict.Should().Be(Verdict.Fail, string.Join("; ", judgement.Reasons));
        judgement.Reasons.Should().Contain(x => x.EndsWith("did not run", StringComparison.Ordinal));
        others.Delete(recursive: true);
    }

    /// <summary>Bounds that need not be waited for where nothing will come.</summary>
    [GeneratedRegex(@"(?<=(resolve|recover|escalate|takenOver)Within: )\d+m?s")]
    private static partial Regex Impatient();

    private async Task RunAsync(string name, Func<string, string>? change = null)
    {
        var judgement = await PlayAsync(name, change);
        judgement.Verdict.Should().Be(Verdict.Pass, string.Join("; ", judgement.Reasons));
    }

    private async Task<DrillJudgement> PlayAsync(string name, Func<string, string>? change = null, Action<GuardianOptions, ScenarioPlan>? configure = null)
    {
        var file = Path.Combine(AppContext.BaseDirectory, "scenarios", name + ".yaml");
        var text = Roomy(OfItsOwn(await File.ReadAllTextAsync(file)));
        var loaded = ScenarioLoader.Load([(file, change?.Invoke(text) ?? text)]);
        loaded.Errors.Should().BeEmpty();
        var plan = new ScenarioPlan(ScenarioCatalog.Pick(loaded.Scenarios, [name])[0], 1);
        await using var node = await TestNode.StartAsync(options =>
        {
            configure?.Invoke(options, plan);
            if (plan.Scenario.NodeKernels is not { } kernels) return;
            options.Files.Kernels = Path.Combine(options.Node.DataDirectory, "scenario.yaml");
            File.WriteAllText(options.Files.Kernels, kernels.Replace("{data}", options.Node.DataDirectory, StringComparison.Ordinal));
        });
        using var kit = new TestKit(node.System);
        await kit.AwaitAssertAsync(() => node.Guardian.Parts.NotReady().Should().BeEmpty(), TimeSpan.FromSeconds(30));

        await using var target = new InProcessChaosTarget(node.Guardian.Parts);
        var record = await new DrillRunner(target, TimeProvider.System, DrillLog.None, output.WriteLine, Timing, new DrillTools { DataDirectory = node.Guardian.DataDirectory }).RunAsync(plan, default);
        var judgement = DrillJudge.Judge(plan, record);
        output.WriteLine($"{judgement.Verdict} {judgement.Clocks} {judgement.Latency} {record.Flood}");
        return judgement;
    }
}
