using System.Text.Json;
using Guardian.Actors.Guards;
using Guardian.Actors.Hosting;
using Guardian.Actors.Incidents;
using Guardian.Actors.Switches;
using Guardian.Host.Cli;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;
using Guardian.Tests.Playbooks;
using static Guardian.Tests.Host.HostFixture;

namespace Guardian.Tests.Host;

public sealed class PlaybookApiTests
{
    private const string Fix = "message_bus_acl_violation_fix";
    private const string Flood = """{ "type": "message_bus.acl_violation.spam_attack", "principal": "rogue", "topic": "library.x", "violations": 12 }""";

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement.Clone();

    [Fact]
    public async Task Playbooks_are_listed_and_shown()
    {
        await using var host = await StartAsync();
        var file = host.Playbooks.Value.Single(x => x.Name == Fix).File;
        host.PlaybookErrors.Add(new FileError(file, 3, 1, "wrong"));
        host.PlaybookErrors.Add(new FileError("new.yaml", 1, 1, "wrong too"));

        var list = Json((await host.SendAsync("GET", "/api/v1/playbooks")).Body);

        var fix = list.EnumerateArray().Single(x => x.GetProperty("name").GetString() == Fix);
        fix.GetProperty("version").GetInt32().Should().BePositive();
        fix.GetProperty("hash").GetString().Should().HaveLength(64);
        (fix.GetProperty("mode").GetString(), fix.GetProperty("enabled").GetBoolean()).Should().Be(("enforce", true));
        fix.GetProperty("triggers")[0].GetProperty("event").GetString().Should().Be("message_bus.acl_violation.spam_attack");
        fix.GetProperty("errors").EnumerateArray().Select(x => x.GetString()).Should().Equal($"{file}:3:1: wrong");
        Json((await host.SendAsync("GET", "/api/v1/status")).Body).GetProperty("playbooks").GetProperty("errors").GetArrayLength().Should().Be(2);
        var detail = Json((await host.SendAsync("GET", "/api/v1/playbooks/" + Fix)).Body);
        detail.GetProperty("steps")[1].GetProperty("risk").GetString().Should().Be("contain");
        detail.GetProperty("definition").GetString().Should().StartWith("# yaml-language-server");
        (await host.SendAsync("GET", "/api/v1/playbooks/none")).Status.Should().Be(404);
    }

    [Fact]
    public async Task A_dry_run_answers_the_plan_and_asks_for_nothing()
    {
        await using var host = await StartAsync();

        var (status, body, _) = await host.SendAsync("POST", $"/api/v1/playbooks/{Fix}/runs", $$"""{ "incident": {{Flood}}, "dryRun": true }""");

        status.Should().Be(200, "reading needs no key here");
        Json(body).GetProperty("steps").EnumerateArray().Select(x => x.GetProperty("decision").GetString()).Should().Contain("runs").And.Contain("skipped");
        host.Commands.OfType<RequestRun>().Should().BeEmpty();
    }

    [Fact]
    public async Task A_run_is_started_by_operators_alone_under_the_key_of_its_type()
    {
        await using var host = await StartAsync();
        var body = $$"""{ "incident": {{Flood}}, "reason": "to be sure" }""";

        (await host.SendAsync("POST", $"/api/v1/playbooks/{Fix}/runs", body)).Status.Should().Be(401);
        var (status, answer, _) = await host.SendAsync("POST", $"/api/v1/playbooks/{Fix}/runs", body, Bearer(host.AdminKey));

        status.Should().Be(202);
        Json(answer).GetProperty("id").GetString().Should().Be("i-1.1");
        host.Commands.OfType<RequestRun>().Single().Should().Match<RequestRun>(x => x.Key == "acl/principal/rogue" && x.By == "admin" && x.Playbook == Fix
            && x.Raised.Principal == "rogue" && x.Raised.Topic == "library.x" && x.Raised.Violations == 12 && x.Raised.Subject == "rogue" && x.Raised.Node == "node-1");
        host.Requested = new RunRequested { Done = false, Reason = "run i-1.1 is under way" };
        (await host.SendAsync("POST", $"/api/v1/playbooks/{Fix}/runs", body, Bearer(host.AdminKey))).Should().Match<(int Status, string Body, HttpResponseMessage)>(
            x => x.Status == 409 && x.Body.Contains("run i-1.1 is under way", StringComparison.Ordinal));
    }

