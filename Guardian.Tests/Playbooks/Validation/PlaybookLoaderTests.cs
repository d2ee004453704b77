using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;

namespace Guardian.Tests.Playbooks.Validation;

public sealed class PlaybookLoaderTests
{
    [Fact]
    public void Shipped_playbooks_are_valid()
    {
        var result = PlaybookLoader.LoadDirectory(RepositoryFiles.Folder("playbooks"), Guardian.Actors.Hosting.GuardianVocabulary.Of(new Guardian.Actors.Hosting.GuardianOptions()));

        result.Errors.Should().BeEmpty();
        var fix = result.Playbooks.Single(x => x.Name == "message_bus_acl_violation_fix");
        fix.Steps.Select(x => x.Id).Should().Equal("assess", "blacklist", "limit", "restart_bus", "tell", "task");
        fix.Verify.Select(x => x.Id).Should().Equal("quiet", "bus");
        fix.Guards.Cooldown.Should().Be(TimeSpan.FromSeconds(30));
        fix.Guards.MaxRuns.Should().Equal(new RunQuota(5, TimeSpan.FromHours(1)));
        fix.Steps[1].Retry.Should().Be(new RetryPolicy(3, true, TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(5), true));
        fix.Hash.Should().MatchRegex("^[0-9a-f]{64}$");
        result.Playbooks.Single(x => x.Name == "policy_regression").Steps.Should().OnlyContain(x => x.Action == "notify" || x.Action == "task.create");
    }

    [Fact]
    public void Stored_definition_loads_to_the_same_playbook()
    {
        var first = PlaybookLoader.LoadDirectory(RepositoryFiles.Folder("playbooks"), TestVocabulary.Instance).Playbooks[0];
        var again = PlaybookLoader.Load([("journal", first.Definition)], TestVocabulary.Instance).Playbooks.Single();

        again.Hash.Should().Be(first.Hash);
    }

    /// <summary>A dozen and more mistakes in one file; each line of the expectation is its place.</summary>
    [Fact]
    public void All_errors_of_a_file_are_reported_in_one_pass()
    {
        const string text = """
            apiVersion: guardian/v1
            kind: Playbok
            metadata: { name: broken, version: 0 }
            trigger:
              - event: message_bus.acl_violation.spam_atack
              - event: message_bus.acl_violation.spam_attack
                when: incident.violatons >= 10
            holdFor: soon
            guards:
              lock: "${incident.subjct}"
              maxRuns: [ { count: 5, per: 1h, scope: clutser } ]
            steps:
              - id: assess
                action: severity.assess
                with: { violations: many }
              - id: ban
                if: ${has(incident.principal)}
                action: blacklist.add
                with: { principal: "${incident.principal}", fro: 10m }
              - id: ban
                action: blacklist.ad
              - id: tell
                action: notify
                with: { channel: 5, text: "${steps.task.item} is ${steps.assess.level}" }
                undo: auto
                on: everywhere
              - id: task
                action: task.create
                with: { title: "${incident.violations + 'x'}" }
                skipWhen: { probe: bus.helth, check: result.healthy }
                retry: { attempts: 99 }
            verify:
              - { id: quiet, probe: bus.violations, with: { subject: x }, check: result.cuont == 0, every: 5s, succeedAfter: 3, within: 10s }
            rollback: { then: shrug }
            colour: red
            """;

        var result = PlaybookLoader.Load([("broken.yaml", text)], TestVocabulary.Instance);

        result.Playbooks.Should().BeEmpty();
        result.Errors.Select(x => x.ToString()).Should().Equal(
            "broken.yaml:2:7: 'kind' must be Playbook, not 'Playbok'",
            "broken.yaml:3:36: 'version' must be at least 1, not 0",
            "broken.yaml:5:12: no incident type is called 'message_bus.acl_violation.spam_atack'; did you mean 'message_bus.acl_violation.spam_attack'?",
            "broken.yaml:7:20: 'incident' has no 'violatons'; did you mean 'violations'?",
            "broken.yaml:8:10: 'holdFor' must be a duration such as 200ms, 10s, 5m, 1h, not 'soon'",
            "broken.yaml:10:21: 'incident' has no 'subjct'; did you mean 'subject'?",
            "broken.yaml:11:42: 'scope' must be one of key, playbook, cluster, not 'clutser'",
            "broken.yaml:15:25: 'violations' must be a whole number, not 'many'",
            "broken.yaml:17:9: '${…}' has no place in a bare expression; write the expression alone",
            "broken.yaml:19:11: 'blacklist.add' needs the input 'for': a duration such as 200ms, 10s, 5m, 1h",
            "broken.yaml:19:27: 'incident.principal' may be missing; ask has(incident.principal) first",
            "broken.yaml:19:49: 'blacklist.add' has no input 'fro'; did you mean 'for'?",
            "broken.yaml:20:9: the id 'ban' is used already on line 16",
            "broken.yaml:21:13: no action is called 'blacklist.ad'; did you mean 'blacklist.add'?",
            "broken.yaml:24:22: 'channel' must be text (put numbers and true/false in quotes), not '5'",
            "broken.yaml:24:40: step 'task' has not run here yet; only outputs of earlier steps can be used",
            "broken.yaml:24:69: 'steps.assess' has no 'level'; known are: outcome, score, severity",
            "broken.yaml:25:11: 'notify' has no undo; remove 'undo', or name an action: { action: …, with: { … } }",
            "broken.yaml:26:9: 'on' must be incident.node, all or role:<name>, not 'everywhere'",
            "broken.yaml:29:43: '+' needs two numbers; here are a whole number and a text",
            "broken.yaml:30:24: no probe is called 'bus.helth'; did you mean 'bus.health'?",
            "broken.yaml:31:24: 'attempts' must be between 1 and 20, not 99",
            "broken.yaml:33:5: 3 passes every 5s take longer than 'within' (10s); this can never succeed",
            "broken.yaml:33:77: 'result' has no 'cuont'; did you mean 'count'?",
            "broken.yaml:34:19: 'then' must be one of escalate, end, not 'shrug'",
            "broken.yaml:35:1: a playbook has no key 'colour'; known are: apiVersion, approval, finally, guards, holdFor, kind, metadata, mode, onConflict, rollback, steps, tests, timeout, trigger, vars, verify");
    }

