using Guardian.Actors.Blacklisting;
using Guardian.Actors.Bus;
using Guardian.Actors.Kernels;
using static Guardian.Tests.Host.HostFixture;

namespace Guardian.Tests.Host;

/// <summary>A name in a path is what the client has escaped, byte for byte, whatever it is made of.</summary>
public sealed class NamesInPathsTests
{
    [Theory]
    [InlineData("team/a")]
    [InlineData("/")]
    [InlineData("50%")]
    [InlineData("50%41")] // escaped and decoded once: not 50A
    [InlineData("a b+c?d#e")]
    [InlineData("käthe")]
    public async Task Slashes_percents_and_blanks_arrive(string name)
    {
        await using var host = await StartAsync();
        var (escaped, key) = (Uri.EscapeDataString(name), Bearer(host.AdminKey));
        (await host.SendAsync("PUT", $"/api/v1/blacklist/{escaped}", headers: key)).Status.Should().Be(200);
        (await host.SendAsync("DELETE", $"/api/v1/blacklist/{escaped}", headers: key)).Status.Should().Be(204);
        (await host.SendAsync("POST", $"/api/v1/bus/{escaped}", "x", As("p"))).Status.Should().Be(202);
        (await host.SendAsync("GET", $"/api/v1/kernels/{escaped}/jobs/{escaped}", headers: key)).Status.Should().Be(200);
        (await host.SendAsync("DELETE", $"/api/v1/mitigations/limit:{escaped}", headers: key)).Status.Should().Be(404);
        host.Commands.OfType<BanPrincipal>().Single().Principal.Should().Be(name);
        host.Commands.OfType<LiftBan>().Single().Principal.Should().Be(name);
        host.Published.Single().Topic.Should().Be(name);
        host.Commands.OfType<GetJob>().Single().Should().Be(new GetJob(name, name));
        host.Commands.OfType<LiftMitigation>().Single().Id.Should().Be("limit:" + name);
    }

    [Fact]
    public async Task A_lower_case_escape_is_the_same()
    {
        await using var host = await StartAsync();
        (await host.SendAsync("PUT", "/api/v1/blacklist/team%2fa", headers: Bearer(host.AdminKey))).Status.Should().Be(200);
        host.Commands.OfType<BanPrincipal>().Single().Principal.Should().Be("team/a");
    }
}
