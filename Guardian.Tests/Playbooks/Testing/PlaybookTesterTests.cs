using Guardian.Playbooks.Testing;
using Guardian.Playbooks.Validation;
using Guardian.Tests.Playbooks.Execution;

namespace Guardian.Tests.Playbooks.Testing;

public sealed class PlaybookTesterTests
{
    private const string Steps = """
        steps:
          - { id: note, action: note }
          - { id: contain, if: incident.violations > 5, action: contain, with: { value: "${steps.note.value}" }, undo: auto, retry: { attempts: 2 } }
          - { id: disrupt, action: disrupt, undo: auto }
        verify:
          - { id: ok, probe: health, check: result.healthy, succeedAfter: 2 }
        finally:
          - { id: last, action: note }
        """;

    private static PlaybookTestResult Run(string test, string body = Steps)
    {
        var playbook = RunFixture.Load($"{body}\ntests:\n  - {test}");
        return PlaybookTester.Run(playbook, RunFixture.Vocabulary).Single();
    }

    [Theory]
    [InlineData("{ violations: 9 }", "", "ran: [note, contain, disrupt, last], skipped: [], undone: [], observed: [], verdict: resolved")]
    [InlineData("{ violations: 5 }", "", "ran: [note, disrupt, last], skipped: [contain], verdict: resolved")]
    [InlineData("{ violations: 9 }", "outcomes: { contain: [failed, succeeded] }", "ran: [note, contain, disrupt, last], verdict: resolved")]
    [InlineData("{ violations: 9 }", "outcomes: { contain: failed }", "ran: [note, contain, last], verdict: escalated")]
    [InlineData("{ violations: 9 }", "outcomes: { disrupt: failed }", "ran: [note, contain, disrupt, last], undone: [], verdict: escalated")]
    [InlineData("{ violations: 9 }", "outcomes: { disrupt: unknown }", "ran: [note, contain, disrupt, last], undone: [disrupt], verdict: escalated")]
    [InlineData("{ violations: 9 }", "outcomes: { disrupt: no_answer }", "ran: [note, contain, disrupt, last], verdict: escalated")]
    [InlineData("{ violations: 9 }", "probes: { ok: [{ healthy: true }, { healthy: false }, { healthy: true }] }", "verdict: resolved")]
    [InlineData("{ violations: 9 }", "probes: { ok: { healthy: false } }", "undone: [], verdict: escalated")]
    [InlineData("{ violations: 9 }", "probes: { ok: failed }", "verdict: escalated")]
    [InlineData("{ violations: 9 }", "cancelAfter: disrupt", "ran: [note, contain, disrupt, last], undone: [disrupt, contain], verdict: cancelled")]
    [InlineData("{ violations: 9 }", "cancelAfter: contain, undo: { contain: failed }", "undone: [], verdict: escalated")]
    [InlineData("{ violations: 9 }", "mode: observe", "ran: [], skipped: [], observed: [note, contain, disrupt, last], verdict: observed")]
    [InlineData("{ violations: 9 }", "mode: propose, approvals: { contain: approved, disrupt: rejected }", "ran: [note, contain, last], skipped: [disrupt], verdict: resolved")]
    [InlineData("{ violations: 9 }", "mode: propose", "ran: [note, last], verdict: escalated")]
    public void A_run_goes_as_the_test_says(string incident, string given, string expect) =>
        Run($"{{ name: t, given: {{ event: test.trouble, incident: {incident}{(given.Length == 0 ? "" : ", " + given)} }}, expect: {{ {expect} }} }}")
            .Failures.Should().BeEmpty();

    [Theory]
    [InlineData("ran: [note, disrupt, last]", "ran: expected [note, disrupt, last], but it is [note, contain, disrupt, last] (too many: contain)")]
    [InlineData("ran: [contain, note, disrupt, last]", "ran: expected [contain, note, disrupt, last], but it is [note, contain, disrupt, last] (another order)")]
    [InlineData("skipped: [contain]", "skipped: expected [contain], but it is [] (missing: contain)")]
    [InlineData("undone: [disrupt]", "undone: expected [disrupt], but it is [] (missing: disrupt)")]
    [InlineData("verdict: escalated", "verdict: expected escalated, but it is resolved: verified")]
    public void What_is_otherwise_than_expected_is_said(string expect, string failure)
    {
        var result = Run($"{{ name: t, given: {{ event: test.trouble, incident: {{ violations: 9 }} }}, expect: {{ {expect} }} }}");

        result.Passed.Should().BeFalse();
        result.Failures.Should().Equal(failure);
        result.Explain.Should().Contain("contain: contain, attempt 1, because incident.violations > 5 [incident.violations = 9]");
        result.Test.At.Line.Should().Be(15);
    }

