using System.Globalization;
using CsCheck;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Tests.Playbooks.Execution;

/// <summary>
/// Random playbooks with every feature of a step against random outcomes, deaths of the run and of the agent, lost, late and doubled messages and
/// jumps in time. A failure prints the seed that repeats it: <c>CsCheck_Seed=…</c>.
/// </summary>
public sealed class RunModelTests
{
    private static readonly string[] Actions = ["note", "contain", "disrupt"];
    private static readonly string[] Targets = ["incident.node", "incident.node", "all"];
    private static readonly string[] Undos = ["", "", ", undo: auto", ", undo: { action: contain, with: { value: 9 } }"];

    private sealed record StepShape(int Action, int Attempts, bool Continue, int Undo, int Threshold, int Target, int Skip, int Approval, bool UndoOnResolved);

    private sealed record Shape(StepShape[] Steps, bool Verify, bool UndoOnVerify, bool Finally, bool EndAfterUndo, int Guard);

    private static readonly Gen<StepShape> GenStep =
        from action in Gen.Int[0, 2]
        from attempts in Gen.Int[1, 3]
        from go in Gen.Bool
        from undo in Gen.Int[0, 3]
        from threshold in Gen.Int[0, 20]
        from target in Gen.Int[0, 2]
        from skip in Gen.Int[0, 3]
        from approval in Gen.Int[0, 4]
        from lift in Gen.Bool
        select new StepShape(action, attempts, go, action == 0 && undo == 2 ? 0 : undo, threshold, target, skip, approval, lift && undo > (action == 0 ? 2 : 1));

    private static readonly Gen<Shape> GenShape =
        from steps in GenStep.Array[1, 4]
        from verify in Gen.Bool
        from undo in Gen.Bool
        from last in Gen.Bool
        from end in Gen.Bool
        from guard in Gen.Int[0, 3]
        select new Shape(steps, verify, undo, last, end, guard);

    private static string Yaml(Shape shape)
    {
        var steps = string.Concat(shape.Steps.Select((s, i) => string.Create(CultureInfo.InvariantCulture,
            $"  - {{ id: s{i}, action: {Actions[s.Action]}, on: {Targets[s.Target]}, if: incident.violations >= {s.Threshold}, with: {{ value: {i} }}, timeout: 5s, retry: {{ attempts: {s.Attempts}, backoff: exponential, initial: 100ms, max: 1s, jitter: true }}{(s.Continue ? ", onError: continue" : "")}{Undos[s.Undo]}{(s.UndoOnResolved ? ", undoOn: [resolved]" : "")}{(s.Skip == 0 ? ", skipWhen: { probe: health, with: {}, check: result.healthy, within: 2s }" : "")}{(s.Approval == 0 ? ", mode: propose, approval: { timeout: 1m, default: approve }" : s.Approval == 1 ? ", mode: propose, approval: { timeout: 1m, default: reject }" : "")} }}\n")));
        return "timeout: 1h\n"
            + (shape.Guard > 0 ? "guards: { lock: \"${incident.subject}\", maxRuns: [ { count: 1, per: 1h, scope: cluster } ], blastRadius: { kernels: 50% } }\n" : "")
            + "steps:\n" + steps
            + $"rollback: {{ on: [step_failed, cancelled{(shape.UndoOnVerify ? ", verify_failed" : "")}], order: reverse, then: {(shape.EndAfterUndo ? "end" : "escalate")} }}\n"
            + (shape.Verify ? "verify:\n  - { id: v, probe: health, with: {}, check: result.healthy, every: 500ms, succeedAfter: 2, within: 10s }\n" : "")
            + (shape.Finally ? "finally:\n  - { id: last, action: note, with: { value: 1 } }\n" : "");
    }

