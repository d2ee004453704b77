using System.Net;
using Akka.Hosting;
using Guardian.Actors.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;

namespace Guardian.Tests.Hosting;

/// <summary>A web application embeds Guardian and maps its API below a path of its own.</summary>
public sealed class MapGuardianTests : IDisposable
{
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("guardian-map-");

    public void Dispose() => _data.Delete(recursive: true);

    [Fact]
    public async Task The_api_is_served_below_the_prefix_beside_the_application()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddAkka("shop", akka => akka.WithGuardian(options =>
        {
            options.Node.DataDirectory = _data.FullName;
            options.Monitors.Resources.Enabled = false; // a busy test machine is under pressure, and that is no news
        }));
        builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddMeter("Guardian").AddPrometheusExporter()); // as in docs/embedding.md
        await using var app = builder.Build();
        app.MapGet("/", () => "the shop");
        app.MapGuardian("/guardian");
        await app.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()) };

        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while ((await http.GetAsync("/guardian/ready", deadline.Token)).StatusCode != HttpStatusCode.OK) await timer.WaitForNextTickAsync(deadline.Token);

        (await http.GetStringAsync("/")).Should().Be("the shop");
        (await PublishAsync(http, "librarian")).Should().Be(HttpStatusCode.Accepted);
        (await PublishAsync(http, "stranger")).Should().Be(HttpStatusCode.Forbidden);
        (await http.GetStringAsync("/guardian/api/v1/status")).Should().Contain("\"aclDenied\":1");
        (await http.GetStringAsync("/guardian/metrics")).Should().Contain("guardian_bus_messages");
        (await http.DeleteAsync("/guardian/api/v1/blacklist/stranger")).StatusCode.Should().Be(HttpStatusCode.Unauthorized);
        await app.StopAsync();
    }

    private static async Task<HttpStatusCode> PublishAsync(HttpClient http, string principal)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/guardian/api/v1/bus/library.books") { Content = new StringContent("x") };
        request.Headers.Add("X-Guardian-Principal", principal);
        using var answer = await http.SendAsync(request);
        return answer.StatusCode;
    }
}
