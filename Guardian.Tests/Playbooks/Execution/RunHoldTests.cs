using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Tests.Playbooks.Execution;

/// <summary>Holds have no end, the patience for guards has one: what a run makes of both.</summary>
public sealed class RunHoldTests
{
    private static RunBench Bench(string text) => new(RunFixture.Load(text));

    private const string Locked = """
        guards: { lock: "${incident.subject}" }
        timeout: 1m
        steps:
          - { id: ban, action: contain, with: { value: 1 }, undo: auto }
        """;

    [Fact]
    public void A_hold_longer_than_the_time_out_is_no_refusal_of_the_guards()
    {
        var bench = Bench(Locked);
        bench.Held = "held by ann";
        bench.Begin().Settle();
        bench.Now += TimeSpan.FromHours(3);
        bench.Settle().Commands.Should().BeEmpty();
        bench.Held = null;
        bench.Settle().Commands.Single().Should().Be(new RunCommand.Admit("rogue"));
        bench.Tell(new RunInput.Admitted(true, false, null, "rogue"));
        bench.Settle().Commands.Single().Should().BeOfType<RunCommand.Dispatch>();
        bench.State.HeldFor.Should().Be(TimeSpan.FromHours(3));
    }

    [Fact]
    public void A_hold_for_longer_than_the_time_out_leaves_the_guards_their_time()
    {
        var bench = Bench("holdFor: 10m\n" + Locked).Begin();
        bench.Settle();
        bench.Now += TimeSpan.FromMinutes(10);
        bench.Settle().Commands.Single().Should().Be(new RunCommand.Admit("rogue"));
        bench.State.Phase.Should().NotBe(RunPhase.Escalated);
    }

    [Fact]
    public void A_hold_that_comes_while_the_guards_refuse_stops_their_clock()
    {
        var bench = Bench(Locked).Begin();
        bench.Tell(new RunInput.Admitted(false, false, "lock/rogue is held by run x"));
        bench.Now += TimeSpan.FromSeconds(50);
        bench.Held = "held by ann";
        bench.Settle();
        bench.State.Reason.Should().Be("held by ann");
        bench.Now += TimeSpan.FromHours(1);
        bench.Settle();
        bench.Held = null;
        bench.Settle().Commands.Single().Should().BeOfType<RunCommand.Admit>();
        bench.Tell(new RunInput.Admitted(false, false, "lock/rogue is held by run x"));
        bench.Now += TimeSpan.FromMinutes(1);
        bench.Answer(OutcomeKind.Succeeded); // the notice
        bench.Settle();
        (bench.State.Phase, bench.State.Reason).Should().Be((RunPhase.Escalated, "its guards did not let it go on within 1m: lock/rogue is held by run x"));
    }

    [Fact]
    public void Guards_that_give_no_answer_are_not_waited_for_without_end()
    {
        var bench = Bench(Locked).Begin();
        bench.Settle().WakeAt.Should().Be(RunFixture.Origin + TimeSpan.FromMinutes(1));
        bench.Now += TimeSpan.FromMinutes(1);
        bench.Answer(OutcomeKind.Succeeded);
        bench.Settle();
        (bench.State.Phase, bench.State.Reason).Should().Be((RunPhase.Escalated, "its guards did not let it go on within 1m: they gave no answer"));
    }

    [Fact]
    public void An_approval_for_a_step_that_does_not_wait_approves_nothing()
    {
        var bench = Bench("""
            steps:
              - { id: a, action: disrupt, mode: propose, approval: { timeout: 1m, default: reject } }
              - { id: b, action: destroy, mode: propose }
            """).Begin();
        bench.Settle();
        bench.Now += TimeSpan.FromMinutes(1);
        bench.Settle();
        bench.Phase("b").Should().Be(StepPhase.AwaitingApproval);
        bench.Tell(new RunInput.Approval(true, "ann", "a"));
        bench.Phase("b").Should().Be(StepPhase.AwaitingApproval, "ann saw another step");
        bench.Tell(new RunInput.Approval(true, "ann", "b"));
        bench.Settle();
        bench.State.Step("b")!.ApprovedBy.Should().Be("ann");
    }
}
