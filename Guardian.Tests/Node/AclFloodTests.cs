using System.Net;
using System.Text.Json;

namespace Guardian.Tests.Node;

/// <summary>The whole node as a process, flooded by a real HTTP client, with a real webhook and a real journal.</summary>
public sealed class AclFloodTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30); // generous: CI machines are slow, benchmarks show the times

    private static string[] With(WebhookReceiver hook) =>
    [
        $"--Guardian:Notifications:Channels:security:Webhook={hook.Url}/security",
        $"--Guardian:Tasks:Webhook={hook.Url}/tasks",
    ];

    private static async Task FloodAsync(NodeProcess node, string principal, string topic, int count)
    {
        await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = 10 }, async (_, _) =>
        {
            using var answer = await node.PublishAsync(principal, topic);
            answer.StatusCode.Should().Be(HttpStatusCode.Forbidden);
            var type = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(CancellationToken.None)).RootElement.GetProperty("type").GetString();
            type.Should().Match(x => x!.EndsWith("/acl-denied") || x.EndsWith("/blacklisted"));
        });
    }

    private static async Task<JsonElement> ResolvedAsync(NodeProcess node, string key)
    {
        JsonElement incident = default;
        await node.UntilAsync($"{key} resolved", async () =>
        {
            var all = (await node.ListAsync("/api/v1/incidents?limit=100")).Where(x => x.GetProperty("key").GetString() == key).ToList();
            if (all.Count == 0) return false;
            incident = all.Should().ContainSingle().Subject;
            return incident.GetProperty("state").GetString() == "resolved";
        }, Soon);
        return incident;
    }

    [Fact]
    public async Task A_flood_is_denied_banned_and_healed_once()
    {
        await using var hook = await WebhookReceiver.StartAsync();
        await using var node = await NodeProcess.StartAsync(With(hook));

        await FloodAsync(node, "rogue", "system.control", 300);

        await node.UntilAsync("banned", async () =>
            (await node.ListAsync("/api/v1/blacklist")).Any(x => x.GetProperty("principal").GetString() == "rogue"), Soon);
        var incident = await ResolvedAsync(node, "acl/principal/rogue");
        await node.UntilAsync("300 violations", async () =>
            (await node.GetAsync($"/api/v1/incidents/{incident.GetProperty("id").GetString()}")).GetProperty("violations").GetInt64() == 300, Soon);
        incident.GetProperty("type").GetString().Should().Be("message_bus.acl_violation.control_topic_flood");

        var run = (await node.ListAsync("/api/v1/runs")).Should().ContainSingle().Subject;
        run.GetProperty("state").GetString().Should().Be("resolved");
        var steps = run.GetProperty("steps").EnumerateArray().ToDictionary(x => x.GetProperty("id").GetString()!, x => x);
        steps.Keys.Should().Equal("assess", "blacklist", "limit", "restart_bus", "tell", "task");
        steps.Where(x => x.Key != "restart_bus").Should().OnlyContain(x => x.Value.GetProperty("state").GetString() == "succeeded");
        steps["restart_bus"].GetProperty("state").GetString().Should().Match(x => x == "succeeded" || x == "skipped");
        steps["restart_bus"].GetProperty("reason").GetString().Should().Contain("incident.violations");
        run.GetProperty("verify").EnumerateArray().Should().OnlyContain(x => x.GetProperty("passed").GetBoolean());

        await node.UntilAsync("webhook and ticket", () => Task.FromResult(hook.Calls.Count >= 2), Soon);
        hook.Calls.Count(x => x.Path == "/tasks").Should().Be(1);
        File.ReadAllLines(Path.Combine(node.DataDirectory, "tasks.jsonl")).Should().ContainSingle();
        (await node.TerminateAsync()).Should().Be(0);
        hook.Calls.Where(x => x.Path == "/security").Select(x => x.Body.GetProperty("type").GetString()).Should().Equal("guardian.notification");
    }

    [Theory]
    [InlineData("library.sealed.x", 9)]
    [InlineData("system.control", 4)]
    public async Task One_less_than_the_rule_is_no_incident_and_the_rule_is_one(string topic, int below)
    {
        await using var node = await NodeProcess.StartAsync();

        await FloodAsync(node, "visitor", topic, below);
        await node.UntilAsync("all counted", async () =>
            (await node.GetAsync("/api/v1/status")).GetProperty("bus").GetProperty("refused").GetProperty("aclDenied").GetInt64() == below, Soon);
        await ViolationsSeenAsync(node, below);
        (await node.ListAsync("/api/v1/incidents")).Should().BeEmpty();
        (await node.ListAsync("/api/v1/blacklist")).Should().BeEmpty();

        await FloodAsync(node, "other", topic, below + 1);
        await ResolvedAsync(node, "acl/principal/other");
    }

    // The monitor has seen what the bus denied: from then on the absence of an incident means something.
    private static Task ViolationsSeenAsync(NodeProcess node, long count) => node.UntilAsync("monitor has seen them", async () =>
        (await node.GetAsync("/api/v1/status")).GetProperty("monitors").GetProperty("aclViolations").GetInt64() >= count, Soon);

    [Fact]
    public async Task A_run_survives_kill_9_and_the_ban_holds()
    {
        await using var hook = await WebhookReceiver.StartAsync();
        hook.Answer = 503; // keeps the outbox trying, so that the kill comes before the delivery
        await using var node = await NodeProcess.StartAsync(With(hook));

        await FloodAsync(node, "rogue", "system.control", 50);
        await node.UntilAsync("a run under way", async () => (await node.ListAsync("/api/v1/runs")).Count == 1 && !hook.Calls.IsEmpty, Soon);
        await node.KillAsync();
        hook.Answer = 200;
        await node.StartAgainAsync();

        await ResolvedAsync(node, "acl/principal/rogue");
        (await node.ListAsync("/api/v1/runs")).Should().ContainSingle();
        await node.UntilAsync("deliveries", () => Task.FromResult(hook.Calls.Select(x => x.Path).Distinct().Count() == 2), Soon);
        hook.Calls.Where(x => x.Path == "/security").Select(x => x.Key).Distinct().Should().ContainSingle();
        hook.Calls.Where(x => x.Path == "/tasks").Select(x => x.Key).Distinct().Should().ContainSingle();

        using var refused = await node.PublishAsync("rogue", "system.control");
        (await refused.Content.ReadAsStringAsync()).Should().Contain("/blacklisted");
    }

    [Fact]
    public async Task A_hold_stops_all_acting_and_resume_brings_the_ban()
    {
        await using var node = await NodeProcess.StartAsync();
        (await node.CommandAsync("hold", "--reason", "maintenance")).ExitCode.Should().Be(0);

        await FloodAsync(node, "rogue", "system.control", 50);
        await node.UntilAsync("the run holds", async () =>
            (await node.ListAsync("/api/v1/runs")).Any(x => x.GetProperty("state").GetString() == "holding"), Soon);
        (await node.ListAsync("/api/v1/blacklist")).Should().BeEmpty();

        (await node.CommandAsync("resume")).ExitCode.Should().Be(0);
        await node.UntilAsync("banned", async () => (await node.ListAsync("/api/v1/blacklist")).Count == 1, Soon);
        await ResolvedAsync(node, "acl/principal/rogue");

        using (var lifted = await node.Http.DeleteAsync("/api/v1/blacklist/rogue")) lifted.IsSuccessStatusCode.Should().BeTrue();
        using (var denied = await node.PublishAsync("rogue", "system.control"))
            denied.StatusCode.Should().BeOneOf([HttpStatusCode.Forbidden, HttpStatusCode.TooManyRequests], "it is free, though still without rights, and the topic's denials are limited");
        using (var denied = await node.PublishAsync("rogue", "system.other"))
            (await denied.Content.ReadAsStringAsync()).Should().Contain("/acl-denied");
        await FloodAsync(node, "rogue", "system.other", 30);
        await ViolationsSeenAsync(node, 80);
        (await node.ListAsync("/api/v1/blacklist")).Should().BeEmpty("an operator's lift exempts for ten minutes");
    }

    [Fact]
    public async Task A_policy_mistake_bans_nobody_and_is_taken_back_with_the_file()
    {
        var directory = Directory.CreateTempSubdirectory("guardian-policy-");
        var policy = Path.Combine(directory.FullName, "access.yaml");
        var right = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "policies", "access.yaml"));
        await File.WriteAllTextAsync(policy, right);
        await using var node = await NodeProcess.StartAsync($"--Guardian:Files:Policy={policy}");
        (await node.PublishAsync("librarian", "library.books")).StatusCode.Should().Be(HttpStatusCode.Accepted);

        await File.WriteAllTextAsync(policy, right.Replace("  librarian:\n    publish: { allow: [\"library.>\"]", "  librarian:\n    publish: { allow: [\"library.returns\"]"));
        await node.UntilAsync("the new policy", async () => (await node.PublishAsync("librarian", "library.books")).StatusCode == HttpStatusCode.Forbidden, Soon);
        await FloodAsync(node, "librarian", "library.books", 40);
        await node.UntilAsync("policy.regression", async () =>
            (await node.ListAsync("/api/v1/incidents")).Any(x => x.GetProperty("type").GetString() == "policy.regression"), Soon);
        (await node.ListAsync("/api/v1/incidents")).Should().OnlyContain(x => x.GetProperty("type").GetString() == "policy.regression");
        (await node.ListAsync("/api/v1/blacklist")).Should().BeEmpty();

        await File.WriteAllTextAsync(policy, right);
        await node.UntilAsync("the old policy", async () => (await node.PublishAsync("librarian", "library.books")).StatusCode == HttpStatusCode.Accepted, Soon);
        directory.Delete(recursive: true);
    }

    [Fact]
    public async Task A_locked_database_degrades_and_loses_nothing()
    {
        await using var node = await NodeProcess.StartAsync();
        var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={Path.Combine(node.DataDirectory, "journal.db")};Pooling=False");
        await connection.OpenAsync();
        await using (var begin = connection.CreateCommand())
        {
            begin.CommandText = "BEGIN EXCLUSIVE";
            await begin.ExecuteNonQueryAsync();
        }

        await node.UntilAsync("degraded", async () => (await node.Http.GetStringAsync("/ready")).Contains("degraded: journal"), Soon);
        (await node.Http.GetAsync("/ready?strict=true")).StatusCode.Should().Be(HttpStatusCode.InternalServerError);
        (await node.PublishAsync("librarian", "library.books")).StatusCode.Should().Be(HttpStatusCode.Accepted);
        await FloodAsync(node, "rogue", "system.control", 20);

        await connection.DisposeAsync();
        await ResolvedAsync(node, "acl/principal/rogue");
        await node.UntilAsync("healthy", async () => (await node.Http.GetAsync("/ready?strict=true")).StatusCode == HttpStatusCode.OK, Soon);
    }

    [Theory]
    [InlineData("Guardian:Bus:DefaultQueue", "0")]
    [InlineData("Guardian:Monitors:Acl:SpamWindow", "soon")]
    [InlineData("Guardian:Http:Url", "http://0.0.0.0:9")]
    public async Task A_bad_option_stops_the_node_and_is_named(string key, string value)
    {
        var (exitCode, output) = await GuardianCommand.RunAsync("run", $"--{key}={value}", $"--Guardian:Node:DataDirectory={Path.Combine(Path.GetTempPath(), Path.GetRandomFileName())}");
        exitCode.Should().NotBe(0);
        output.Should().Contain(key).And.NotContain("   at ", "a stack trace helps nobody");
    }
}
