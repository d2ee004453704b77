using System.Diagnostics;
using Akka.Actor;
using Guardian.Actors.Chaos;
using Guardian.Actors.Chaos.Drills;
using Guardian.Actors.Chaos.Targets;

namespace Guardian.Tests.Scenarios;

/// <summary>N01 for kernels: a heartbeat pause on a node whose safeguards are sabotaged must turn red.</summary>
[Collection("scenarios")]
public sealed class PlantedKernelBugTests
{
    private static readonly DrillTiming Timing = new() { WarmUp = TimeSpan.FromMilliseconds(500), Settle = TimeSpan.FromSeconds(3), Grace = TimeSpan.FromSeconds(1) };

    private const string Pause = """
        apiVersion: guardian/v1
        kind: Scenario
        metadata: { name: N01_pause, title: pause }
        node:
          kernels:
            - { name: worker, type: process, command: [sh, -c, "while kill -0 $PPID 2>/dev/null; do sleep 1; done"], heartbeat: { every: 500ms, missAfter: 1500ms } }
        steadyState:
          - { probe: bus.health, check: result.healthy }
          - { probe: kernels.status, with: { kernel: worker }, check: has(result.silentMs) && result.silentMs < 1000.0 }
        load: { principals: 5, rate: 300/s, topics: ["library.books.>"] }
        fault: { kind: kernel.mute, with: { kernel: worker, for: 3s }, ttl: 20s }
        evidence: { probe: kernels.status, with: { kernel: worker }, check: has(result.silentMs) && result.silentMs >= 1000.0 }
        never:
          - { probe: kernels.processes, with: { kernel: worker }, check: result.instances > 1 }
        expect:
          incident: kernel.heartbeat_missed
          playbook: kernel_heartbeat_gap
          incidents: 1
          runs: 1
          resolveWithin: 20s
          stableFor: 500ms
        """;

    [LinuxFact]
    public Task Without_a_bug_it_passes() => ExpectAsync(Verdict.Pass, "", _ => null);

    [LinuxFact]
    public Task A_watchdog_that_is_gone() => ExpectAsync(Verdict.Fail, "no incident was opened", node =>
    {
        node.System.ActorSelection("/user/guardian/monitors/heartbeats").Tell(PoisonPill.Instance);
        return null;
    }, "3s");

    [LinuxFact]
    public async Task A_playbook_that_is_gone()
    {
        var others = Directory.CreateTempSubdirectory("guardian-no-playbooks-");
        File.Copy(Path.Combine(AppContext.BaseDirectory, "playbooks", "policy_regression.yaml"), Path.Combine(others.FullName, "policy_regression.yaml"));
        await ExpectAsync(Verdict.Fail, "did not run", _ => null, "3s", others.FullName);
        others.Delete(recursive: true);
    }

    [LinuxFact]
    public Task Two_instances_at_once() => ExpectAsync(Verdict.Unsafe, "result.instances > 1 held, and never must", node =>
    {
        var start = new ProcessStartInfo("sleep", ["60"]);
        start.Environment["GUARDIAN_FOLDER"] = Path.Combine(node.Guardian.DataDirectory, "kernels", "worker", "0");
        start.Environment["GUARDIAN_EPOCH"] = "1";
        return Process.Start(start);
    });

    private static async Task ExpectAsync(Verdict verdict, string reason, Func<TestNode, Process?> plant, string within = "20s", string? playbooks = null)
    {
        var loaded = ScenarioLoader.Load([("planted.yaml", Pause.Replace("resolveWithin: 20s", $"resolveWithin: {within}", StringComparison.Ordinal))]);
        loaded.Errors.Should().BeEmpty();
        var plan = new ScenarioPlan(loaded.Scenarios.Single(), 1);
        await using var node = await TestNode.StartAsync(options =>
        {
            options.Files.Kernels = Path.Combine(options.Node.DataDirectory, "scenario.yaml");
            File.WriteAllText(options.Files.Kernels, plan.Scenario.NodeKernels);
            options.Files.Playbooks = playbooks ?? options.Files.Playbooks;
        });
        using var planted = plant(node);
        try
        {
            await using var target = new InProcessChaosTarget(node.Guardian.Parts);
            var record = await new DrillRunner(target, TimeProvider.System, DrillLog.None, _ => { }, Timing, new DrillTools { DataDirectory = node.Guardian.DataDirectory })
                .RunAsync(plan, default).WaitAsync(TimeSpan.FromSeconds(90));
            var judgement = DrillJudge.Judge(plan, record);
            judgement.Verdict.Should().Be(verdict, string.Join("; ", [.. judgement.Reasons, .. record.Incidents.Select(x => $"{x.Type} about {x.Subject} after {x.FirstSeen - record.Injected}")]));
            if (reason.Length > 0) judgement.Reasons.Should().Contain(x => x.Contains(reason, StringComparison.Ordinal));
        }
        finally
        {
            planted?.Kill();
        }
    }
}
