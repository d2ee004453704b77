using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Tests.Playbooks.Execution;

/// <summary>What is taken back, by which end, and where.</summary>
public sealed class RunUndoTests
{
    private static RunBench Bench(string text) => new RunBench(RunFixture.Load(text)) { Nodes = [new("n1", []), new("n2", [])] }.Begin();

    /// <summary>Its second step has failed, so the first one is to be undone.</summary>
    private static RunBench TurnedBack()
    {
        var bench = Bench("""
            steps:
              - { id: scale, action: disrupt, with: { value: 2 }, undo: auto }
              - { id: broken, action: disrupt }
            rollback: { on: [step_failed] }
            """);
        bench.Answer(OutcomeKind.Succeeded);
        bench.Answer(OutcomeKind.Failed);
        return bench;
    }

    private static string[] Undoes(RunBench bench) => [.. bench.Journal.OfType<RollbackStarted>().Last().StepIds];

    [Fact]
    public void A_cancel_lifts_containment_whatever_rollback_is_for()
    {
        var bench = Bench("""
            steps:
              - { id: ban, action: contain, with: { value: 1 }, undo: auto }
              - { id: scale, action: disrupt, with: { value: 2 }, undo: auto }
              - { id: wait, action: disrupt, mode: propose }
            rollback: { on: [step_failed] }
            """);
        bench.Answer(OutcomeKind.Succeeded);
        bench.Answer(OutcomeKind.Succeeded);
        bench.Settle();
        bench.Tell(new RunInput.Cancel("ann", "no"));
        bench.Settle();
        Undoes(bench).Should().Equal("ban");
    }

    [Fact]
    public void A_cancel_leaves_what_is_being_undone_to_be_undone()
    {
        var bench = TurnedBack();
        bench.Settle().Commands.Single().Should().BeOfType<RunCommand.Dispatch>().Which.Key.Should().Be("r/scale/undo");
        bench.Tell(new RunInput.Cancel("ann", "no"));
        bench.Answer(OutcomeKind.Succeeded);
        bench.Settle();
        Undoes(bench).Should().Equal("scale");
        (bench.State.Phase, bench.Phase("scale")).Should().Be((RunPhase.Cancelled, StepPhase.Undone));
    }

    [Fact]
    public void What_comes_at_every_end_comes_on_all_nodes_after_an_undo_too()
    {
        var bench = Bench("""
            steps:
              - { id: ban, action: contain, with: { value: 1 }, undo: auto }
              - { id: wait, action: disrupt, mode: propose }
            finally:
              - { id: clean, on: all, action: note }
            """);
        bench.Answer(OutcomeKind.Succeeded);
        bench.Settle();
        bench.Tell(new RunInput.Cancel("ann", "no"));
        bench.Answer(OutcomeKind.Succeeded);
        var last = bench.Settle().Commands.Cast<RunCommand.Dispatch>().ToList();
        last.Select(x => x.Key).Should().BeEquivalentTo("r/clean@n1", "r/clean@n2");
        foreach (var command in last) bench.Tell(new RunInput.Outcome(command.Key, OutcomeKind.Succeeded, RunFixture.Json("""{ "value": 7 }"""), null, command.Attempt));
        bench.Settle();
        (bench.State.Phase, bench.Phase("ban"), bench.Phase("clean")).Should().Be((RunPhase.Cancelled, StepPhase.Undone, StepPhase.Succeeded));
    }

    /// <summary>Nothing is called off during a hold: the agent's time to answer begins after it.</summary>
    [Fact]
    public void What_runs_when_a_hold_comes_with_the_rollback_is_called_off_after_it()
    {
        var bench = Bench("steps:\n  - { id: cut, action: disrupt }\n");
        bench.Settle().Commands.Single().Should().BeOfType<RunCommand.Dispatch>();
        bench.Write(new RollbackStarted { At = bench.Now, Reason = "not through", StepIds = [], Then = RunPhase.Escalated });
        bench.Held = "held by ann";
        bench.Settle();
        bench.Now += TimeSpan.FromMinutes(1);
        bench.Held = null;
        bench.Settle().Commands.Single().Should().BeOfType<RunCommand.Cancel>();
        bench.Now += TimeSpan.FromSeconds(5);
        bench.Settle();
        bench.State.Step("cut")!.Reason.Should().Contain("called off");
    }

