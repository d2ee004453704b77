using System.Net;
using System.Text;
using System.Text.Json;

namespace Guardian.Tests.Node;

/// <summary>Operators and playbooks on a real node.</summary>
public sealed class PlaybooksTests
{
    private const string Fix = "message_bus_acl_violation_fix";
    private const string Flood = """{ "type": "message_bus.acl_violation.spam_attack", "principal": "rogue", "topic": "library.x", "violations": 12 }""";
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task An_operator_starts_a_run_and_a_disabled_playbook_starts_none_also_after_a_restart()
    {
        await using var node = await NodeProcess.StartAsync();
        using (var answer = await PostAsync(node, "runs", $$"""{ "incident": {{Flood}} }"""))
        {
            answer.StatusCode.Should().Be(HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync());
            var run = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("id").GetString();
            await node.UntilAsync("the run's end", async () => (await node.ListAsync("/api/v1/runs")).Any(x => x.GetProperty("id").GetString() == run && x.GetProperty("state").GetString() == "resolved"), Soon);
        }

        using (var banned = await node.PublishAsync("rogue", "library.x")) (await banned.Content.ReadAsStringAsync()).Should().Contain("blacklisted");
        using (var answer = await PostAsync(node, "disable", """{ "reason": "too eager" }""")) answer.StatusCode.Should().Be(HttpStatusCode.NoContent);
        await node.TerminateAsync();
        await node.StartAgainAsync();
        using (var answer = await PostAsync(node, "runs", $$"""{ "incident": {{Flood}} }""")) answer.StatusCode.Should().Be(HttpStatusCode.Conflict);

        for (var i = 0; i < 12; i++) (await node.PublishAsync("second", "system.control.x")).Dispose();
        await node.UntilAsync("an incident that says why it has no run", async () => (await node.ListAsync("/api/v1/incidents?state=open")).Any(x =>
            x.GetProperty("key").GetString() == "acl/principal/second" && x.TryGetProperty("reason", out var reason)
            && reason.GetString() == $"playbook {Fix} fits but was disabled by admin: too eager"), Soon);
        using (var answer = await PostAsync(node, "enable", "{}")) answer.StatusCode.Should().Be(HttpStatusCode.NoContent);
        await node.UntilAsync("its run", async () => (await node.ListAsync("/api/v1/runs")).Any(x => x.GetProperty("incidentKey").GetString() == "acl/principal/second"), Soon);
    }

    private static Task<HttpResponseMessage> PostAsync(NodeProcess node, string what, string body) =>
        node.Http.PostAsync($"/api/v1/playbooks/{Fix}/{what}", new StringContent(body, Encoding.UTF8, "application/json"));
}
