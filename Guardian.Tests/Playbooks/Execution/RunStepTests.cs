using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;

namespace Guardian.Tests.Playbooks.Execution;

/// <summary>What stands between a step and its effect: measurement, approval, target, autonomy; and what takes it back.</summary>
public sealed class RunStepTests
{
    private const string Skips = "steps:\n  - { id: cut, action: disrupt, with: { value: 2 }, skipWhen: { probe: health, with: {}, check: result.healthy, within: 2s } }";

    private static RunBench Bench(string body) => new RunBench(RunFixture.Load(body)).Begin();

    [Theory]
    [InlineData(true, StepPhase.Skipped)]
    [InlineData(false, StepPhase.Running)]
    public void SkipWhen_is_measured_just_before_the_step_and_recorded_with_its_value(bool healthy, StepPhase then)
    {
        var bench = Bench(Skips);
        bench.Probe(healthy);
        bench.Settle();
        bench.Phase("cut").Should().Be(then);
        var measured = bench.Journal.OfType<StepMeasured>().Single();
        (measured.Holds, measured.Result!.Value.GetProperty("healthy").GetBoolean()).Should().Be((healthy, healthy));
        bench.State.Explain.Should().Contain(x => x.Contains($"result.healthy = {(healthy ? "true" : "false")}"));
    }

    [Fact]
    public void Without_a_measurement_the_step_runs()
    {
        var bench = Bench(Skips);
        bench.Settle().WakeAt.Should().Be(bench.Now + TimeSpan.FromSeconds(2));
        bench.Now += TimeSpan.FromSeconds(2);
        bench.Settle();
        (bench.Phase("cut"), bench.State.Step("cut")!.Reason).Should().Be((StepPhase.Running, "skipWhen could not be measured (no answer from health within 2s), so it runs"));
    }

    [Fact]
    public void A_measurement_from_before_a_crash_or_a_hold_is_made_anew()
    {
        var bench = Bench(Skips);
        var probe = bench.Settle().Commands.OfType<RunCommand.Probe>().Single();
        bench.Tell(new RunInput.Probed(probe.Id, RunFixture.Json("""{ "healthy": true }"""), null));
        bench.Crash();
        bench.Settle().Commands.Should().ContainSingle().Which.Should().BeOfType<RunCommand.Probe>();
        bench.Probe(healthy: false);
        bench.Settle();
        bench.Phase("cut").Should().Be(StepPhase.Running);
    }

    [Theory]
    [InlineData("reject", StepPhase.Skipped)]
    [InlineData("approve", StepPhase.Running)]
    public void A_wait_for_approval_ends_by_its_default(string word, StepPhase then)
    {
        var bench = Bench($"steps:\n  - {{ id: cut, action: disrupt, mode: propose, approval: {{ timeout: 1m, default: {word} }} }}");
        bench.Settle().WakeAt.Should().Be(bench.Now + TimeSpan.FromMinutes(1));
        bench.State.Phase.Should().Be(RunPhase.AwaitingApproval);
        bench.Now += TimeSpan.FromMinutes(1);
        bench.Settle();
        bench.Phase("cut").Should().Be(then);
        bench.Journal.OfType<StepApprovalDecided>().Single().Should().Match<StepApprovalDecided>(x => x.By.Contains("within 1m") && x.ByDefault);
        bench.State.Step("cut")!.ApprovedByDefault.Should().Be(word == "approve");
    }

    [Theory]
    [InlineData(OperatingMode.Propose, OperatingMode.Enforce, OperatingMode.Enforce, StepPhase.Running)] // the kernel opted in
    [InlineData(OperatingMode.Propose, OperatingMode.Enforce, null, StepPhase.AwaitingApproval)]
    [InlineData(OperatingMode.Propose, OperatingMode.Propose, OperatingMode.Enforce, StepPhase.AwaitingApproval)] // the global mode is stricter
    [InlineData(OperatingMode.Enforce, OperatingMode.Enforce, OperatingMode.Propose, StepPhase.AwaitingApproval)]
    [InlineData(OperatingMode.Enforce, OperatingMode.Enforce, OperatingMode.Observe, StepPhase.Skipped)]
    public void The_strictest_of_class_global_mode_and_kernel_wins(OperatingMode destroy, OperatingMode global, OperatingMode? kernel, StepPhase then)
    {
        var bench = new RunBench(RunFixture.Load("steps:\n  - { id: kill, action: destroy }")) { Autonomy = _ => (OperatingMode)Math.Min((int)destroy, (int)global) };
        bench.Kernels["trainer"] = kernel;
        bench.Global = global;
        bench.Begin().Settle();
        bench.Phase("kill").Should().Be(then);
    }

