using Guardian.Playbooks.Model;
using Guardian.Playbooks.Planning;
using Guardian.Playbooks.Validation;
using Guardian.Tests.Playbooks.Execution;

namespace Guardian.Tests.Playbooks.Planning;

public sealed class PlaybookPlannerTests
{
    private const string Body = """
        guards: { cooldown: 30s, maxRuns: [ { count: 5, per: 1h } ] }
        holdFor: 2s
        steps:
          - { id: note, action: note }
          - { id: few, if: incident.violations < 5, action: contain, undo: auto, undoOn: [resolved] }
          - { id: many, if: incident.violations >= 5, action: contain, with: { value: "${incident.violations}" }, undo: auto }
          - { id: later, if: steps.note.value > 3, action: note }
          - { id: tell, action: notify, with: { channel: log, text: "${incident.subject}: ${steps.note.value} in ${run.id}" }, onError: continue, retry: { attempts: 3 } }
          - { id: hit, action: disrupt }
        verify:
          - { id: ok, probe: health, check: result.healthy, succeedAfter: 2 }
        finally:
          - { id: last, action: note }
        """;

    private static RunPlan Plan(string incident, PlanAutonomy? autonomy = null, string body = Body)
    {
        var type = RunFixture.Vocabulary.Incidents[RunFixture.IncidentType];
        return new PlaybookPlanner(RunFixture.Vocabulary, autonomy ?? new PlanAutonomy(OperatingMode.Enforce, _ => OperatingMode.Enforce))
            .Plan(RunFixture.Load(body), type, DescribedIncident.Complete(type, RunFixture.Json(incident), "n1", RunFixture.Origin));
    }

    private static PlannedStep Step(RunPlan plan, string id) => plan.Steps.Single(x => x.Id == id);

    [Fact]
    public void Each_step_says_what_it_would_do_and_why()
    {
        var plan = Plan("""{ "principal": "rogue", "violations": 9 }""");

        plan.Starts.Should().BeTrue();
        plan.Because.Should().Be("event test.trouble");
        plan.Steps.Select(x => (x.Id, x.Decision)).Should().Equal(
            ("note", "runs"), ("few", "skipped"), ("many", "runs"), ("later", "depends"), ("tell", "runs"), ("hit", "runs"));
        Step(plan, "few").Because.Should().Be("incident.violations < 5 [incident.violations = 9]");
        Step(plan, "few").UndoOn.Should().Equal("resolved");
        Step(plan, "many").Input!.Value.GetProperty("value").GetInt32().Should().Be(9);
        Step(plan, "many").Undo.Should().Be("auto");
        Step(plan, "later").Because.Should().Be("on what the run will know: steps.note.value > 3 [steps.note.value is missing]");
        Step(plan, "tell").Attempts.Should().Be("3 attempts, doubling wait from 200ms to 5s of at most 30s; a failure lets the run go on");
        plan.Finally.Select(x => x.Id).Should().Equal("last");
        plan.Verify.Single().Pace.Should().Be("every 500ms, 2 in a row, within 10s");
        plan.Guards.Should().HaveCount(3);
        plan.RollbackOn.Should().Equal("step_failed", "cancelled");
    }

    [Fact]
    public void What_only_a_run_knows_stands_as_its_source_and_is_not_made_up() =>
        Step(Plan("""{ "principal": "rogue", "violations": 9 }"""), "tell").Input!.Value.GetProperty("text").GetString()
            .Should().Be("rogue: ${steps.note.value} in ${run.id}");

    [Fact]
    public void A_field_that_is_missing_makes_the_step_fail_as_it_would_in_a_run()
    {
        var plan = Plan("{}");

        Step(plan, "few").Decision.Should().Be("fails");
        Step(plan, "few").Because.Should().Contain("incident.violations is missing");
    }

    [Theory]
    [InlineData(OperatingMode.Enforce, OperatingMode.Propose, "awaits_approval", "runs")]
    [InlineData(OperatingMode.Enforce, OperatingMode.Observe, "observed", "runs")]
    [InlineData(OperatingMode.Propose, OperatingMode.Enforce, "awaits_approval", "runs")]
    [InlineData(OperatingMode.Observe, OperatingMode.Enforce, "observed", "observed")]
    public void The_strictest_of_mode_and_class_decides_and_is_named(OperatingMode mode, OperatingMode disrupt, string hit, string note)
    {
        var plan = Plan("""{ "violations": 9 }""", new PlanAutonomy(mode, risk => risk == RiskClass.Disrupt ? disrupt : OperatingMode.Enforce));

        Step(plan, "hit").Decision.Should().Be(hit);
        Step(plan, "note").Decision.Should().Be(note);
        Step(plan, "hit").Autonomy.Should().EndWith(
            $"the strictest of mode {mode.ToString().ToLowerInvariant()}, class disrupt {disrupt.ToString().ToLowerInvariant()}, playbook enforce");
    }

