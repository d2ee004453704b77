using Akka.Actor;
using Akka.Cluster.Tools.PublishSubscribe;
using Guardian.Actors.Bus;
using Guardian.Actors.Chaos;
using Guardian.Actors.Chaos.Drills;
using Guardian.Actors.Chaos.Faults;
using Guardian.Actors.Chaos.Targets;

namespace Guardian.Tests.Scenarios;

/// <summary>N01: whoever sabotages a safeguard of a real node must be seen. The same scenario without a bug passes.</summary>
[Collection("scenarios")]
public sealed class PlantedBugTests
{
    private static readonly DrillTiming Timing = new() { WarmUp = TimeSpan.FromMilliseconds(500), Settle = TimeSpan.FromSeconds(3), Grace = TimeSpan.FromSeconds(1) };

    private const string Flood = """
        apiVersion: guardian/v1
        kind: Scenario
        metadata: { name: N01_flood, title: flood }
        steadyState:
          - { probe: bus.health, check: result.healthy }
          - { probe: bus.violations, with: { subject: rogue, window: 300ms }, check: result.count == 0 }
        load: { principals: 5, rate: 300/s, topics: ["library.books.>"] }
        fault: { kind: bus.flood, with: { principal: rogue, topic: system.control, count: 50, over: 400ms }, ttl: 20s }
        evidence: { probe: bus.violations, with: { subject: rogue, window: 300ms }, check: result.count >= 1 }
        expect:
          incident: message_bus.acl_violation.control_topic_flood
          playbook: message_bus_acl_violation_fix
          incidents: 1
          runs: 1
          resolveWithin: 20s
          stableFor: 500ms
        verify:
          - { probe: blacklist.contains, with: { principal: rogue }, check: result.banned }
          - { probe: tasks.count, with: { subject: rogue }, check: result.count == 1 }
        """;

    [Fact]
    public Task Without_a_bug_it_passes() => ExpectAsync(Verdict.Pass, "", (target, _) => target);

    [Fact]
    public Task A_denied_message_that_is_delivered() => ExpectAsync(Verdict.Unsafe, "forbidden messages were delivered", (target, _) => new DeliversDenied(target));

    [Fact]
    public Task An_acknowledged_message_that_is_dropped() => ExpectAsync(Verdict.Unsafe, "Lost", (target, _) => new DropsAcknowledged(target));

    [Fact]
    public Task An_effect_that_is_doubled() => ExpectAsync(Verdict.Fail, "tasks.count", (target, node) => new DoublesTheTicket(target, node.Guardian.DataDirectory));

    [Fact]
    public Task Two_writers() => ExpectAsync(Verdict.Unsafe, "two writers at once", (target, node) => new WritesBeside(target, node.Guardian.DataDirectory));

    [Fact]
    public Task A_muted_monitor() => ExpectAsync(Verdict.Fail, "no incident was opened", (target, node) =>
    {
        var monitor = node.System.ActorSelection("/user/guardian/monitors/acl-violations").ResolveOne(TimeSpan.FromSeconds(10)).GetAwaiter().GetResult();
        DistributedPubSub.Get(node.System).Mediator.Tell(new Unsubscribe(ViolationDigest.Topic, monitor));
        return target;
    }, Flood.Replace("resolveWithin: 20s", "resolveWithin: 3s", StringComparison.Ordinal));

    [Fact]
    public async Task A_safeguard_whose_playbook_is_gone()
    {
        var empty = Directory.CreateTempSubdirectory("guardian-no-playbooks-");
        File.Copy(Path.Combine(AppContext.BaseDirectory, "playbooks", "policy_regression.yaml"), Path.Combine(empty.FullName, "policy_regression.yaml"));
        await ExpectAsync(Verdict.Fail, "did not run", (target, _) => target, Flood.Replace("resolveWithin: 20s", "resolveWithin: 3s", StringComparison.Ordinal), options => options.Files.Playbooks = empty.FullName);
        empty.Delete(recursive: true);
    }

    [Fact]
    public async Task An_undo_that_is_skipped()
    {
        const string Text = """
            apiVersion: guardian/v1
            kind: Scenario
            metadata: { name: N01_undo, title: an undo that is skipped }
            steadyState: [ { probe: bus.health, check: result.healthy } ]
            load: { principals: 5, rate: 300/s, topics: ["library.books.>"] }
            fault: { kind: journal.lock.stays, ttl: 10s }
            evidence: { probe: journal.writable, check: "!result.writable" }
            expect: { incidents: 0, runs: 0, stableFor: 500ms, recoverWithin: 5s }
            """;
        using var stays = new LockThatStays();
        await ExpectAsync(Verdict.UndoUnproven, "its evidence still holds", (target, _) => target, Text, faults: FaultRegistry.With([stays]));
    }

    private static async Task ExpectAsync(Verdict verdict, string reason, Func<IChaosTarget, TestNode, IChaosTarget> plant, string? text = null,
        Action<Guardian.Actors.Hosting.GuardianOptions>? configure = null, FaultRegistry? faults = null)
    {
        await using var node = await TestNode.StartAsync(configure);
        var loaded = ScenarioLoader.Load([("planted.yaml", text ?? Flood)], faults);
        loaded.Errors.Should().BeEmpty();
        var plan = new ScenarioPlan(loaded.Scenarios.Single(), 1);
        await using var target = plant(new InProcessChaosTarget(node.Guardian.Parts), node);
        var record = await new DrillRunner(target, TimeProvider.System, DrillLog.None, _ => { }, Timing, new DrillTools { DataDirectory = node.Guardian.DataDirectory })
            .RunAsync(plan, default).WaitAsync(TimeSpan.FromSeconds(90));
        var judgement = DrillJudge.Judge(plan, record);
        judgement.Verdict.Should().Be(verdict, string.Join("; ", judgement.Reasons));
        if (reason.Length > 0) judgement.Reasons.Should().Contain(x => x.Contains(reason, StringComparison.Ordinal));
    }
}
