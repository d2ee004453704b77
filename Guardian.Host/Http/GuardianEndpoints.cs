using Guardian.Actors.Hosting;
using Guardian.Host.Hosting;
using Guardian.Host.Http;
using Guardian.Host.Http.Security;
using Microsoft.Extensions.Options;
using OpenTelemetry.Metrics;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Guardian's HTTP API in an application.</summary>
public static class GuardianEndpoints
{
    /// <summary>
    /// Maps the API, health routes, metrics and the plain page under <paramref name="prefix"/>, e.g. <c>/guardian</c>.
    /// Guardian itself comes from <see cref="IGuardianAccess"/> where that is registered, else from the application's actor system.
    /// </summary>
    public static IEndpointConventionBuilder MapGuardian(this IEndpointRouteBuilder endpoints, string prefix = "")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        prefix = prefix.TrimEnd('/');
        var group = endpoints.MapGroup(prefix);
        var context = Context(endpoints.ServiceProvider, prefix);
        OwnAddress.Announce(endpoints.ServiceProvider, context.Access, prefix);
        var routes = new ApiRoutes(group, context);
        BusRoutes.Map(routes);
        StatusRoutes.Map(routes);
        ModeRoutes.Map(routes);
        BlacklistRoutes.Map(routes);
        MitigationRoutes.Map(routes);
        KernelRoutes.Map(routes);
        JobRoutes.Map(routes);
        SilenceRoutes.Map(routes);
        IncidentRoutes.Map(routes);
        PlaybookRoutes.Map(routes);
        EventRoutes.Map(routes);
        ChaosRoutes.Map(routes);
        ClusterRoutes.Map(routes);
        ShardRoutes.Map(routes);
        HealthRoutes.Map(routes);
        MetricsRoutes.Map(routes, endpoints);
        PageRoutes.Map(routes);
        OpenApiRoutes.Map(routes);
        return group;
    }

    private static ApiContext Context(IServiceProvider services, string prefix)
    {
        var access = services.GetService<IGuardianAccess>() ?? new ActorSystemAccess(services);
        var time = services.GetService<TimeProvider>() ?? TimeProvider.System;
        var keys = services.GetService<GuardianHttpKeys>();
        return new ApiContext
        {
            Access = access,
            Gate = new Gate(
                keys is not null ? () => keys.Current : () => access.Current?.Options.Http,
                keys is not null ? () => keys.DataDirectory : () => access.Current?.DataDirectory,
                principal => access.Current?.Parts.IsProtected(principal) ?? false,
                time),
            Bus = services.GetService<IBusClients>() ?? new PortBusClients(),
            Time = time,
            Log = services.GetRequiredService<ILoggerFactory>().CreateLogger("Guardian.Http"),
            Stopping = services.GetService<IHostApplicationLifetime>()?.ApplicationStopping ?? CancellationToken.None,
            Prefix = prefix,
        };
    }
}
