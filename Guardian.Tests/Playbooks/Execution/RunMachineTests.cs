using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Tests.Playbooks.Execution;

public sealed class RunMachineTests
{
    private const string TwoSteps = """
        vars: { security_channel: security }
        steps:
          - { id: ban, action: contain, with: { value: 1 }, undo: auto, timeout: 5s }
          - { id: cut, action: disrupt, with: { value: 2 }, undo: auto, timeout: 5s }
        verify:
          - { id: ok, probe: health, with: {}, check: result.healthy, every: 500ms, succeedAfter: 2, within: 10s }
        """;

    private static RunBench Bench(string body) => new RunBench(RunFixture.Load(body)).Begin();

    [Fact]
    public void Resolves_with_two_events_per_step_and_consecutive_passes()
    {
        var bench = Bench(TwoSteps);
        bench.Answer(OutcomeKind.Succeeded);
        bench.Answer(OutcomeKind.Succeeded);
        bench.Probe(healthy: true);
        bench.Probe(healthy: true);
        bench.State.Verify[0].Consecutive.Should().Be(1, "the second answer came before its pause was over");
        bench.Now += TimeSpan.FromMilliseconds(500);
        bench.Probe(healthy: true);
        bench.Settle().Commands.Should().BeEmpty();
        bench.State.Phase.Should().Be(RunPhase.Resolved);
        bench.Journal.Count(x => x is StepDispatched or StepSucceeded).Should().Be(4);
    }

    [Fact]
    public void Nothing_is_asked_for_before_its_dispatch_is_in_the_journal()
    {
        var bench = Bench(TwoSteps);
        var decision = bench.Machine.Decide(bench.State, bench.View);
        decision.Commands.Should().BeEmpty();
        decision.Events.Should().ContainSingle().Which.Should().BeOfType<StepDispatched>().Which.Undo.Should().BeTrue();
    }

    /// <summary>A run that is quicker than the count would take a flood for the few messages that gave it away.</summary>
    [Theory]
    [InlineData("incident.counted", false)]
    [InlineData("incident.principal", true)]
    public void A_condition_on_what_is_counted_elsewhere_waits_for_what_is_under_way(string name, bool atOnce)
    {
        var bench = Bench($$"""
            steps:
              - { id: restart, if: "has({{name}})", action: disrupt, with: { value: 1 } }
            """);
        var decision = bench.Machine.Decide(bench.State, bench.View);
        (decision.Events.Count > 0).Should().Be(atOnce);
        if (atOnce) return;
        decision.WakeAt.Should().Be(RunFixture.Origin + RunMachine.CountLag);
        bench.Now += RunMachine.CountLag;
        bench.Machine.Decide(bench.State, bench.View).Events.Should().ContainSingle().Which.Should().BeOfType<StepDispatched>();
    }

    [Theory]
    [InlineData(200, false)]
    [InlineData(201, true)]
    public void A_condition_sees_the_count_of_its_moment(long violations, bool runs)
    {
        var bench = Bench("""
            steps:
              - { id: first, action: note, with: { value: 1 } }
              - { id: restart, if: incident.violations > 200, action: disrupt, with: { value: "${incident.violations}" } }
            """);
        bench.Settle();
        bench.Violations = violations;
        bench.Answer(OutcomeKind.Succeeded);
        bench.Settle();
        if (runs)
        {
            bench.Journal.OfType<StepDispatched>().Last().Because.Should().Contain("incident.violations = 201");
        }
        else
        {
            bench.Phase("restart").Should().Be(StepPhase.Skipped);
            bench.Journal.OfType<StepSkipped>().Single().Reason.Should().Contain("incident.violations = 200");
        }
    }

    [Fact]
    public void Containment_stays_when_verification_fails_and_people_are_told_once()
    {
        var bench = Bench(TwoSteps.Replace("verify:", "rollback: { on: [verify_failed], order: reverse, then: escalate }\nverify:", StringComparison.Ordinal));
        bench.Answer(OutcomeKind.Succeeded);
        bench.Answer(OutcomeKind.Succeeded);
        bench.Settle();
        bench.Now += TimeSpan.FromSeconds(10);
        var undo = bench.Settle().Commands.Single().Should().BeOfType<RunCommand.Dispatch>().Which;
        (undo.Key, undo.Undo, undo.Cancels).Should().Be(("r/cut/undo", true, "r/cut"));
        bench.Answer(OutcomeKind.Succeeded);
        var notice = bench.Settle().Commands.Single().Should().BeOfType<RunCommand.Dispatch>().Which;
        (notice.Key, notice.Action, notice.Input.GetProperty("channel").GetString()).Should().Be(("r/escalation", "notify", "security"));
        bench.Answer(OutcomeKind.Succeeded);
        bench.Settle().Commands.Should().BeEmpty();
        (bench.State.Phase, bench.Phase("ban"), bench.Phase("cut")).Should().Be((RunPhase.Escalated, StepPhase.Succeeded, StepPhase.Undone));
    }

