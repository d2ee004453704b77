using System.Net.Sockets;
using Guardian.Actors.Hosting;
using Guardian.Actors.Telemetry;
using Guardian.Host.Hosting;
using Guardian.Host.Http;
using Guardian.Host.Http.Security;
using Microsoft.Extensions.Logging.Console;
using OpenTelemetry.Metrics;

namespace Guardian.Host;

/// <summary>Builds and runs one node: configuration, actor system, HTTP.</summary>
internal static class NodeHost
{
    /// <summary>Akka's shutdown phases sum to 75 s in the worst case.</summary>
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(90);

    public static async Task<int> RunAsync(IReadOnlyList<string> overrides, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        var builder = Builder(overrides);
        var (options, errors, warnings) = OptionsBinder.Bind(builder.Configuration);
        if (errors.Count == 0) errors = [.. NodeListener.Check(options.Http), .. options.Cluster.Tls is { } tls ? RemotingTls.Check(tls, TimeProvider.System.GetUtcNow()) : []];
        if (errors.Count > 0)
        {
            foreach (var line in errors) await error.WriteLineAsync(line);
            return ExitCodes.Usage;
        }

        options.Executable = GuardianProgram.Running(typeof(NodeHost).Assembly);
        var data = Path.GetFullPath(options.Node.DataDirectory);
        try
        {
            AdminKeyFile.Ensure(data);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await error.WriteLineAsync($"Guardian:Node:DataDirectory: {data} cannot be used: {e.Message}");
            return ExitCodes.Usage;
        }

        await output.WriteLineAsync(NodeBanner.Text(options, data));
        await output.FlushAsync(cancellation);
        AddServices(builder, options, data);
        builder.Services.AddGuardianNode(options, TimeProvider.System);
        await using var app = builder.Build();
        Map(app);
        var log = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Guardian");
        foreach (var warning in warnings) HostLog.Option(log, warning);
        if (Environment.IsPrivilegedProcess) HostLog.Root(log);
        return await RunAsync(app, options, log, error, cancellation);
    }

    /// <summary>The slim builder: console logging, Kestrel and routing, nothing that start-up would pay for unused.</summary>
    public static WebApplicationBuilder Builder(IReadOnlyList<string> overrides)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.Sources.Clear();
        NodeConfiguration.Add(builder.Configuration, overrides);
        builder.Logging.ClearProviders();
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Information);
        builder.Logging.AddFilter("Microsoft.Extensions", LogLevel.Warning);
        builder.Logging.AddConfiguration(builder.Configuration.GetSection("Logging"));
        builder.Logging.AddSimpleConsole(x =>
        {
            x.SingleLine = true;
            x.TimestampFormat = "HH:mm:ss.fff ";
            x.UseUtcTimestamp = true;
            x.ColorBehavior = Console.IsOutputRedirected ? LoggerColorBehavior.Disabled : LoggerColorBehavior.Default;
        });
        return builder;
    }

    /// <summary>What the HTTP side needs. Without the actor system: that is <see cref="NodeActorSystem"/>'s.</summary>
    public static void AddServices(WebApplicationBuilder builder, GuardianOptions options, string dataDirectory)
    {
        builder.WebHost.ConfigureKestrel(kestrel => NodeListener.Configure(kestrel, options.Http));
        var services = builder.Services;
        services.Configure<HostOptions>(x => x.ShutdownTimeout = ShutdownTimeout);
        services.Configure<GuardianOptions>(builder.Configuration.GetSection(OptionsBinder.Section));
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<IGuardianAccess>(x => new ActorSystemAccess(x));
        services.AddSingleton(x => ActivatorUtilities.CreateInstance<GuardianHttpKeys>(x, dataDirectory, options.Http));
        services.AddSingleton(x => new GuardianMetrics(() => x.GetRequiredService<IGuardianAccess>().Current?.Parts));
        services.AddOpenTelemetry().WithMetrics(metrics =>
        {
            metrics.AddMeter(GuardianMetrics.MeterName).AddPrometheusExporter();
            if (!string.IsNullOrEmpty(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"])) metrics.AddOtlpExporter();
        });
    }

    public static void Map(WebApplication app)
    {
        app.Services.GetRequiredService<GuardianMetrics>();
        app.UseStatusCodePages(static context => context.HttpContext.Response.StatusCode switch
        {
            404 => Problems.NotFound(context.HttpContext, "no such path; /openapi/v1.json lists them"),
            405 => Problems.Write(context.HttpContext, 405, "method-not-allowed", "Method not allowed", "the Allow header names what is; cluster management is read-only"),
            var other => Problems.Write(context.HttpContext, other, "http-error", "The request was refused", "see the status code"),
        });
        NodeListener.UseProbes(app);
        app.MapGuardian();
        var access = app.Services.GetRequiredService<IGuardianAccess>();
        app.Lifetime.ApplicationStopping.Register(() => access.Current?.Parts.Drain());
    }

    private static async Task<int> RunAsync(WebApplication app, GuardianOptions options, ILogger log, TextWriter error, CancellationToken cancellation)
    {
        try
        {
            await app.StartAsync(cancellation);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            await error.WriteLineAsync(NodeListener.Describe(options.Http, e));
            return ExitCodes.Usage;
        }
        catch (AggregateException e) when (e.Flatten().InnerExceptions is [Akka.Remote.RemoteTransportException cause])
        {
            await error.WriteLineAsync(NodeListener.Describe(options.Cluster, cause));
            return ExitCodes.Usage;
        }

        var lost = WatchAsync(app, log);
        var shutdown = Akka.Actor.CoordinatedShutdown.Get(app.Services.GetRequiredService<Akka.Actor.ActorSystem>());
        await app.WaitForShutdownAsync(cancellation);
        if (lost.IsCompletedSuccessfully) return await lost;
        if (shutdown.ShutdownReason is not Akka.Actor.CoordinatedShutdown.ClusterDowningReason) return ExitCodes.Done;
        HostLog.Downed(log);
        return ExitCodes.Negative;
    }

    /// <summary>Ends the process where Guardian cannot run: its supervisor starts it anew.</summary>
    private static async Task<int> WatchAsync(WebApplication app, ILogger log)
    {
        try
        {
            var guardian = await GuardianSystem.Access(app.Services.GetRequiredService<Akka.Actor.ActorSystem>()).Started;
            var failure = await guardian.Parts.Failure;
            HostLog.Lost(log, failure);
        }
        catch (InvalidOperationException e)
        {
            var reason = e.Message;
            HostLog.Disabled(log, reason);
        }

        app.Lifetime.StopApplication();
        return ExitCodes.Negative;
    }
}
