using System.Net;
using Akka.Hosting;
using Guardian.Actors.Actions;
using Guardian.Actors.Actions.Probes;
using Guardian.Actors.Hosting;
using Guardian.Host.Hosting;
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
        var own = GuardianSystem.Access(app.Services.GetRequiredService<Akka.Actor.ActorSystem>()).Http;
        own.Should().Be(new Uri(http.BaseAddress!, "/guardian"));
        (await new HttpGet(new ActionDependencies
        {
            Blacklist = Akka.Actor.ActorRefs.Nobody, Bus = Akka.Actor.ActorRefs.Nobody, Outbox = Akka.Actor.ActorRefs.Nobody, Time = TimeProvider.System,
            CountViolations = (_, _, _) => Task.FromResult(0L), HttpBase = () => own,
        }).MeasureAsync(new HttpGetInput("/ready", TimeSpan.FromSeconds(10)), deadline.Token)).Status.Should().Be(200, "a playbook asks the node itself, below its prefix");
        (await PublishAsync(http, "librarian")).Should().Be(HttpStatusCode.Accepted);
        (await PublishAsync(http, "stranger")).Should().Be(HttpStatusCode.Forbidden);
        (await http.GetStringAsync("/guardian/api/v1/status")).Should().Contain("\"aclDenied\":1");
        (await http.GetStringAsync("/guardian/metrics")).Should().Contain("guardian_bus_messages");
        (await http.DeleteAsync("/guardian/api/v1/blacklist/stranger")).StatusCode.Should().Be(HttpStatusCode.Unauthorized);
        await app.StopAsync();
    }

    [Theory]
    [InlineData("http://0.0.0.0:8558", "", "http://127.0.0.1:8558")]
    [InlineData("http://[::]:8558", "/guardian", "http://[::1]:8558/guardian")]
    [InlineData("https://*:443", "", "https://127.0.0.1")]
    [InlineData("http://10.1.2.3:80", "", "http://10.1.2.3")]
    [InlineData("http://unix:/tmp/shop.sock", "", null)]
    public void A_node_asks_itself_where_this_machine_reaches_it(string bound, string prefix, string? asked) =>
        OwnAddress.Reachable(bound, prefix).Should().Be(asked is null ? null : new Uri(asked));

    private static async Task<HttpStatusCode> PublishAsync(HttpClient http, string principal)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/guardian/api/v1/bus/library.books") { Content = new StringContent("x") };
        request.Headers.Add("X-Guardian-Principal", principal);
        using var answer = await http.SendAsync(request);
        return answer.StatusCode;
    }
}
