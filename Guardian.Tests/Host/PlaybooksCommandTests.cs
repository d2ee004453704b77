using System.Text.Json;
using Guardian.Host.Cli;
using Guardian.Tests.Playbooks;

namespace Guardian.Tests.Host;

public sealed class PlaybooksCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("guardian-playbooks-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static async Task<(int Code, string Out)> RunAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await GuardianCli.RunAsync(args, output, error);
        error.ToString().Should().BeEmpty();
        return (code, output.ToString());
    }

    private string Write(string text, string name = "file.yaml")
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>Twelve errors were planted; each is reported once, at its place, and nothing else is.</summary>
    [Fact]
    public async Task Twelve_planted_errors_are_reported_and_no_more()
    {
        var path = Write("""
            apiVersion: guardian/v1
            kind: Playbook
            metadata: { name: planted, version: one }
            mode: enforced
            trigger:
              - event: message_bus.acl_violation.spam_attack
                when: incident.violatons >= 10
            guards:
              cooldown: 30
            steps:
              - id: assess
                action: severity.assess
                with: { violations: "${incident.violations}" }
              - id: ban
                if: has(incident.principal)
                action: blacklist.ad
                with: { principal: "${incident.principal}", for: 10m }
              - id: limit
                action: bus.rate_limit
                with: { topic: "${incident.topic}", rate: 10/w, for: 5m, denialOnly: true }
                undo: auto
              - id: limit
                action: notify
                with: { channel: security, text: "${steps.assess.sevrity}" }
                retry: { attempts: 3, attempts: 4 }
              - id: restart
                action: bus.restart
                onErrors: continue
            verify:
              - { id: quiet, probe: bus.violations, with: { subject: "${incident.subject}" }, check: result.count = 0, within: 10s }
            """);

        var (code, output) = await RunAsync("playbooks", "validate", path, "--format", "json");

        code.Should().Be(1);
        var found = JsonDocument.Parse(output).RootElement.GetProperty("errors").EnumerateArray()
            .Select(x => $"{x.GetProperty("line")}:{x.GetProperty("column")}: {x.GetProperty("message").GetString()}");
        found.Should().Equal(
            "3:37: 'version' must be a whole number, not 'one'",
            "4:7: 'mode' must be one of observe, propose, enforce, not 'enforced'",
            "7:20: 'incident' has no 'violatons'; did you mean 'violations'?",
            "9:13: 'cooldown' must be a duration such as 200ms, 10s, 5m, 1h, not '30'",
            "16:13: no action is called 'blacklist.ad'; did you mean 'blacklist.add'?",
            "20:47: 'rate' must be a rate such as 10/s, 600/m, 1000/h, not '10/w'",
            "20:62: 'bus.rate_limit' has no input 'denialOnly'; did you mean 'denialsOnly'?",
            "22:9: the id 'limit' is used already on line 18",
            "24:54: 'steps.assess' has no 'sevrity'; did you mean 'severity'?",
            "25:27: duplicate key 'attempts'; it is already set on line 25",
            "28:5: a step has no key 'onErrors'; did you mean 'onError'?",
            "30:103: '=' is no operator; compare with '=='");
    }

    [Fact]
    public async Task Warnings_are_shown_and_are_no_failure()
    {
        var path = Write("""
            apiVersion: guardian/v1
            kind: Playbook
            metadata: { name: careless, version: 1 }
            trigger: [ { event: policy.regression } ]
            steps:
              - { id: limit, action: bus.rate_limit, with: { topic: "${incident.topic}", rate: 10/s, for: 5m } }
              - { id: restart, action: bus.restart }
            """);

        var (code, output) = await RunAsync("playbooks", "validate", path, "--Guardian:Autonomy:Disrupt=propose");

        code.Should().Be(0);
        output.Split(Environment.NewLine).Select(x => x.Replace(path, "f", StringComparison.Ordinal)).Should().StartWith((string[])[
            "f:3:19: warning: nothing checks that it helped: without 'verify' a run counts as resolved as soon as its steps are through",
            "f:6:11: warning: step 'limit' has no undo: a cancelled run leaves what bus.rate_limit did; add 'undo: auto'",
            "f:7:11: warning: step 'restart' will only be proposed: the configuration lets disrupt actions like bus.restart go as far as propose (Guardian:Mode, Guardian:Autonomy:Disrupt)"]);
        (await RunAsync("playbooks", "validate", path, "--json")).Out.Should().Contain("\"valid\":true").And.Contain("\"line\":3,\"column\":19,\"message\":\"nothing checks");
    }

    [Fact]
    public async Task Shipped_playbooks_have_neither_errors_nor_warnings()
    {
        var (code, output) = await RunAsync("playbooks", "validate", RepositoryFiles.Folder("playbooks"), "--Guardian:Autonomy:Destroy=enforce");

        code.Should().Be(0);
        output.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries).Should().OnlyContain(x => x.StartsWith("ok: ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Tests_of_playbooks_pass_or_fail_with_their_place()
    {
        (await RunAsync("playbooks", "test", RepositoryFiles.Folder("playbooks"))).Should().Match<(int Code, string Out)>(x =>
            x.Code == 0 && x.Out.EndsWith(" passed, 0 failed" + Environment.NewLine, StringComparison.Ordinal));
        var path = Write(File.ReadAllText(Path.Combine(RepositoryFiles.Folder("playbooks"), "message_bus_acl_violation_fix.yaml"))
            .Replace("violations: 201", "violations: 199", StringComparison.Ordinal));

        var line = 1 + Array.FindIndex(File.ReadAllLines(path), x => x.Contains("restart past 200", StringComparison.Ordinal));

        var (code, output) = await RunAsync("playbooks", "test", path);

        code.Should().Be(1);
        output.Should().Contain($"{path}:{line}:5: 'restart past 200 violations': ran: expected [assess, blacklist, limit, restart_bus, tell, task], but it is [assess, blacklist, limit, tell, task] (missing: restart_bus)")
            .And.Contain("    restart_bus: skipped, incident.violations > 200 [incident.violations = 199]")
            .And.EndWith("2 passed, 1 failed" + Environment.NewLine);
        var json = JsonDocument.Parse((await RunAsync("playbooks", "test", path, "--json")).Out).RootElement;
        json.GetProperty("failed").GetInt32().Should().Be(1);
        json.GetProperty("tests")[1].GetProperty("line").GetInt32().Should().Be(line);
    }

    [Fact]
    public async Task A_file_with_errors_runs_no_tests_and_fails() =>
        (await RunAsync("playbooks", "test", Write("kind: Playbook\n"))).Code.Should().Be(1);

    private const string Flood = """{ "type": "message_bus.acl_violation.spam_attack", "principal": "rogue", "topic": "library.x", "violations": 12 }""";

    [Fact]
    public async Task A_plan_is_made_of_files_alone()
    {
        string[] command = ["playbooks", "plan", "message_bus_acl_violation_fix", "--path", RepositoryFiles.Folder("playbooks"), "--incident", Flood];
        var (code, output) = await RunAsync([.. command, "--Guardian:Autonomy:Contain=propose"]);

        code.Should().Be(0);
        output.Should().Contain("step assess: severity.assess runs").And.Contain("step blacklist: blacklist.add awaits_approval")
            .And.Contain("step restart_bus: bus.restart skipped").And.Contain("incident.violations > 200 [incident.violations = 12]");
        var plan = JsonDocument.Parse((await RunAsync([.. command, "--json"])).Out).RootElement;
        plan.GetProperty("steps")[1].GetProperty("input").GetProperty("principal").GetString().Should().Be("rogue");
    }

    [Fact]
    public async Task An_event_is_explained_from_files_alone()
    {
        var (code, output) = await RunAsync("playbooks", "explain", "--path", RepositoryFiles.Folder("playbooks"), "--event", Flood);

        code.Should().Be(0);
        output.Should().Contain("message_bus_acl_violation_fix version 1: matches and would run").And.Contain("policy_regression version 1: does not match");
    }

    [Theory]
    [InlineData("none", Flood, 1, "no valid playbook is called 'none'")]
    [InlineData("message_bus_acl_violation_fix", "{}", 2, "--incident: the incident needs a 'type'")]
    [InlineData("message_bus_acl_violation_fix", "nonsense", 2, "--incident takes a JSON object")]
    [InlineData("message_bus_acl_violation_fix", """{ "type": "policy.regression" }""", 2, "--incident: 'policy.regression' does not start message_bus_acl_violation_fix")]
    [InlineData("policy_regression", """{ "topic": 1 }""", 2, "--incident: 'topic' must be text")]
    public async Task A_plan_that_cannot_be_made_says_why(string name, string incident, int code, string message)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        (await GuardianCli.RunAsync(["playbooks", "plan", name, "--path", RepositoryFiles.Folder("playbooks"), "--incident", incident], output, error)).Should().Be(code);
        (output.ToString(), error.ToString()).Should().Match<(string, string)>(x => x.Item1.Length == 0 && x.Item2.StartsWith(message, StringComparison.Ordinal));
    }
}