    [Fact]
    public void A_cancel_takes_containment_back_too_even_while_held()
    {
        var bench = Bench(TwoSteps);
        bench.Answer(OutcomeKind.Succeeded);
        bench.Settle();
        bench.Held = "operator";
        bench.Tell(new RunInput.Cancel("ann", "wrong one"));
        bench.Answer(OutcomeKind.Succeeded);
        bench.Answer(OutcomeKind.Succeeded);
        bench.Settle();
        bench.Journal.OfType<UndoDispatched>().Select(x => x.StepId).Should().Equal("cut", "ban");
        bench.State.Phase.Should().Be(RunPhase.Cancelled);
    }

    [Fact]
    public void An_undo_is_tried_three_times_and_then_people_must_help()
    {
        var bench = Bench(TwoSteps);
        bench.Answer(OutcomeKind.Succeeded);
        bench.Settle();
        bench.Tell(new RunInput.Cancel("ann", "no"));
        for (var i = 0; i < 3; i++)
        {
            bench.Answer(OutcomeKind.Failed, "stuck");
            bench.Now += TimeSpan.FromSeconds(5);
        }

        bench.Answer(OutcomeKind.Succeeded);
        bench.Answer(OutcomeKind.Succeeded);
        bench.Settle();
        (bench.State.Phase, bench.Phase("cut"), bench.Phase("ban")).Should().Be((RunPhase.Escalated, StepPhase.UndoFailed, StepPhase.Undone));
    }

    [Fact]
    public void Retries_wait_longer_each_time_within_the_jitter()
    {
        var bench = Bench("""
            steps:
              - { id: a, action: contain, with: { value: 1 }, retry: { attempts: 3, backoff: exponential, initial: 200ms, max: 5s, jitter: true }, onError: continue }
            """);
        bench.Answer(OutcomeKind.Failed, "no");
        var first = bench.Journal.OfType<StepFailed>().Single().RetryAt!.Value - bench.Now;
        first.Should().BeGreaterThanOrEqualTo(TimeSpan.FromMilliseconds(100)).And.BeLessThanOrEqualTo(TimeSpan.FromMilliseconds(200));
        bench.Settle().WakeAt.Should().Be(bench.Now + first);
        bench.Now += first;
        bench.Answer(OutcomeKind.Failed, "no");
        (bench.Journal.OfType<StepFailed>().Last().RetryAt!.Value - bench.Now).Should()
            .BeGreaterThanOrEqualTo(TimeSpan.FromMilliseconds(200)).And.BeLessThanOrEqualTo(TimeSpan.FromMilliseconds(400));
        bench.Now += TimeSpan.FromSeconds(1);
        bench.Answer(OutcomeKind.Failed, "no");
        bench.Settle();
        (bench.Phase("a"), bench.State.Phase).Should().Be((StepPhase.Failed, RunPhase.Resolved));
        bench.Journal.OfType<StepDispatched>().Select(x => x.Key).Distinct().Should().ContainSingle();
    }

    [Fact]
    public void A_silent_agent_uses_up_the_run_and_not_the_attempts()
    {
        var bench = Bench("timeout: 1m\n" + TwoSteps);
        bench.Settle();
        bench.Now += TimeSpan.FromSeconds(7);
        bench.Settle().Commands.Single().Should().BeOfType<RunCommand.Resolve>();
        bench.Journal.OfType<StepFailed>().Should().BeEmpty();
        bench.Now += TimeSpan.FromMinutes(1);
        bench.Settle().Commands.Single().Should().Be(new RunCommand.Cancel("r/ban", 1, "n1"), "nothing is to act for a run that is over");
        bench.Now += TimeSpan.FromSeconds(5);
        bench.Answer(OutcomeKind.Succeeded);
        bench.Settle();
        (bench.State.Phase, bench.State.Reason).Should().Be((RunPhase.Escalated, "not through within 1m"));
        (bench.Phase("ban"), bench.State.Step("ban")!.MayHaveHappened).Should().Be((StepPhase.Failed, true));
    }