    [Fact]
    public void A_step_for_all_nodes_runs_on_each_at_once_and_is_undone_on_each_in_reverse()
    {
        var bench = new RunBench(RunFixture.Load("steps:\n  - { id: cut, on: 'role:edge', action: disrupt, undo: auto }\n  - { id: fail, action: note }"))
        {
            Nodes = [new("n1", ["edge"]), new("n2", []), new("n3", ["edge"])],
        }.Begin();
        var keys = bench.Settle().Commands.Cast<RunCommand.Dispatch>().ToList();
        keys.Select(x => (x.Key, x.Node)).Should().Equal(("r/cut@n1", "n1"), ("r/cut@n3", "n3"));
        foreach (var x in keys) bench.Tell(new RunInput.Outcome(x.Key, OutcomeKind.Succeeded, RunFixture.Json("""{ "value": 7 }"""), null, 1));
        bench.Answer(OutcomeKind.Failed, "no");
        bench.State.Step("cut")!.Output!.Value.GetProperty("nodes").GetArrayLength().Should().Be(2);
        bench.Answer(OutcomeKind.Succeeded);
        bench.Answer(OutcomeKind.Succeeded);
        bench.Answer(OutcomeKind.Succeeded);
        bench.Settle();
        bench.Journal.OfType<UndoDispatched>().Select(x => x.Key).Should().Equal("r/cut@n3/undo", "r/cut@n1/undo");
        bench.State.Phase.Should().Be(RunPhase.Escalated);
    }

    [Theory]
    [InlineData("steps.cut.outcome == 'target_gone'", RunPhase.Resolved)]
    [InlineData("incident.violations > 1", RunPhase.Escalated)]
    public void A_playbook_can_branch_on_a_target_that_is_gone(string condition, RunPhase end)
    {
        var bench = new RunBench(RunFixture.Load($$"""
            steps:
              - { id: cut, action: disrupt }
              - { id: elsewhere, if: "{{condition}}", action: outside }
            """)) { Nodes = [new("n2", [])] }.Begin();
        bench.Answer(OutcomeKind.Succeeded);
        bench.Settle();
        (bench.State.Step("cut")!.Outcome, bench.State.Phase).Should().Be(("target_gone", end));
        bench.Phase("elsewhere").Should().Be(end == RunPhase.Resolved ? StepPhase.Succeeded : StepPhase.Pending);
    }

    [Theory]
    [InlineData("contain", RunPhase.Resolved)]
    [InlineData("disrupt", RunPhase.Escalated)]
    public void What_containment_was_to_hold_back_went_with_its_node(string action, RunPhase end)
    {
        var bench = new RunBench(RunFixture.Load($"steps:\n  - {{ id: hold, action: {action} }}\n  - {{ id: tell, action: outside }}")) { Nodes = [new("n2", [])] }.Begin();
        while (bench.Settle().Commands.Count > 0) bench.Answer(OutcomeKind.Succeeded);
        (bench.State.Step("hold")!.Outcome, bench.State.Phase).Should().Be(("target_gone", end));
        bench.State.Explain.Should().Contain("hold: target gone, node n1 left the cluster");
    }

    [Fact]
    public void What_need_not_be_done_on_the_node_that_left_is_asked_after_and_done_elsewhere_at_once()
    {
        var bench = new RunBench(RunFixture.Load("steps:\n  - { id: tell, action: outside, timeout: 30s }")) { Nodes = [new("n1", []), new("n2", [])], Self = "n2" }.Begin();
        bench.Settle().Commands.Single().Should().BeOfType<RunCommand.Dispatch>().Which.Node.Should().Be("n1");
        bench.Nodes = [new("n2", [])];
        bench.Settle().Commands.Single().Should().BeOfType<RunCommand.Resolve>().Which.Node.Should().Be("n2");
        bench.Answer(OutcomeKind.NotDone);
        bench.Settle().Commands.Single().Should().BeOfType<RunCommand.Dispatch>().Which.Node.Should().Be("n2");
    }