    [Fact]
    public void The_decisions_of_a_plan_are_those_of_a_run()
    {
        foreach (var violations in (int[])[1, 5, 9])
        {
            var plan = Plan($$"""{ "principal": "rogue", "violations": {{violations}} }""");
            var bench = new RunBench(RunFixture.Load(Body.Replace("holdFor: 2s", "", StringComparison.Ordinal))) { Violations = violations }.Begin();
            for (var i = 0; i < 20 && bench.Settle().Commands.OfType<Guardian.Playbooks.Execution.RunCommand.Dispatch>().Any(); i++)
                bench.Answer(Guardian.Playbooks.Execution.OutcomeKind.Succeeded);

            foreach (var step in plan.Steps.Where(x => x.Decision is "runs" or "skipped"))
            {
                var ran = bench.State.Step(step.Id)!;
                (ran.Attempt > 0 ? "runs" : "skipped").Should().Be(step.Decision, step.Id);
                if (step is { Decision: "runs", Id: not "tell" }) ran.Input!.Value.GetRawText().Should().Be(step.Input!.Value.GetRawText());
            }
        }
    }

    [Fact]
    public void Explain_says_for_every_playbook_which_clause_holds_and_which_would_run()
    {
        const string steps = "steps: [ { id: a, action: note } ]\n";
        var playbooks = new[]
        {
            RunFixture.Load(steps.Replace("steps", "mode: observe\nsteps", StringComparison.Ordinal), "c"),
            RunFixture.Load(steps, "b"),
            PlaybookLoader.Load([("a", RunFixture.Yaml(steps, "a").Replace("event: test.trouble", "event: test.trouble\n    when: incident.violations > 10", StringComparison.Ordinal))], RunFixture.Vocabulary).Playbooks.Single(),
        };

        var matches = PlaybookMatcher.Explain(playbooks, "test.trouble", RunFixture.Incident(7), x => x != "b");

        matches.Select(x => (x.Playbook, x.Matches, x.Chosen, x.Enabled)).Should().Equal(("a", false, false, true), ("b", true, false, false), ("c", true, true, true));
        matches[0].Clauses.Single().Because.Should().Be("does not hold: incident.violations > 10 [incident.violations = 7]");
        PlaybookMatcher.Explain(playbooks, "other", RunFixture.Incident()).Should().OnlyContain(x => !x.Matches && x.Clauses[0].Because == "waits for test.trouble, not other");
    }

    [Theory]
    [InlineData("""{ "violations": 1 }""", null)]
    [InlineData("""{ "violations": 1.5 }""", "'violations' must be a whole number")]
    [InlineData("""{ "violatons": 1, "violations": 1 }""", "'test.trouble' has no field 'violatons'; did you mean 'violations'?")]
    [InlineData("""{ "principal": "x" }""", "'test.trouble' needs the field 'violations'")]
    [InlineData("[]", "the incident must be an object with its fields")]
    public void A_described_incident_is_checked_like_a_detected_one(string incident, string? error)
    {
        var errors = DescribedIncident.Check(RunFixture.Vocabulary.Incidents[RunFixture.IncidentType], RunFixture.Json(incident));

        if (error is null) errors.Should().BeEmpty();
        else errors.Should().Equal(error);
    }

    [Theory]
    [InlineData(BuiltInIncidents.SpamAttack, """{ "principal": "rogue", "topic": "t" }""", "acl/principal/rogue")]
    [InlineData(BuiltInIncidents.ControlTopicFlood, """{ "topic": "t", "key": "mine" }""", "acl/topic/t")]
    [InlineData(BuiltInIncidents.PolicyRegression, """{ "policyHash": "0123456789abcdef" }""", "policy/regression/0123456789ab")]
    [InlineData(BuiltInIncidents.CpuPressure, """{ "node": "n7" }""", "resource/cpu/n7")]
    [InlineData(BuiltInIncidents.MemoryPressure, "{}", "resource/memory/n1")]
    [InlineData(BuiltInIncidents.NodeUnreachable, """{ "subject": "n7" }""", "cluster/node/n7")]
    [InlineData(BuiltInIncidents.ConfigDrift, """{ "what": "policy" }""", "cluster/config/policy")]
    [InlineData(BuiltInIncidents.KernelCrashLoop, """{ "kernel": "trainer" }""", "kernel/n1/trainer")]
    [InlineData(BuiltInIncidents.DiskPressure, """{ "key": "resource/disk/n1/data" }""", "resource/disk/n1/data")]
    public void A_described_incident_has_the_key_that_its_monitor_would_give_it(string type, string incident, string key) =>
        DescribedIncident.Complete(BuiltInIncidents.All.Single(x => x.Name == type), RunFixture.Json(incident), "n1", RunFixture.Origin)
            .GetProperty("key").GetString().Should().Be(key);

    [Theory]
    [InlineData("""{ "key": "mine", "subject": "x" }""", "mine")]
    [InlineData("""{ "principal": "x" }""", "test.trouble/x")]
    [InlineData("{}", "test.trouble/test.trouble")]
    public void A_type_that_defines_no_key_takes_the_given_one(string incident, string key) =>
        DescribedIncident.Complete(RunFixture.Vocabulary.Incidents[RunFixture.IncidentType], RunFixture.Json(incident), "n1", RunFixture.Origin)
            .GetProperty("key").GetString().Should().Be(key);
}