    [Fact]
    public void The_documented_playbook_is_valid()
    {
        var docs = File.ReadAllText(Path.Combine(RepositoryFiles.Folder("docs"), "playbooks.md"));
        var start = docs.IndexOf("```yaml\n", StringComparison.Ordinal) + 8;
        var text = docs[start..docs.IndexOf("```", start, StringComparison.Ordinal)];
        var result = PlaybookLoader.Load([("docs/playbooks.md", text)], Guardian.Actors.Hosting.GuardianVocabulary.Of(new Guardian.Actors.Hosting.GuardianOptions()));
        result.Errors.Should().BeEmpty();
        result.Playbooks.Single().Steps.Single(x => x.Id == "limit").OutcomeIsUsed.Should().BeTrue();
    }

    [Fact]
    public void Names_are_unique_over_all_files()
    {
        var text = Minimal("steps:\n  - { id: a, action: bus.restart }\n");
        var result = PlaybookLoader.Load([("a.yaml", text), ("b.yaml", text), ("c.yaml", "[")], TestVocabulary.Instance);

        result.Playbooks.Should().ContainSingle();
        result.Errors.Select(x => x.File).Should().Equal("b.yaml", "c.yaml");
        result.Errors[0].ToString().Should().Be("b.yaml:3:19: the name 'minimal' is taken by a.yaml");
    }

