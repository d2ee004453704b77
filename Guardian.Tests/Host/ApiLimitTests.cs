using Guardian.Playbooks.Model;
using static Guardian.Tests.Host.HostFixture;

namespace Guardian.Tests.Host;

/// <summary>A limit on the API refuses what is public and leaves the control plane alone.</summary>
public sealed class ApiLimitTests
{
    [Fact]
    public async Task Beyond_the_limit_the_public_waits_and_the_control_plane_passes()
    {
        await using var host = await HostFixture.StartAsync(x => x.Current = new(x.Current!.Parts with { IsReserved = (principal, topic) => principal == "librarian" && topic == "system.control" }));
        var limits = host.Current!.Parts.ApiLimits;
        limits.Set("run-1", Rate.Parse("2/h"), "test", DateTimeOffset.UtcNow.AddMinutes(10)).Should().BeNull();
        for (var i = 0; i < 2; i++) (await host.SendAsync("GET", "/api/v1/mode")).Status.Should().Be(200);

        var (status, body, response) = await host.SendAsync("GET", "/api/v1/mode");
        (status, response.Headers.RetryAfter?.Delta > TimeSpan.Zero).Should().Be((429, true));
        body.Should().Contain("api-limited");
        (await host.SendAsync("POST", "/api/v1/bus/library.books", "x", As("patron"))).Status.Should().Be(429);

        (await host.SendAsync("POST", "/api/v1/bus/system.control", "x", As("librarian"))).Status.Should().Be(202);
        (await host.SendAsync("POST", "/api/v1/bus/system.control", "x", As("rogue"))).Status.Should().Be(429);
        foreach (var path in new[] { "/alive", "/metrics", "/cluster/members" }) (await host.SendAsync("GET", path)).Status.Should().NotBe(429, path);
        (await host.SendAsync("GET", "/api/v1/mode", null, Bearer(host.AdminKey))).Status.Should().Be(200);
        (await host.SendAsync("GET", "/api/v1/mitigations", null, Bearer(host.AdminKey))).Body.Should().Contain("api-limit:run-1").And.Contain("limit to 2/h");

        (await host.SendAsync("DELETE", "/api/v1/mitigations/api-limit:run-1", null, Bearer(host.AdminKey))).Status.Should().Be(204);
        (await host.SendAsync("GET", "/api/v1/mode")).Status.Should().Be(200);
        limits.Refused.Should().Be(3);
    }
}
