using Guardian.Actors.Telemetry;
using Guardian.Host.Http.Security;
using OpenTelemetry.Metrics;

namespace Guardian.Host.Http;

/// <summary>Prometheus text, where the application has a meter provider with that exporter.</summary>
internal static class MetricsRoutes
{
    public static void Map(ApiRoutes routes, IEndpointRouteBuilder endpoints)
    {
        if (endpoints.ServiceProvider.GetService<MeterProvider>() is not { } provider) return;
        if (endpoints.ServiceProvider.GetService<GuardianMetrics>() is null) // the node has made its own
        {
            var metrics = new GuardianMetrics(() => routes.Api.Access.Current?.Parts);
            endpoints.ServiceProvider.GetService<IHostApplicationLifetime>()?.ApplicationStopped.Register(metrics.Dispose);
        }

        var scrape = endpoints.CreateApplicationBuilder()
            .UseOpenTelemetryPrometheusScrapingEndpoint(provider, static _ => true, null, null, null)
            .Build();
        routes.MapOpen("GET", "/metrics", Rights.None, "Prometheus text", (http, _) => scrape(http));
    }
}