    [Fact]
    public async Task With_keys_a_viewer_plans_and_does_not_run()
    {
        await using var host = await StartAsync(x =>
        {
            x.Options.Http.ApiKeys.Add(Key("eyes", "viewer"));
            x.Options.Http.ApiKeys.Add(Key("hands", "operator"));
        });
        var dry = $$"""{ "incident": {{Flood}}, "dryRun": true }""";
        (await host.SendAsync("POST", $"/api/v1/playbooks/{Fix}/runs", dry)).Status.Should().Be(401);
        (await host.SendAsync("POST", $"/api/v1/playbooks/{Fix}/runs", dry, Bearer("eyes"))).Status.Should().Be(200);
        (await host.SendAsync("POST", $"/api/v1/playbooks/{Fix}/runs", $$"""{ "incident": {{Flood}} }""", Bearer("eyes"))).Status.Should().Be(403);
        (await host.SendAsync("POST", $"/api/v1/playbooks/{Fix}/disable", headers: Bearer("eyes"))).Status.Should().Be(403);
        (await host.SendAsync("POST", $"/api/v1/playbooks/{Fix}/disable", headers: Bearer("hands"))).Status.Should().Be(204);
        (await host.SendAsync("POST", $"/api/v1/playbooks/{Fix}/runs", $$"""{ "incident": {{Flood}} }""", Bearer("hands"))).Status.Should().Be(202);
    }

