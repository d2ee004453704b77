using System.Net.Http.Json;
using System.Text.Json;

namespace Guardian.Tests.Node;

/// <summary>Silences on a real node: held runs wait and say so, muted notifications are not sent and not lost, both survive kill -9.</summary>
public sealed class SilenceTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private static async Task FloodAsync(NodeProcess node, string principal)
    {
        for (var i = 0; i < 12; i++) (await node.PublishAsync(principal, "system.control")).Dispose();
    }

    private static async Task<string> StateAsync(NodeProcess node, string principal)
    {
        foreach (var incident in await node.ListAsync("/api/v1/incidents?limit=100"))
            if (incident.GetProperty("key").GetString() == "acl/principal/" + principal)
                return incident.GetProperty("state").GetString()!;
        return "none";
    }

    [Fact]
    public async Task A_hold_waits_and_a_mute_is_recorded()
    {
        await using var hook = await WebhookReceiver.StartAsync();
        await using var node = await NodeProcess.StartAsync($"--Guardian:Notifications:Channels:security:Webhook={hook.Url}/security", "--Guardian:Notifications:Channels:security:SendResolved=true");
        (await node.CommandAsync("silence", "add", "--subject", "held", "--hold", "--for", "1h", "--reason", "we work on it")).ExitCode.Should().Be(0);
        using (var answer = await node.Http.PostAsJsonAsync("/api/v1/silences", new { match = new { key = "acl/principal/mut*", type = "message_bus.*" }, until = DateTimeOffset.UtcNow.AddHours(1), reason = "load test", actions = "mute" }))
            ((int)answer.StatusCode).Should().Be(201, await answer.Content.ReadAsStringAsync());
        foreach (var wrong in new object[] { new { match = new { topic = "x" }, @for = "1h", reason = "r" }, new { match = new { key = "x" }, reason = "r" }, new { match = new { key = "x" }, @for = "1h" } })
            using (var answer = await node.Http.PostAsJsonAsync("/api/v1/silences", wrong))
                ((int)answer.StatusCode).Should().Be(400);

        await FloodAsync(node, "held");
        await node.UntilAsync("a run that waits", async () => (await node.ListAsync("/api/v1/runs")).Any(x => x.GetProperty("state").GetString() == "holding"), Soon);
        var run = (await node.ListAsync("/api/v1/runs")).Should().ContainSingle().Subject;
        run.GetProperty("explain").ToString().Should().Contain("holds: silence s-").And.Contain("we work on it");
        (await node.ListAsync("/api/v1/blacklist")).Should().BeEmpty("nothing is done about it, not even for a moment");

        await FloodAsync(node, "muted");
        await node.UntilAsync("healed in silence", async () => await StateAsync(node, "muted") == "resolved", Soon);
        await node.UntilAsync("recorded", async () => (await node.GetAsync("/api/v1/status")).GetProperty("channels").EnumerateArray()
            .Any(x => x.GetProperty("channel").GetString() == "security" && x.GetProperty("muted").GetInt64() == 1), Soon);
        hook.Calls.Should().BeEmpty();

        await node.KillAsync();
        await node.StartAgainAsync();
        (await node.ListAsync("/api/v1/silences")).Should().HaveCount(2);
        (await node.GetAsync("/api/v1/status")).GetProperty("silences").GetArrayLength().Should().Be(2);
        await node.UntilAsync("it still waits", async () => (await node.ListAsync("/api/v1/runs")).Any(x => x.GetProperty("state").GetString() == "holding"), Soon);
        var id = (await node.ListAsync("/api/v1/silences")).Single(x => x.GetProperty("actions").GetString() == "hold").GetProperty("id").GetString()!;
        (await node.CommandAsync("silence", "remove", id)).ExitCode.Should().Be(0);
        await node.UntilAsync("it goes on", async () => await StateAsync(node, "held") == "resolved", Soon);
        await node.UntilAsync("told of the other", () => Task.FromResult(hook.Calls.Select(x => x.Body.GetProperty("type").GetString()).SequenceEqual(["guardian.notification", "guardian.resolved"])), Soon);
        (await node.CommandAsync("status")).Output.Should().Contain("load test").And.Contain("security: 0 pending, 2 delivered, 0 dead, 0 digested, 1 muted");
        (await node.CommandAsync("silence", "list")).Output.Should().Contain("load test").And.NotContain("we work on it");
    }
}