    [Theory]
    [InlineData(OutcomeKind.Succeeded, StepPhase.Succeeded)]
    [InlineData(OutcomeKind.NotDone, StepPhase.Running)]
    [InlineData(OutcomeKind.Unknown, StepPhase.Failed)]
    public void After_a_crash_the_outcome_is_asked_for(OutcomeKind found, StepPhase then)
    {
        var bench = Bench("steps:\n  - { id: cut, action: disrupt, with: { value: 2 } }");
        bench.Settle();
        bench.Crash();
        bench.Settle().Commands.Single().Should().BeOfType<RunCommand.Resolve>().Which.Epoch.Should().Be(2);
        bench.Answer(found);
        bench.Phase("cut").Should().Be(then);
        bench.Settle();
        bench.State.Step("cut")!.MayHaveHappened.Should().Be(found == OutcomeKind.Unknown);
    }

    [Fact]
    public void An_idempotent_action_of_unknown_outcome_is_asked_for_again_under_its_key()
    {
        var bench = Bench("steps:\n  - { id: ban, action: contain, with: { value: 2 } }");
        bench.Settle();
        bench.Crash();
        bench.Answer(OutcomeKind.Unknown);
        bench.Journal.OfType<StepDispatched>().Select(x => (x.Key, x.Attempt)).Should().Equal(("r/ban", 1), ("r/ban", 1));
    }

    /// <summary>A question is repeated until it is answered, so an answer may come twice, the second after the step is under way again.</summary>
    [Theory]
    [InlineData(OutcomeKind.Unknown)]
    [InlineData(OutcomeKind.NotDone)]
    [InlineData(OutcomeKind.Failed)]
    public void A_second_answer_to_an_old_question_says_nothing_of_what_is_under_way(OutcomeKind late)
    {
        var bench = Bench("steps:\n  - { id: ban, action: contain, with: { value: 2 } }");
        bench.Settle();
        bench.Crash();
        bench.Answer(OutcomeKind.Unknown);
        bench.Tell(new RunInput.Outcome("r/ban", late, default, "the agent has no record", 0));
        bench.Phase("ban").Should().Be(StepPhase.Running);
        bench.Journal.OfType<StepDispatched>().Should().HaveCount(2);
        bench.Answer(OutcomeKind.Succeeded);
        bench.Phase("ban").Should().Be(StepPhase.Succeeded);
    }

    [Fact]
    public void A_hold_stops_everything_and_its_time_does_not_count()
    {
        var bench = Bench("timeout: 1m\n" + TwoSteps);
        bench.Held = "operator";
        bench.Settle().Commands.Should().BeEmpty();
        bench.State.Phase.Should().Be(RunPhase.Holding);
        bench.Now += TimeSpan.FromHours(1);
        bench.Settle().Commands.Should().BeEmpty();
        bench.Held = null;
        bench.Settle().Commands.Should().ContainSingle();
        bench.State.Phase.Should().Be(RunPhase.Running);
    }

    [Fact]
    public void Observe_records_everything_and_does_nothing()
    {
        var bench = Bench(TwoSteps);
        bench.Autonomy = _ => OperatingMode.Observe;
        bench.Settle().Commands.Should().BeEmpty();
        (bench.State.Phase, bench.Journal.OfType<StepObserved>().Count()).Should().Be((RunPhase.Observed, 2));
    }

    [Theory]
    [InlineData(true, StepPhase.Running)]
    [InlineData(false, StepPhase.Skipped)]
    public void Propose_waits_for_an_operator(bool approved, StepPhase then)
    {
        var bench = Bench("steps:\n  - { id: cut, action: disrupt, with: { value: 2 } }");
        bench.Autonomy = _ => OperatingMode.Propose;
        bench.Settle().Commands.Should().BeEmpty();
        bench.State.Phase.Should().Be(RunPhase.AwaitingApproval);
        bench.Tell(new RunInput.Approval(approved, "ann"));
        bench.Settle();
        bench.Phase("cut").Should().Be(then);
    }

    [Fact]
    public void Containment_only_leaves_disruption_out()
    {
        var bench = new RunBench(RunFixture.Load(TwoSteps)).Begin(containmentOnly: true);
        bench.Answer(OutcomeKind.Succeeded);
        bench.Settle();
        bench.Phase("cut").Should().Be(StepPhase.Skipped);
    }
}