    [Theory]
    [InlineData("""{ "dryRun": true }""", "the incident needs a 'type'")]
    [InlineData("""{ "incident": { "type": "policy.regression" }, "dryRun": true }""", "does not start message_bus_acl_violation_fix")]
    [InlineData("""{ "incident": { "type": "message_bus.acl_violation.spam_attack", "topic": 5 } }""", "'topic' must be text")]
    public async Task A_described_incident_that_does_not_fit_is_400(string body, string detail)
    {
        await using var host = await StartAsync();
        (await host.SendAsync("POST", $"/api/v1/playbooks/{Fix}/runs", body, Bearer(host.AdminKey))).Should().Match<(int Status, string Body, HttpResponseMessage)>(
            x => x.Status == 400 && x.Body.Contains(detail, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_playbook_is_disabled_and_enabled_and_explain_knows()
    {
        await using var host = await StartAsync();
        var key = Bearer(host.AdminKey);
        (await host.SendAsync("POST", $"/api/v1/playbooks/{Fix}/disable", """{ "reason": "too eager" }""", key)).Status.Should().Be(204);
        host.Commands.OfType<SetSwitch>().Single().Should().Match<SetSwitch>(x => x.Playbook == Fix && !x.Enabled && x.By == "admin" && x.Reason == "too eager");
        (await host.SendAsync("POST", "/api/v1/playbooks/none/disable", headers: key)).Status.Should().Be(404);

        var shown = Json((await host.SendAsync("GET", "/api/v1/playbooks/" + Fix)).Body).GetProperty("playbook");
        (shown.GetProperty("enabled").GetBoolean(), shown.GetProperty("switched").GetProperty("reason").GetString()).Should().Be((false, "too eager"));
        var match = Json((await host.SendAsync("POST", "/api/v1/playbooks/explain", $$"""{ "event": {{Flood}} }""")).Body)
            .EnumerateArray().Single(x => x.GetProperty("playbook").GetString() == Fix);
        (match.GetProperty("matches").GetBoolean(), match.GetProperty("enabled").GetBoolean(), match.GetProperty("chosen").GetBoolean()).Should().Be((true, false, false));
        (await host.SendAsync("POST", "/api/v1/playbooks/explain", """{ "event": { "type": "none" } }""")).Status.Should().Be(400);
        (await host.SendAsync("POST", $"/api/v1/playbooks/{Fix}/enable", headers: key)).Status.Should().Be(204);
        Json((await host.SendAsync("GET", "/api/v1/playbooks/" + Fix)).Body).GetProperty("playbook").GetProperty("enabled").GetBoolean().Should().BeTrue();
    }

    [Fact]
    public async Task A_circuit_breaker_is_shown_and_reset()
    {
        var shipped = PlaybookLoader.LoadFile(Path.Combine(RepositoryFiles.Folder("playbooks"), Fix + ".yaml"), GuardianVocabulary.Of(new GuardianOptions())).Playbooks.Single();
        await using var host = await StartAsync(x => x.Playbooks = new([
            shipped with { Guards = shipped.Guards with { CircuitBreaker = new CircuitBreaker(3, TimeSpan.FromHours(1)) } },
            shipped with { Name = "without", Guards = shipped.Guards with { CircuitBreaker = null } },
        ]));
        host.BreakerOpen = "3 escalated runs within 1h";
        var list = Json((await host.SendAsync("GET", "/api/v1/playbooks")).Body);
        (list[0].GetProperty("breaker").GetProperty("state").GetString(), list[1].TryGetProperty("breaker", out _)).Should().Be(("open", false));
        (await host.SendAsync("POST", $"/api/v1/playbooks/{Fix}/reset-breaker")).Status.Should().Be(401);
        (await host.SendAsync("POST", $"/api/v1/playbooks/{Fix}/reset-breaker", """{ "reason": "repaired" }""", Bearer(host.AdminKey))).Status.Should().Be(204);
        host.Commands.OfType<ResetBreaker>().Single().Should().Match<ResetBreaker>(x => x.Playbook == Fix && x.By == "admin" && x.Reason == "repaired");
        host.BreakerOpen = null;
        (await host.SendAsync("POST", $"/api/v1/playbooks/{Fix}/reset-breaker", headers: Bearer(host.AdminKey))).Status.Should().Be(409);
        (await host.SendAsync("POST", "/api/v1/playbooks/without/reset-breaker", headers: Bearer(host.AdminKey))).Body.Should().Contain("declares no circuit breaker");
    }

    [Fact]
    public async Task The_command_line_says_the_same()
    {
        await using var host = await StartAsync();
        _ = host.AdminKey;
        string[] node = ["--url", host.Url.AbsoluteUri, $"--Guardian:Node:DataDirectory={host.DataDirectory}"];
        foreach (var (command, shows) in ((string[], string)[])
        [
            (["playbooks"], Fix), (["playbooks", "list"], "policy_regression"), (["playbooks", "schema"], "blacklist.add"), (["playbooks", "show", Fix], "bus.restart"),
            (["playbooks", "plan", Fix, "--incident", Flood], "step blacklist: blacklist.add runs"),
            (["playbooks", "explain", "--event", Flood], "matches and would run"),
            (["playbooks", "run", Fix, "--incident", Flood], "run i-1.1 of incident i-1 is under way"),
            (["playbooks", "disable", Fix, "--reason", "too eager"], "disabled"), (["playbooks", "enable", Fix], "enabled"),
        ])
        {
            var (code, output) = await RunAsync([.. command, .. node]);
            (code, output).Should().Match<(int, string)>(x => x.Item1 == 0 && x.Item2.Contains(shows, StringComparison.Ordinal), string.Join(' ', command));
            (await RunAsync([.. command, .. node, "--json"])).Should().Match<(int Code, string Out)>(x => x.Code == 0 && Json(x.Out).ValueKind != JsonValueKind.Undefined);
        }
    }

    private static async Task<(int Code, string Out)> RunAsync(string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await GuardianCli.RunAsync(args, output, error);
        error.ToString().Should().BeEmpty();
        return (code, output.ToString());
    }
}