    [Fact]
    public void A_field_that_the_test_leaves_out_is_missing_not_zero()
    {
        var result = Run("{ name: t, given: { event: test.trouble }, expect: { verdict: resolved } }");

        result.Failures.Should().ContainSingle().Which.Should().Contain("incident.violations is missing");
    }

    [Fact]
    public void A_long_wait_takes_no_time()
    {
        var result = Run("{ name: t, given: { event: test.trouble, incident: { violations: 9 }, outcomes: { contain: no_answer } }, expect: { verdict: escalated } }",
            Steps + "\ntimeout: 1d");

        result.Failures.Should().BeEmpty();
    }

    [Theory]
    [InlineData("given: { event: test.trouble, outcomes: { contan: failed } }, expect: { }", "no step has the id 'contan'; did you mean 'contain'?")]
    [InlineData("given: { event: test.trouble, outcomes: { contain: broken } }, expect: { }", "an outcome is succeeded, failed, unknown, no_answer, or a map of the action's outputs, not 'broken'")]
    [InlineData("given: { event: test.trouble, outcomes: { contain: { valeu: 1 } } }, expect: { }", "the action's output has no field 'valeu'; did you mean 'value'?")]
    [InlineData("given: { event: test.trouble, probes: { no: failed } }, expect: { }", "no verification has the id 'no'; known are: ok")]
    [InlineData("given: { event: test.trouble, probes: { ok: { healthy: 1 } } }, expect: { }", "'healthy' must be true or false, not '1'")]
    [InlineData("given: { event: test.trouble, approvals: { contain: maybe } }, expect: { }", "an approval is approved or rejected, not 'maybe'")]
    [InlineData("given: { event: test.trouble, incident: { violatons: 1 } }, expect: { }", "'test.trouble' has no field 'violatons'; did you mean 'violations'?")]
    [InlineData("given: { event: test.truble }, expect: { }", "'test.truble' does not start this playbook; did you mean 'test.trouble'?")]
    [InlineData("given: { event: test.trouble }, expect: { verdict: fine }", "'verdict' must be one of resolved, rolled_back, escalated, cancelled, observed, not 'fine'")]
    [InlineData("given: { event: test.trouble }, expect: { rna: [] }", "'expect' has no key 'rna'; did you mean 'ran'?")]
    public void A_test_is_checked_when_the_file_is_loaded(string test, string message) =>
        PlaybookLoader.Load([("f", RunFixture.Yaml($"{Steps}\ntests:\n  - {{ name: t, {test} }}"))], RunFixture.Vocabulary)
            .Errors.Select(x => x.Message).Should().Contain(message);

    [Fact]
    public void The_tests_of_shipped_playbooks_pass()
    {
        var vocabulary = Guardian.Actors.Hosting.GuardianVocabulary.Of(new());
        var results = PlaybookLoader.LoadDirectory(RepositoryFiles.Folder("playbooks"), vocabulary).Playbooks
            .Select(x => (x.Name, Results: PlaybookTester.Run(x, vocabulary))).ToList();

        results.Should().HaveCountGreaterThan(1).And.OnlyContain(x => x.Results.Count > 0, "each shipped playbook has tests");
        results.SelectMany(x => x.Results).SelectMany(x => x.Failures).Should().BeEmpty();
    }

    [Fact]
    public void A_run_that_only_observes_ends_as_observed() =>
        Run("{ name: t, given: { event: test.trouble, incident: { violations: 9 }, mode: observe }, expect: { verdict: observed } }").Explain
            .Should().Contain(x => x.StartsWith("contain: observed only", StringComparison.Ordinal));
}