    [Fact]
    public void Every_run_ends_the_same_whatever_crashes()
    {
        Gen.Select(GenShape, Gen.Int[1, 1_000_000], Gen.Int[1, 1_000_000]).Sample((shape, seed, chaos) =>
        {
            var playbook = RunFixture.Load(Yaml(shape));
            var calm = new ModelRun(playbook, seed, shape.Guard, null).Play();
            var rough = new ModelRun(playbook, seed, shape.Guard, new Trouble(chaos, AgentDies: false)).Play();
            Check(shape, calm);
            Check(shape, rough);
            Must(End(rough) == End(calm), $"a rough history ends like a calm one\n{Yaml(shape)}\ncalm: {End(calm)}\n{string.Join('\n', calm.State.Explain)}\nrough: {End(rough)}\n{string.Join('\n', rough.State.Explain)}");
        }, iter: 10_000);
    }

    [Fact]
    public void The_invariants_hold_also_when_agents_die_messages_come_late_and_operators_cancel()
    {
        Gen.Select(GenShape, Gen.Int[1, 1_000_000], Gen.Int[1, 1_000_000]).Sample((shape, seed, chaos) =>
            Check(shape, new ModelRun(RunFixture.Load(Yaml(shape)), seed, shape.Guard, new Trouble(chaos, AgentDies: true)).Play()), iter: 10_000);
    }

    private static void Check(Shape shape, RunBench bench)
    {
        var journal = bench.Journal;
        var dispatched = journal.OfType<StepDispatched>().ToList();
        Must(dispatched.Select(x => (x.StepId, x.Key)).Distinct().Count() == dispatched.Select(x => x.StepId).Distinct().Count(), "an effect is asked for under one key");
        Must(dispatched.Select(x => x.Key).Distinct().Count() == dispatched.Select(x => x.StepId).Distinct().Count(), "no two effects share a key");
        Must(journal.Count(x => x is RunEnded) == 1 && journal[^1] is RunEnded, "a run ends once, and nothing follows");
        Must(bench.State.Steps.TrueForAll(x => x.Phase is not (StepPhase.Running or StepPhase.Unknown or StepPhase.AwaitingApproval)), "nothing hangs after the end");
        var after = bench.Machine.Decide(bench.State, bench.View);
        Must((after.Events.Count, after.Commands.Count, after.WakeAt) == (0, 0, null), "an ended run wants nothing");
        Must(journal.Aggregate(RunState.Empty, (s, e) => s.Apply(e)).Explain.SequenceEqual(bench.State.Explain), "the journal tells everything");
        foreach (var e in journal.OfType<UndoDispatched>())
        {
            var act = journal.FindIndex(x => x is StepDispatched d && d.StepId == e.StepId);
            Must(act >= 0 && act < journal.IndexOf(e) && ((StepDispatched)journal[act]).Undo, "undo before act: what takes it back was written before it was asked for");
            var step = shape.Steps[e.StepId[1] - '0'];
            var lifts = bench.State.Cancel is not null || (step.UndoOnResolved && bench.State.Rollback!.Then == RunPhase.Resolved);
            Must(step.Action != 1 || lifts, "containment outlives failure");
        }

        Must(bench.State.Phase != RunPhase.Cancelled || bench.State.Steps.TrueForAll(x => x is not { Action: "contain", Undoable: true, HasEffect: true, Undo: null }),
            "a cancel takes back all containment that is there, or may be");
        Must(!bench.State.ContainmentOnly || dispatched.TrueForAll(x => x.Action != "disrupt"), "past a quota containment acts alone");
    }

    /// <summary>Whether a failure is told before or after the attempt's deadline is a matter of lost messages: both end the step for good.</summary>
    private static string End(RunBench bench) => bench.State.Phase + ": " + string.Join(", ", bench.State.Steps.OrderBy(x => x.Id, StringComparer.Ordinal)
        .Select(x => $"{x.Id} {(x.Phase == StepPhase.TimedOut ? StepPhase.Failed : x.Phase)}"));

    private static void Must(bool holds, string what)
    {
        if (!holds) throw new InvalidOperationException("violated: " + what);
    }
}
