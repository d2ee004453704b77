using Akka.Actor;
using Akka.Configuration;
using Akka.Hosting;
using Guardian.Actors.Hosting;
using Guardian.Host.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Guardian.Tests.Hosting;

/// <summary>What a whole node's actor system is really configured with: a setting that another layer overrules says nothing by itself.</summary>
public sealed class NodeTuningTests : IDisposable
{
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("guardian-tuning-");

    public void Dispose() => _data.Delete(recursive: true);

    /// <summary>The replicator is the application's too: what it has changed stays, what Akka.Hosting wrote out as default does not.</summary>
    [Fact]
    public void What_the_application_changed_stays()
    {
        var changed = ConfigurationFactory.ParseString("akka.cluster.distributed-data.gossip-interval = 7s").WithFallback(Akka.DistributedData.DistributedData.DefaultConfig());
        var config = GuardianHocon.ReplicatorOver(changed).WithFallback(changed).GetConfig("akka.cluster.distributed-data");
        (config.GetTimeSpan("gossip-interval"), config.GetTimeSpan("notify-subscribers-interval")).Should().Be((TimeSpan.FromSeconds(7), TimeSpan.FromMilliseconds(50)));
        GuardianHocon.ReplicatorOver(null).GetInt("akka.cluster.distributed-data.max-delta-elements").Should().Be(20);
    }

    /// <summary>Extensions that start at the same time may lose each other's defaults; a system in which Guardian is embedded has them from its beginning.</summary>
    [Fact]
    public void Serializers_of_the_extensions_are_there_before_the_extensions()
    {
        var services = new ServiceCollection();
        Config? config = null;
        services.AddAkka("embedded", akka => config = akka.WithGuardian(x => x.Node.DataDirectory = _data.FullName).Configuration.Value);
        using var provider = services.BuildServiceProvider();
        using var system = provider.GetRequiredService<ActorSystem>();
        foreach (var name in (string[])["akka-sharding", "akka-singleton", "akka-pubsub", "akka-data-replication", "akka-replicated-data", "akka-persistence-message"])
            config!.HasPath("akka.actor.serializers." + name).Should().BeTrue(name);
        config!.HasPath("akka.persistence.dispatchers.default-plugin-dispatcher").Should().BeTrue();
        config.HasPath("akka.stream.materializer").Should().BeTrue();
    }

    [Fact]
    public async Task Measured_settings_are_in_force()
    {
        var options = new GuardianOptions();
        (options.Node.DataDirectory, options.Monitors.Resources.Enabled) = (_data.FullName, false);
        var builder = Microsoft.Extensions.Hosting.Host.CreateApplicationBuilder();
        builder.Services.AddGuardianNode(options, TimeProvider.System);
        using var host = builder.Build();
        await host.StartAsync();
        var config = host.Services.GetRequiredService<ActorSystem>().Settings.Config;
        await host.StopAsync();

        var bans = config.GetConfig("akka.cluster.distributed-data");
        (bans.GetTimeSpan("notify-subscribers-interval"), bans.GetTimeSpan("gossip-interval"), bans.GetInt("max-delta-elements"))
            .Should().Be((TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(500), 20));
        var cluster = config.GetConfig("akka.cluster");
        (cluster.GetTimeSpan("down-removal-margin"), cluster.GetTimeSpan("split-brain-resolver.stable-after"), cluster.GetString("split-brain-resolver.active-strategy"))
            .Should().Be((TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(5), "keep-majority"));
        (cluster.GetInt("sharding.distributed-data.majority-min-cap"), cluster.GetTimeSpan("sharding.distributed-data.gossip-interval"))
            .Should().Be((2, TimeSpan.FromMilliseconds(500)));
        config.GetStringList("akka.coordinated-shutdown.phases.before-cluster-shutdown.depends-on").Should().Contain(GuardianHocon.KernelsPhase);
    }
}
