using System.Text.Json;
using Guardian.Actors.Runs;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;
using Guardian.Tests.Playbooks.Execution;

namespace Guardian.Tests.Runs;

public sealed class RunSnapshotTests
{
    /// <summary>A snapshot at any event, written and read back, goes on to the same state as the events alone.</summary>
    [Fact]
    public void A_snapshot_at_any_event_leads_to_the_same_end()
    {
        var bench = new RunBench(RunFixture.Load("""
            steps:
              - { id: wide, on: all, action: disrupt, undo: auto }
              - { id: ban, action: contain, with: { value: 1 }, undo: auto, skipWhen: { probe: health, with: {}, check: result.healthy } }
              - { id: ask, action: disrupt, mode: propose, approval: { timeout: 1m, default: approve }, undo: { action: contain, with: { value: 3 } } }
            verify:
              - { id: ok, probe: health, with: {}, check: result.healthy, every: 500ms, within: 2s }
            rollback: { on: [verify_failed] }
            """)) { Nodes = [new TargetNode("n1", []), new TargetNode("n2", [])] }.Begin();
        for (var i = 0; i < 500 && !bench.State.Ended; i++)
        {
            var decision = bench.Settle();
            foreach (var command in decision.Commands)
            {
                if (command is RunCommand.Dispatch x) bench.Tell(new RunInput.Outcome(x.Key, OutcomeKind.Succeeded, RunFixture.Json("""{ "value": 1 }"""), null, x.Attempt));
                if (command is RunCommand.Probe probe) bench.Tell(new RunInput.Probed(probe.Id, RunFixture.Json("""{ "healthy": false }"""), null));
            }

            bench.Now = decision.Commands.Count == 0 && decision.WakeAt > bench.Now ? decision.WakeAt.Value : bench.Now + TimeSpan.FromMilliseconds(100);
        }

        bench.State.Phase.Should().Be(RunPhase.Escalated);
        var end = Text(bench.State);
        for (var i = 1; i <= bench.Journal.Count; i++)
        {
            var state = bench.Journal.Take(i).Aggregate(RunState.Empty, (s, e) => s.Apply(e));
            var read = JsonSerializer.Deserialize(Text(state), RunsJson.Default.RunState)!;
            Text(bench.Journal.Skip(i).Aggregate(read, (s, e) => s.Apply(e))).Should().Be(end);
        }
    }

    private static string Text(RunState state) => JsonSerializer.Serialize(state, RunsJson.Default.RunState);
}
