using System.Net;
using Guardian.Host.Hosting;

namespace Guardian.Tests.Host;

public sealed class ProbeUrlTests
{
    [Fact]
    public async Task A_second_address_serves_health_and_nothing_else()
    {
        await using var host = await HostFixture.StartAsync(x => x.Options.Http.ProbeUrl = "http://[::1]:0");
        using var probes = new HttpClient { BaseAddress = host.ProbeUrl };
        (await probes.GetStringAsync("/ready")).Should().Be("OK");
        (await probes.GetStringAsync("/alive")).Should().Be("OK");
        foreach (var path in new[] { "/", "/metrics", "/api/v1/status", "/cluster/members", "/ready/../api/v1/status" })
            (await probes.GetAsync(path)).StatusCode.Should().Be(HttpStatusCode.NotFound, path);
        (await host.SendAsync("GET", "/api/v1/status")).Status.Should().Be(200, "the API is where it was");
    }

    [Theory]
    [InlineData("http://0.0.0.0:8559", "Guardian:Http:ApiKeys")]
    [InlineData("8559", "is not an address")]
    [InlineData("https://127.0.0.1:8559", "Guardian:Http:Tls")]
    public void A_bad_address_is_named(string url, string because)
    {
        var options = new Guardian.Actors.Hosting.GuardianOptions();
        options.Http.ProbeUrl = url;
        Guardian.Actors.Hosting.GuardianOptionsValidator.Validate(options).Should().ContainSingle().Which.Should().StartWith("Guardian:Http:ProbeUrl: ").And.Contain(because);
    }

    [Fact]
    public void A_name_is_no_address_to_listen_on() =>
        NodeListener.Check(new Guardian.Actors.Hosting.HttpOptions { ProbeUrl = "http://guardian:8559" }).Should().ContainSingle().Which.Should().Contain("ProbeUrl");
}
