using System.Collections.Concurrent;
using Guardian.Actors.Incidents;
using Guardian.Playbooks.Model;
using Guardian.Tests.Persistence;
using Guardian.Tests.Playbooks;
using Xunit.Abstractions;

namespace Guardian.Tests.Crash;

/// <summary>
/// The process dies before and after every single write of the journal in turn: after each effect before its result is written, and after
/// each write before anybody acts on it. The end state is the undisturbed one, and the receiver never sees a key that it would not have seen.
/// </summary>
public sealed class CrashMatrixTests(ITestOutputHelper output)
{
    /// <summary>Processes at once: they wait for their timers most of the time.</summary>
    private const int AtOnce = 6;

    /// <summary>Ten steps and both ends with what the language has: conditions, measured skips, retries, undo by inverse and by another action, undo on resolution, errors that are passed over, every node, a hold at the start, an operator's word, a secret, guards, verification, finally.</summary>
    private const string Everything = """
        apiVersion: guardian/v1
        kind: Playbook
        metadata: { name: everything, version: 1, owner: tests, description: every feature }
        trigger:
          - event: message_bus.acl_violation.spam_attack
            when: incident.violations >= 10
        holdFor: 500ms
        guards:
          cooldown: 30s
          maxRuns: [ { count: 5, per: 1h, scope: key }, { count: 50, per: 1h, scope: playbook }, { count: 100, per: 1h, scope: cluster } ]
          lock: "${incident.subject}"
          blastRadius: { kernels: 50%, principals: 100 }
          circuitBreaker: { failures: 3, within: 1h, reset: manual }
        timeout: 50s
        vars: { channel: security }
        steps:
          - { id: assess, action: severity.assess, with: { violations: "${incident.violations}" } }
          - { id: ban, if: has(incident.principal), action: blacklist.add, with: { principal: "${incident.principal}", for: 10m }, undo: auto, undoOn: [resolved, step_failed] }
          - { id: limit, on: all, action: bus.rate_limit, with: { topic: "${incident.topic}", rate: 10/s, for: 5m, denialsOnly: true }, undo: auto }
          - { id: contain, action: test.contain, with: { name: "${steps.assess.severity}" }, undo: auto, undoOn: [resolved, step_failed] }
          - { id: never, skipWhen: { probe: bus.health, check: result.healthy, within: 2s }, action: bus.restart }
          - { id: stubborn, action: test.contain, with: { name: x, refusals: 1 }, retry: { attempts: 3, backoff: constant, initial: 50ms, max: 50ms, jitter: false } }
          - { id: disrupt, mode: propose, approval: { timeout: 40s, default: reject }, action: test.disrupt, with: { name: y, token: "${secrets.token}" }, undo: { action: test.contain, with: { name: "back ${steps.disrupt.name}" } }, undoOn: [step_failed] }
          - { id: broken, action: test.broken, with: {}, onError: continue }
          - { id: tell, action: notify, with: { channel: "${vars.channel}", text: "run ${run.id} on ${node}" }, onError: continue }
          - { id: last, action: LAST, with: {} }
        verify:
          - { id: bus, probe: bus.health, check: result.healthy, every: 100ms, succeedAfter: 2, within: 10s }
        rollback: { on: [step_failed, cancelled], order: reverse, then: escalate }
        finally:
          - { id: report, action: task.create, with: { title: "look at ${incident.subject}", body: b } }
        """;

    private static readonly IncidentRaised Raised = new()
    {
        Key = "acl/principal/rogue", Type = BuiltInIncidents.SpamAttack, Node = "n1", At = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
        Subject = "rogue", Principal = "rogue", Topic = "system.control", Detection = 1, Episode = "e1", Violations = 300, Severity = "high",
    };

    [Theory, OnSqlite, OnPostgres]
    public Task The_shipped_playbook(string provider) =>
        MatrixAsync(provider, File.ReadAllText(Path.Combine(RepositoryFiles.Folder("playbooks"), "message_bus_acl_violation_fix.yaml")), "Resolved", calls: 2);

    [Theory, OnSqlite, OnPostgres]
    public Task Ten_steps_to_a_resolution(string provider) =>
        MatrixAsync(provider, Everything.Replace("action: LAST, with: {}", "action: wait, with: { for: 10ms }"), "Resolved", calls: 6);

    [Theory, OnSqlite, OnPostgres]
    public Task Ten_steps_that_are_undone(string provider) =>
        MatrixAsync(provider, Everything.Replace("action: LAST", "action: test.broken"), "Escalated", calls: 8);

    private async Task MatrixAsync(string provider, string playbook, string phase, int calls)
    {
        var calm = await CrashRig.RunAsync(provider, playbook, Raised, new CrashPoint(0, false));
        calm.State.Should().Contain(" " + phase);
        calm.Keys.Should().HaveCount(calls);
        calm.Calls.Should().Be(calls, "undisturbed, nothing is asked for twice");
        var failures = new ConcurrentQueue<string>();
        var repeats = 0;
        await Parallel.ForEachAsync(Points(calm.Writes, provider), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (point, _) =>
        {
            var (write, before) = point;
            try
            {
                var outcome = await CrashRig.RunAsync(provider, playbook, Raised, new CrashPoint(write, before));
                if (outcome.State != calm.State) failures.Enqueue($"{Name(write, before)}: {outcome.State}");
                if (!outcome.Keys.SequenceEqual(calm.Keys)) failures.Enqueue($"{Name(write, before)}: keys {string.Join(", ", outcome.Keys)}");
                Interlocked.Add(ref repeats, outcome.Calls - outcome.Keys.Count);
            }
            catch (Exception e)
            {
                failures.Enqueue($"{Name(write, before)}: {e.Message}");
            }
        });
        output.WriteLine($"{provider}: {calm.Writes} writes, each with a death before and after it; {repeats} calls came twice, under their key");
        failures.Should().BeEmpty($"undisturbed: {calm.State}{string.Join(", ", calm.Keys)}");
    }

    /// <summary>All of them on SQLite; PostgreSQL, where only the database differs, gets every fourth.</summary>
    private static IEnumerable<(int Write, bool Before)> Points(int writes, string provider) =>
        Enumerable.Range(1, writes).SelectMany(x => new[] { (x, true), (x, false) }).Where((_, i) => provider == "sqlite" || i % 4 == 0);

    private static string Name(int write, bool before) => $"died {(before ? "before" : "after")} write {write}";
}
