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

    [Theory]
    [InlineData(null, false)] // its monitor will say when it is over, and has not
    [InlineData(0, true)]
    [InlineData(10, true)] // a burst at the beginning
    [InlineData(550, false)]
    public void After_holdFor_only_what_still_fires_is_acted_on(int? lastSeen, bool over)
    {
        var playbook = RunFixture.Load("holdFor: 10m\ntimeout: 20m\nsteps:\n  - { id: ban, action: contain, with: { value: 1 }, undo: auto }");
        var machine = new RunMachine(playbook, RunFixture.Vocabulary);
        var seen = lastSeen is { } seconds ? $", \"lastSeenAt\": \"{RunFixture.Origin.AddSeconds(seconds):O}\"" : "";
        var incident = RunFixture.Json($$"""{ "type": "test.trouble", "subject": "rogue", "violations": 10{{seen}} }""");
        RunView At(double after) => new(RunFixture.Origin.AddSeconds(after), incident, null, _ => OperatingMode.Enforce);
        var state = RunState.Empty.Apply(machine.Start("r", "i", "k", "n1", 1, "so", At(0)));
        foreach (var e in machine.Decide(state, At(0)).Events) state = state.Apply(e);
        state.Phase.Should().Be(RunPhase.Holding);
        machine.Decide(state, At(600)).Events.Should().ContainSingle().Which.Should().BeOfType(over ? typeof(RunEnded) : typeof(RunReleased));
    }

    /// <summary>What is told late is not calm: half a second of silence says nothing.</summary>
    [Theory]
    [InlineData(4.9, null)]
    [InlineData(5, typeof(RunEnded))]
    public void A_short_hold_gives_monitors_the_time_to_tell(double after, Type? silent)
    {
        var machine = new RunMachine(RunFixture.Load("holdFor: 500ms\nsteps:\n  - { id: ban, action: contain, with: { value: 1 }, undo: auto }"), RunFixture.Vocabulary);
        RunView At(double at, double seen) => new(
            RunFixture.Origin.AddSeconds(at), RunFixture.Json($$"""{ "type": "test.trouble", "violations": 10, "lastSeenAt": "{{RunFixture.Origin.AddSeconds(seen):O}}" }"""), null, _ => OperatingMode.Enforce);
        var state = RunState.Empty.Apply(machine.Start("r", "i", "k", "n1", 1, "so", At(0, 0)));
        machine.Decide(state, At(0, 0)).Events.Should().ContainSingle().Which.Should().BeOfType<RunHeld>();
        foreach (var e in machine.Decide(state, At(0, 0)).Events) state = state.Apply(e);
        machine.Decide(state, At(0.4, 0.3)).Should().BeEquivalentTo(new { WakeAt = RunFixture.Origin.AddSeconds(0.5) }, "half a second is waited for in any case");
        machine.Decide(state, At(after, 0.3)).Events.Should().ContainSingle("what was seen again is acted on").Which.Should().BeOfType<RunReleased>();
        machine.Decide(state, At(after, 0)).Events.Select(x => x.GetType()).Should().Equal(silent is null ? [] : [silent]);
    }

    /// <summary>A dead process saw nothing: that is not calm.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData(605)]
    public void After_a_takeover_monitors_get_the_time_to_tell_again(int? seenAgain)
    {
        var machine = new RunMachine(RunFixture.Load("holdFor: 10m\ntimeout: 20m\nsteps:\n  - { id: ban, action: contain, with: { value: 1 }, undo: auto }"), RunFixture.Vocabulary);
        RunView At(double after, double seen) => new(
            RunFixture.Origin.AddSeconds(after), RunFixture.Json($$"""{ "type": "test.trouble", "violations": 10, "lastSeenAt": "{{RunFixture.Origin.AddSeconds(seen):O}}" }"""), null, _ => OperatingMode.Enforce);
        var state = RunState.Empty.Apply(machine.Start("r", "i", "k", "n1", 1, "so", At(0, 0)));
        foreach (var e in machine.Decide(state, At(0, 0)).Events) state = state.Apply(e);
        state = state.Apply(new RunRecovered { At = RunFixture.Origin.AddSeconds(601), Epoch = 2 });
        var decision = machine.Decide(state, At(602, 0));
        (decision.Events.Count, decision.WakeAt).Should().Be((0, RunFixture.Origin.AddSeconds(691)));
        var then = machine.Decide(state, seenAgain is { } seen ? At(606, seen) : At(692, 0));
        then.Events.Should().ContainSingle().Which.Should().BeOfType(seenAgain is null ? typeof(RunEnded) : typeof(RunReleased));
    }

    /// <summary>The process died between the incident and its run: the run is new, and yet nobody looked.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData(605)]
    public void After_its_incident_was_read_back_monitors_get_the_time_to_tell_again(int? seenAgain)
    {
        var machine = new RunMachine(RunFixture.Load("holdFor: 1m\nsteps:\n  - { id: ban, action: contain, with: { value: 1 }, undo: auto }"), RunFixture.Vocabulary);
        RunView At(double after, double seen) => new(
            RunFixture.Origin.AddSeconds(after),
            RunFixture.Json($$"""{ "type": "test.trouble", "violations": 10, "lastSeenAt": "{{RunFixture.Origin.AddSeconds(seen):O}}", "recoveredAt": "{{RunFixture.Origin.AddSeconds(540):O}}" }"""),
            null, _ => OperatingMode.Enforce);
        var state = RunState.Empty.Apply(machine.Start("r", "i", "k", "n1", 1, "so", At(541, 0)));
        foreach (var e in machine.Decide(state, At(541, 0)).Events) state = state.Apply(e);
        var decision = machine.Decide(state, At(602, 0));
        (decision.Events.Count, decision.WakeAt).Should().Be((0, RunFixture.Origin.AddSeconds(630)));
        var then = machine.Decide(state, seenAgain is { } seen ? At(606, seen) : At(631, 0));
        then.Events.Should().ContainSingle().Which.Should().BeOfType(seenAgain is null ? typeof(RunEnded) : typeof(RunReleased));
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
