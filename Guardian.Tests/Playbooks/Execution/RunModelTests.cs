using System.Globalization;
using CsCheck;
using Guardian.Playbooks.Execution;

namespace Guardian.Tests.Playbooks.Execution;

/// <summary>Random playbooks against random outcomes, crashes and jumps in time.</summary>
public sealed class RunModelTests
{
    private static readonly string[] Actions = ["note", "contain", "disrupt"];

    private sealed record StepShape(int Action, int Attempts, bool Continue, bool Undo, int Threshold);

    private sealed record Shape(StepShape[] Steps, bool Verify, bool UndoOnVerify, bool Finally);

    private static readonly Gen<StepShape> GenStep =
        from action in Gen.Int[0, 2]
        from attempts in Gen.Int[1, 3]
        from go in Gen.Bool
        from undo in Gen.Bool
        from threshold in Gen.Int[0, 20]
        select new StepShape(action, attempts, go, undo && action > 0, threshold);

    private static readonly Gen<Shape> GenShape =
        from steps in GenStep.Array[1, 5]
        from verify in Gen.Bool
        from undo in Gen.Bool
        from last in Gen.Bool
        select new Shape(steps, verify, undo, last);

    private static string Yaml(Shape shape)
    {
        var steps = string.Concat(shape.Steps.Select((s, i) => string.Create(CultureInfo.InvariantCulture,
            $"  - {{ id: s{i}, action: {Actions[s.Action]}, if: incident.violations >= {s.Threshold}, with: {{ value: {i} }}, timeout: 5s, retry: {{ attempts: {s.Attempts}, backoff: exponential, initial: 100ms, max: 1s, jitter: true }}{(s.Continue ? ", onError: continue" : "")}{(s.Undo ? ", undo: auto" : "")} }}\n")));
        return "timeout: 1h\nsteps:\n" + steps
            + (shape.UndoOnVerify ? "rollback: { on: [step_failed, cancelled, verify_failed], order: reverse, then: escalate }\n" : "")
            + (shape.Verify ? "verify:\n  - { id: v, probe: health, with: {}, check: result.healthy, every: 500ms, succeedAfter: 2, within: 10s }\n" : "")
            + (shape.Finally ? "finally:\n  - { id: last, action: note, with: { value: 1 } }\n" : "");
    }

    /// <summary>An agent that performs a key once and whose word on a key's attempt depends on nothing else.</summary>
    private sealed class Agent(int seed)
    {
        public HashSet<string> Performed { get; } = [];

        public OutcomeKind Perform(string key, int attempt)
        {
            if (Performed.Contains(key)) return OutcomeKind.Succeeded;
            if (Mix(key, attempt) % 4 == 0) return OutcomeKind.Failed;
            Performed.Add(key);
            return OutcomeKind.Succeeded;
        }

        public bool Healthy => seed % 3 != 0;

        private uint Mix(string key, int attempt)
        {
            var hash = (uint)seed * 2654435761u;
            foreach (var c in key) hash = (hash ^ c) * 16777619u;
            hash = (hash ^ (uint)attempt) * 0x85ebca6bu;
            return hash ^ (hash >> 15);
        }
    }

    private static RunBench Play(Shape shape, int seed, Random? trouble)
    {
        var bench = new RunBench(RunFixture.Load(Yaml(shape))).Begin();
        var agent = new Agent(seed);
        for (var i = 0; i < 5_000 && !bench.State.Ended; i++)
        {
            if (trouble?.Next(6) == 0) bench.Crash();
            var decision = bench.Machine.Decide(bench.State, bench.View);
            if (decision.Events.Count > 0)
            {
                decision.Commands.Should().BeEmpty();
                foreach (var e in decision.Events) bench.Write(e);
                continue;
            }

            foreach (var command in decision.Commands) Carry(bench, agent, command, trouble);
            var jump = TimeSpan.FromMilliseconds(trouble?.Next(1_500) ?? 50);
            bench.Now = decision.Commands.Count == 0 && decision.WakeAt > bench.Now ? decision.WakeAt.Value : bench.Now + jump;
        }

        bench.State.Ended.Should().BeTrue("every run ends; last: {0}", bench.Journal[^1]);
        return bench;
    }

    private static void Carry(RunBench bench, Agent agent, RunCommand command, Random? trouble)
    {
        var journal = bench.Journal;
        switch (command)
        {
            case RunCommand.Dispatch x:
                journal.Should().Contain(e => (e is StepDispatched && ((StepDispatched)e).Key == x.Key) || (e is UndoDispatched && ((UndoDispatched)e).Key == x.Key));
                var kind = agent.Perform(x.Key, x.Attempt);
                // The answer may get lost; the command comes again.
                if (trouble?.Next(4) != 0) bench.Tell(new RunInput.Outcome(x.Key, kind, RunFixture.Json("""{ "value": 1 }"""), "by chance", x.Attempt));
                break;
            case RunCommand.Resolve x:
                var found = agent.Performed.Contains(x.Key) ? OutcomeKind.Succeeded : OutcomeKind.NotDone;
                bench.Tell(new RunInput.Outcome(x.Key, found, RunFixture.Json("""{ "value": 1 }"""), null));
                break;
            case RunCommand.Probe x:
                bench.Tell(new RunInput.Probed(x.Id, RunFixture.Json($$"""{ "healthy": {{(agent.Healthy ? "true" : "false")}} }"""), null));
                break;
        }
    }

    [Fact]
    public void Every_run_ends_the_same_whatever_crashes()
    {
        Gen.Select(GenShape, Gen.Int[1, 1_000_000], Gen.Int[1, 1_000_000]).Sample((shape, seed, chaos) =>
        {
            var calm = Play(shape, seed, null);
            var rough = Play(shape, seed, new Random(chaos));

            foreach (var bench in new[] { calm, rough })
            {
                bench.Journal.OfType<StepDispatched>().GroupBy(x => x.StepId).Should().OnlyContain(x => x.Select(y => y.Key).Distinct().Count() == 1);
                bench.Journal.Count(x => x is RunEnded).Should().Be(1);
                bench.Journal[^1].Should().BeOfType<RunEnded>();
                var after = bench.Machine.Decide(bench.State, bench.View);
                (after.Events.Count, after.Commands.Count, after.WakeAt).Should().Be((0, 0, null));
                bench.Journal.Aggregate(RunState.Empty, (s, e) => s.Apply(e)).Explain.Should().Equal(bench.State.Explain);
                for (var i = 0; i < shape.Steps.Length; i++)
                {
                    if (shape.Steps[i].Action == 1) bench.Phase($"s{i}").Should().NotBe(StepPhase.Undone, "containment outlives failure");
                }
            }

            rough.State.Phase.Should().Be(calm.State.Phase);
            rough.State.Steps.Select(x => (x.Id, x.Phase)).Should().Equal(calm.State.Steps.Select(x => (x.Id, x.Phase)));
        }, iter: 300);
    }
}