    [Fact]
    public void A_target_that_leaves_in_the_middle_ends_the_step_with_an_unknown_effect()
    {
        var bench = new RunBench(RunFixture.Load("steps:\n  - { id: cut, action: disrupt }")) { Nodes = [new("n1", [])] }.Begin();
        bench.Settle().Commands.Should().ContainSingle();
        bench.Nodes = [];
        bench.Settle();
        bench.State.Step("cut").Should().Match<StepState>(x => x.TargetGone && x.MayHaveHappened);
    }

    [Fact]
    public void An_undo_given_in_the_file_uses_what_the_step_gave()
    {
        var bench = Bench("""
            steps:
              - { id: open, action: call, with: { text: hello, token: "Bearer ${secrets.api_token}" }, undo: { action: call, with: { text: "close ${steps.open.id}" } } }
              - { id: fail, action: note }
            """);
        var act = bench.Settle().Commands.Cast<RunCommand.Dispatch>().Single();
        act.Input.GetRawText().Should().Be("""{"text":"hello","token":{"$secret":["Bearer ",{"name":"api_token"}]}}""");
        bench.Tell(new RunInput.Outcome(act.Key, OutcomeKind.Succeeded, RunFixture.Json("""{ "id": "x7" }"""), null, 1));
        bench.Answer(OutcomeKind.Failed, "no");
        var undo = bench.Settle().Commands.Cast<RunCommand.Dispatch>().Single();
        (undo.Key, undo.Undo, undo.Compensates, undo.Cancels).Should().Be(("r/open/undo", false, true, "r/open"));
        undo.Input.GetProperty("text").GetString().Should().Be("close x7");
        bench.Crash();
        bench.Settle().Commands.Single().Should().BeOfType<RunCommand.Resolve>().Which.Key.Should().Be("r/open/undo");
        bench.Answer(OutcomeKind.Unknown);
        bench.Answer(OutcomeKind.Succeeded);
        bench.Answer(OutcomeKind.Succeeded);
        bench.Settle();
        bench.Phase("open").Should().Be(StepPhase.Undone);
    }

    [Theory]
    [InlineData(true, RunPhase.RolledBack)]
    [InlineData(false, RunPhase.Escalated)]
    public void A_rollback_may_end_the_run_where_everything_was_undone(bool undone, RunPhase end)
    {
        var bench = Bench("steps:\n  - { id: cut, action: disrupt, undo: auto }\n  - { id: fail, action: note }\nrollback: { on: [step_failed], then: end }");
        bench.Answer(OutcomeKind.Succeeded);
        bench.Answer(OutcomeKind.Failed, "no");
        for (var attempt = 0; attempt < (undone ? 1 : 3); attempt++)
        {
            bench.Answer(undone ? OutcomeKind.Succeeded : OutcomeKind.Failed, "stuck");
            bench.Now += TimeSpan.FromSeconds(5);
        }

        if (!undone) bench.Answer(OutcomeKind.Succeeded);
        bench.Settle();
        bench.State.Phase.Should().Be(end);
    }

    [Theory]
    [InlineData("{ id: a, action: call, with: { token: abc } }", "'token' is secret: write ${secrets.<name>} and configure it under Guardian:Secrets; a value in this file could be read by everybody")]
    [InlineData("{ id: a, action: call, with: { token: '${secrets.api_tokn}' } }", "no secret is called 'api_tokn'; did you mean 'api_token'?; secrets are configured under Guardian:Secrets")]
    [InlineData("{ id: a, action: call, with: { text: '${secrets.api_token}' } }", "a secret stands only in an input that an action declares secret, as the whole of ${secrets.<name>}")]
    [InlineData("{ id: a, action: call, if: secrets.api_token == 'x' }", "a secret stands only in an input that an action declares secret, as the whole of ${secrets.<name>}")]
    public void Secrets_stand_only_where_they_are_kept(string step, string message) =>
        PlaybookLoader.Load([("f", RunFixture.Yaml("steps:\n  - " + step))], RunFixture.Vocabulary).Errors.Select(x => x.Message).Should().Equal(message);
}
