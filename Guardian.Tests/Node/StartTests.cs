using System.Net;

namespace Guardian.Tests.Node;

/// <summary>What a node does while it starts.</summary>
public sealed class StartTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Until_the_bans_are_known_nobody_is_let_in()
    {
        await using var node = await NodeProcess.StartAsync();
        using (var ban = await node.Http.PutAsync("/api/v1/blacklist/librarian", new StringContent("""{ "for": "10m", "reason": "test" }""", System.Text.Encoding.UTF8, "application/json")))
            ban.IsSuccessStatusCode.Should().BeTrue(await ban.Content.ReadAsStringAsync());
        await node.KillAsync();

        await node.StartAgainAsync(waitReady: false);
        var seen = new List<HttpStatusCode>();
        await node.UntilAsync("the ban", async () =>
        {
            using var answer = await node.PublishAsync("librarian", "library.books");
            seen.Add(answer.StatusCode);
            return answer.StatusCode == HttpStatusCode.Forbidden;
        }, Soon);
        seen.Should().OnlyContain(x => x == HttpStatusCode.ServiceUnavailable || x == HttpStatusCode.Forbidden);
    }
}
