using Akka.Actor;
using Akka.Hosting;
using Guardian.Actors.Persistence;
using Guardian.Actors.Serialization;
using Guardian.Playbooks;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Guardian.Actors.Hosting;

/// <summary>Embeds Guardian in an Akka.NET application.</summary>
public static class GuardianHosting
{
    /// <summary>
    /// Starts Guardian in this actor system. Changes only what Guardian owns: its plug-ins, serializer, dispatcher and role.
    /// Wrong options, an unreadable policy or a data directory in use disable Guardian and degrade the health check
    /// <c>guardian</c>; they never stop the application.
    /// </summary>
    /// <param name="builder">Akka.Hosting's builder; where the application is a cluster, call after <c>WithClustering</c>.</param>
    /// <param name="configure">Sets options; see <see cref="GuardianOptions"/> for the defaults.</param>
    public static AkkaConfigurationBuilder WithGuardian(this AkkaConfigurationBuilder builder, Action<GuardianOptions>? configure = null)
    {
        var options = new GuardianOptions();
        configure?.Invoke(options);
        return builder.WithGuardian(options, TimeProvider.System);
    }

    /// <summary>The same with options that are already bound, and a clock.</summary>
    public static AkkaConfigurationBuilder WithGuardian(this AkkaConfigurationBuilder builder, GuardianOptions options, TimeProvider time)
    {
        if (options.Chaos.Enabled) time = new Chaos.JumpableTime(time); // so that a drill can set the clock
        builder.WithHealthCheck("guardian", (system, _, _) => Task.FromResult(Health(system)), HealthStatus.Degraded, ["guardian"], TimeSpan.FromSeconds(1));
        DataDirectory data;
        JournalDatabase journal;
        try
        {
            var errors = GuardianOptionsValidator.Validate(options);
            if (errors.Count > 0) return builder.Disable(string.Join("; ", errors));
            data = DataDirectory.Open(options.Node);
            journal = JournalDatabase.From(options.Persistence, data.FullPath);
            journal.Prepare();
        }
        catch (IOException e)
        {
            return builder.Disable(e.Message);
        }

        return builder
            .WithGuardianRole(data.NodeName, journal.IsSqlite)
            .WithCustomSerializer("guardian", [typeof(IGuardianMessage)], system => new GuardianSerializer(system))
            .AddHocon(GuardianHocon.Sections, HoconAddMode.Append)
            .AddHocon(GuardianHocon.ReplicatorOver(builder.Configuration.HasValue ? builder.Configuration.Value : null), HoconAddMode.Prepend)
            .AddHocon(GuardianPersistence.Hocon(options.Persistence, data.FullPath), HoconAddMode.Append)
            .AddHocon(GuardianHocon.ExtensionsUnder(builder.Configuration.HasValue ? builder.Configuration.Value : null), HoconAddMode.Append)
            .AddStartup((system, _) => GuardianBootstrap.Start(system, options, data, time));
    }

    private static AkkaConfigurationBuilder Disable(this AkkaConfigurationBuilder builder, string reason) =>
        builder.AddStartup((system, _) => GuardianBootstrap.Disable(system, reason));

    private static HealthCheckResult Health(ActorSystem system)
    {
        var access = GuardianSystem.Access(system);
        if (access.Disabled is { } reason) return HealthCheckResult.Degraded("Guardian is disabled: " + reason);
        if (access.Current is not { } guardian) return HealthCheckResult.Degraded("Guardian is starting");
        var waiting = guardian.Parts.NotReady();
        if (waiting.Count > 0) return HealthCheckResult.Degraded(string.Join("; ", waiting));
        var journal = guardian.Parts.Journal();
        if (!journal.Healthy) return HealthCheckResult.Degraded("journal: " + journal.Reason);
        var parked = guardian.Parts.Parked();
        return parked.Count == 0 ? HealthCheckResult.Healthy() : HealthCheckResult.Degraded("unreadable events: " + string.Join("; ", parked.Take(5)));
    }
}
