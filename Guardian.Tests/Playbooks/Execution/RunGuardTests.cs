using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Tests.Playbooks.Execution;

/// <summary>What a run makes of its guards' word; each refusal is in its explanation.</summary>
public sealed class RunGuardTests
{
    private const string Steps = """

        timeout: 1m
        steps:
          - { id: ban, action: contain, with: { value: 1 }, undo: auto }
          - { id: cut, action: disrupt, with: { value: 2 } }
        """;

    private static RunBench Bench(string guards) => new RunBench(RunFixture.Load($"guards: {guards}{Steps}")).Begin();

    [Fact]
    public void Nothing_is_asked_where_nothing_is_declared() =>
        Bench("{ cooldown: 1m, maxRuns: [ { count: 1, per: 1h } ] }").Settle().Commands.Single().Should().BeOfType<RunCommand.Dispatch>();

    [Fact]
    public void Without_its_lock_a_run_holds_and_says_who_has_it()
    {
        var bench = Bench("""{ lock: "${incident.subject}" }""");
        bench.Settle().Commands.Single().Should().Be(new RunCommand.Admit("rogue"));
        bench.Tell(new RunInput.Admitted(false, false, "lock/rogue is held by run x"));
        bench.Tell(new RunInput.Admitted(false, false, "lock/rogue is held by run y"));
        bench.Now += TimeSpan.FromSeconds(30);
        bench.Settle().Commands.Single().Should().BeOfType<RunCommand.Admit>();
        (bench.State.Phase, bench.State.Explain[^1], bench.Journal.OfType<RunHeld>().Count()).Should().Be((RunPhase.Holding, "holds: lock/rogue is held by run x", 1));
        bench.Crash();
        bench.Tell(new RunInput.Admitted(true, false, null, "rogue"));
        bench.Settle().Commands.Single().Should().BeOfType<RunCommand.Dispatch>();
        (bench.State.HeldFor, bench.State.Admission!.Lock).Should().Be((TimeSpan.FromSeconds(30), "rogue"));
    }

    [Fact]
    public void A_lock_that_never_comes_ends_in_escalation()
    {
        var bench = Bench("""{ lock: "${incident.subject}" }""");
        bench.Tell(new RunInput.Admitted(false, false, "lock/rogue is held by run x"));
        bench.Now += TimeSpan.FromMinutes(1);
        bench.Answer(OutcomeKind.Succeeded);
        bench.Settle();
        (bench.State.Phase, bench.State.Reason).Should().Be((RunPhase.Escalated, "its guards did not let it go on within 1m: lock/rogue is held by run x"));
    }

    [Fact]
    public void Past_a_quota_containment_acts_alone_and_the_reason_is_told()
    {
        var bench = Bench("{ maxRuns: [ { count: 1, per: 1h, scope: cluster } ] }");
        bench.Tell(new RunInput.Admitted(true, true, "5 runs within 1h use up the quota of 5 of cluster"));
        bench.Answer(OutcomeKind.Succeeded);
        bench.Settle();
        (bench.Phase("ban"), bench.Phase("cut")).Should().Be((StepPhase.Succeeded, StepPhase.Skipped));
        bench.State.Explain.Should().Contain("guards: 5 runs within 1h use up the quota of 5 of cluster; containment only");
    }

    [Fact]
    public void A_step_that_would_hold_too_much_fails_with_the_reason()
    {
        var bench = Bench("{ blastRadius: { kernels: 50% } }");
        bench.Kernels["a"] = null;
        bench.Tell(new RunInput.Admitted(true, false, null));
        var asks = bench.Settle().Commands.Single().Should().BeOfType<RunCommand.Reserve>().Which;
        (asks.StepId, asks.KernelLimit, asks.PrincipalLimit).Should().Be(("ban", 2, null));
        bench.Tell(new RunInput.Reserved("ban", true, null));
        bench.Answer(OutcomeKind.Succeeded);
        bench.Settle().Commands.Single().Should().BeOfType<RunCommand.Reserve>();
        bench.Tell(new RunInput.Reserved("cut", false, "blast radius: runs hold 2 kernels"));
        bench.Settle();
        (bench.Phase("cut"), bench.State.Step("cut")!.Reason).Should().Be((StepPhase.Failed, "blast radius: runs hold 2 kernels"));
    }

    [Fact]
    public void A_cancel_does_not_wait_for_guards()
    {
        var bench = Bench("""{ lock: "${incident.subject}" }""");
        bench.Tell(new RunInput.Cancel("ann", "no"));
        bench.Settle();
        bench.State.Phase.Should().Be(RunPhase.Cancelled);
    }
}