    [Fact]
    public void Missing_folder_is_an_error() =>
        PlaybookLoader.LoadDirectory(Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString()), TestVocabulary.Instance)
            .Errors.Should().ContainSingle().Which.Message.Should().StartWith("the folder of playbooks cannot be read");

    [Theory]
    [InlineData("guards: { blastRadius: { kernels: 50 } }", "'kernels' must be a percentage such as 50%, more than 0%, not '50'")]
    [InlineData("guards: { blastRadius: { } }", "'blastRadius' bounds kernels (a percentage), principals (a number), or both")]
    [InlineData("guards: { circuitBreaker: { failures: 3 } }", "'circuitBreaker' needs 'within'")]
    [InlineData("guards: { circuitBreaker: { failures: 3, within: 1h, reset: auto } }", "'reset' must be manual, not 'auto'")]
    [InlineData("approval: { timeout: 5m }", "an approval's 'timeout' (5m) must be shorter than the run's (5m); raise the playbook's 'timeout'")]
    [InlineData("verify: [ { id: a, probe: bus.health, check: result.healthy, every: 10ms, within: 1m } ]", "'within' (1m) holds more than 1000 measurements every 10ms; raise 'every'")]
    [InlineData("rollback: { order: forward }", "'order' must be reverse, not 'forward'")]
    [InlineData("vars: { a: '${node}' }", "vars are constants; '${…}' is not evaluated here")]
    [InlineData("vars: { a-b: 1 }", "'a-b' cannot be written in an expression; use letters, digits and underscores")]
    [InlineData("timeout: 100ms", "'timeout' must be between 1s and 1d, not 100ms")]
    [InlineData("verify: [ { id: a, probe: bus.health, check: result.queued } ]", "a boolean is needed here, not a whole number")]
    [InlineData("tests: [ { name: t, given: { event: policy.regression }, expect: { ran: [zz] } } ]", "no step has the id 'zz'; known are: a0")]
    public void What_is_not_understood_is_never_ignored(string line, string message) =>
        PlaybookLoader.Load([("f", Minimal($"steps:\n  - {{ id: a0, action: bus.restart }}\n{line}\n"))], TestVocabulary.Instance)
            .Errors.Select(x => x.Message).Should().Contain(message);

    [Theory]
    [InlineData("{ id: a, action: bus.restart, with: { x: 1 } }", "'bus.restart' has no input 'x'")]
    [InlineData("{ id: a, action: wait, with: { for: '${incident.topic}' } }", "a duration is needed here, not a text")]
    [InlineData("{ id: a, action: wait, with: { for: 'x${incident.topic}' } }", "'for' must be a duration such as 200ms, 10s, 5m, 1h; text with '${…}' inside is always text")]
    [InlineData("{ id: a, action: wait, with: { for: '${incident.topic' } }", "'${' is not closed by '}'")]
    [InlineData("{ id: a, action: wait }", "'wait' needs the input 'for': a duration such as 200ms, 10s, 5m, 1h")]
    [InlineData("{ id: a, action: wait, with: { for: } }", "'for' is empty; give it a value or remove it")]
    [InlineData("{ id: a-b, action: bus.restart }", "a step's id is a letter or underscore, then letters, digits and underscores, at most 64; 'a-b' does not fit")]
    [InlineData("{ id: a, action: bus.restart, undoOn: [cancelled] }", "'cancelled' need not be said: a cancelled run always lifts its containment, and the rest where 'rollback.on' says cancelled")]
    [InlineData("{ id: a, action: wait, with: { for: 30s } }", "'for' (30s) must be shorter than the step's 'timeout' (30s); raise the step's 'timeout'")]
    [InlineData("{ id: a, action: wait, with: { for: 1s }, timeout: 6m }", "a step's 'timeout' (6m) must not be longer than the run's (5m); raise the playbook's 'timeout'")]
    [InlineData("{ id: a, action: bus.restart, undoOn: [resolved] }", "'undoOn' needs 'undo' beside it")]
    [InlineData("{ id: a, action: bus.restart, onError: ignore }", "'onError' must be continue or fail, not 'ignore'")]
    [InlineData("{ id: a, action: bus.restart, retry: { attempts: 2, initial: 5s, max: 1s } }", "'max' (1s) must not be shorter than 'initial' (5s)")]
    [InlineData("{ id: a, action: bus.restart, if: incident.violations }", "a boolean is needed here, not a whole number")]
    [InlineData("{ id: a, action: bus.restart, if: steps.a.restarts > 1 }", "step 'a' has not run here yet; only outputs of earlier steps can be used")]
    public void Step_is_checked_against_the_vocabulary(string step, string message) =>
        PlaybookLoader.Load([("f", Minimal($"steps:\n  - {step}\n"))], TestVocabulary.Instance)
            .Errors.Select(x => x.Message).Should().Equal(message);

    [Fact]
    public void Outputs_of_a_conditional_step_need_has()
    {
        const string first = "steps:\n  - { id: a, action: severity.assess, with: { violations: 1 }, if: incident.violations > 1 }\n";
        Errors(first + "  - { id: b, action: task.create, with: { title: '${steps.a.severity}' } }\n").Should().ContainSingle().Which.Should().Contain("may be missing");
        Errors(first + "  - { id: b, if: has(steps.a.severity), action: task.create, with: { title: '${steps.a.severity}' } }\n").Should().BeEmpty();
    }

    private static IEnumerable<string> Errors(string rest) => PlaybookLoader.Load([("f", Minimal(rest))], TestVocabulary.Instance).Errors.Select(x => x.Message);

    internal static string Minimal(string rest) =>
        "apiVersion: guardian/v1\nkind: Playbook\nmetadata: { name: minimal, version: 1 }\ntrigger: [ { event: policy.regression } ]\n" + rest;
}