    [Fact]
    public void An_undo_whose_time_passed_in_a_hold_is_asked_for_again()
    {
        var bench = TurnedBack();
        bench.Settle();
        bench.Held = "held by ann";
        bench.Settle();
        bench.Now += TimeSpan.FromHours(1);
        bench.Held = null;
        bench.Settle().Commands.Single().Should().BeOfType<RunCommand.Dispatch>().Which.Attempt.Should().Be(1);
        bench.State.Step("scale")!.UndoAttempt.Should().Be(1);
    }

    [Fact]
    public void A_step_may_say_that_a_verification_that_fails_takes_it_back()
    {
        var bench = Bench("""
            steps:
              - { id: ban, action: contain, with: { value: 1 }, undo: auto }
              - { id: limit, action: contain, with: { value: 2 }, undo: auto, undoOn: [verify_failed] }
            verify:
              - { id: ok, probe: health, with: {}, check: result.healthy, every: 500ms, within: 1s }
            """);
        bench.Answer(OutcomeKind.Succeeded);
        bench.Answer(OutcomeKind.Succeeded);
        for (var i = 0; i < 5 && bench.State.Rollback is null; i++)
        {
            bench.Probe(false);
            bench.Now += TimeSpan.FromMilliseconds(500);
            bench.Settle();
        }

        Undoes(bench).Should().Equal("limit");
    }

    [Fact]
    public void What_was_done_on_a_node_that_left_went_with_it()
    {
        var bench = Bench("""
            steps:
              - { id: scale, on: all, action: disrupt, with: { value: 2 }, undo: auto }
              - { id: wait, action: disrupt, mode: propose }
            """);
        foreach (var command in bench.Settle().Commands.OfType<RunCommand.Dispatch>().ToList())
            bench.Tell(new RunInput.Outcome(command.Key, OutcomeKind.Succeeded, RunFixture.Json("""{ "value": 7 }"""), null));
        bench.Settle();
        bench.Nodes = [new("n1", [])];
        bench.Tell(new RunInput.Cancel("ann", "no"));
        for (var i = 0; i < 10 && !bench.State.Ended; i++)
        {
            foreach (var command in bench.Settle().Commands.OfType<RunCommand.Dispatch>().ToList())
            {
                command.Node.Should().Be("n1");
                command.Key.Should().Be("r/scale@n1/undo", "on another node than its own it would undo what nobody did there");
                bench.Tell(new RunInput.Outcome(command.Key, OutcomeKind.Succeeded, default, null, command.Attempt));
            }
        }

        bench.State.Phase.Should().Be(RunPhase.Cancelled);
        (bench.Phase("scale@n1"), bench.Phase("scale@n2")).Should().Be((StepPhase.Undone, StepPhase.Undone));
        bench.State.Explain.Should().Contain("scale@n2: undone, it went with node n2, which left the cluster");
    }

    [Fact]
    public void An_undo_under_way_on_a_node_that_leaves_is_not_waited_for()
    {
        var bench = Bench("""
            steps:
              - { id: limit, action: contain, with: { value: 2 }, undo: auto }
              - { id: wait, action: disrupt, mode: propose }
            """);
        bench.Answer(OutcomeKind.Succeeded);
        bench.Settle();
        bench.Tell(new RunInput.Cancel("ann", "no"));
        bench.Settle().Commands.Should().ContainSingle().Which.Should().BeOfType<RunCommand.Dispatch>().Which.Node.Should().Be("n1");
        bench.Nodes = [new("n2", [])];
        bench.Settle();
        bench.State.Phase.Should().Be(RunPhase.Cancelled);
        bench.State.Explain.Should().Contain("limit: undone, it went with node n1, which left the cluster");
    }

    [Fact]
    public void An_effect_that_may_be_there_is_taken_back_though_its_retry_was_rejected()
    {
        var mode = OperatingMode.Enforce;
        var bench = new RunBench(RunFixture.Load("""
            steps:
              - { id: scale, action: disrupt, with: { value: 2 }, undo: auto, retry: { attempts: 3, initial: 1s }, onError: continue }
              - { id: wait, action: destroy, mode: propose }
            """)) { Autonomy = _ => mode }.Begin();
        bench.Answer(OutcomeKind.Unknown, "no answer");
        mode = OperatingMode.Propose;
        bench.Now += TimeSpan.FromSeconds(10);
        bench.Settle();
        if (bench.Phase("scale") == StepPhase.AwaitingApproval) bench.Tell(new RunInput.Approval(false, "ann"));
        bench.Settle();
        bench.Tell(new RunInput.Cancel("ann", "no"));
        bench.Settle();
        Undoes(bench).Should().Equal("scale");
    }
}
