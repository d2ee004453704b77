using Akka.Cluster.Sharding;
using Akka.Cluster.Tools.PublishSubscribe;
using Akka.Cluster.Tools.Singleton;
using Akka.Configuration;
using Akka.DistributedData;
using Akka.Persistence.Sql;
using Akka.Streams;

namespace Guardian.Actors.Hosting;

/// <summary>
/// Guardian's own sections. Nothing here changes a setting that the embedding application owns; what a whole node
/// tunes besides (split brain, failure detector, strict serialization) is Guardian.Host's.
/// </summary>
internal static class GuardianHocon
{
    /// <summary>Dispatcher of everything between a message and its answer.</summary>
    public const string Dispatcher = "guardian.dispatcher";

    /// <summary>Dispatcher of kernels, their heartbeats and their watchdog: no other work can delay a beat or its being missed.</summary>
    public const string Heartbeats = "guardian.heartbeats";

    /// <summary>Phase of the shutdown that ends the kernels, once what was accepted is delivered.</summary>
    public const string KernelsPhase = "guardian-kernels";

    private const string Sharding = "akka.actor.serializers.akka-sharding";

    private const string Replicator = "akka.cluster.distributed-data";

    private static readonly (string Key, string Value)[] ReplicatorSettings =
        [("max-delta-elements", "20"), ("notify-subscribers-interval", "50ms"), ("gossip-interval", "500ms")];

    /// <summary>
    /// Own threads, so that an application that starves the .NET thread pool does not blind its guardian. Two at least:
    /// one may be held up by a subscriber.
    /// </summary>
    public static Config Sections => ConfigurationFactory.ParseString($$"""
        guardian.dispatcher {
          type = ForkJoinDispatcher
          throughput = 64
          dedicated-thread-pool {
            thread-count = {{Math.Max(2, Environment.ProcessorCount)}}
            threadtype = background
          }
        }
        guardian.heartbeats {
          type = ForkJoinDispatcher
          throughput = 64
          dedicated-thread-pool { thread-count = 2, threadtype = background }
        }
        akka.coordinated-shutdown.phases {
          guardian-kernels { depends-on = [service-requests-done], timeout = 30s, recover = on }
          before-cluster-shutdown { depends-on = [service-stop, guardian-kernels] }
        }
        """);

    /// <summary>
    /// To be appended: the defaults of the extensions that Guardian uses, as Akka.Hosting's WithClustering does; nothing where it did. Each would add its own when it is
    /// first used; two that do so at the same time can lose the other's (<c>Settings.InjectTopLevelFallback</c> builds the configuration and the
    /// serializers without a lock), and what sharding wrote into the journal could not be read until the process starts anew.
    /// </summary>
    public static Config ExtensionsUnder(Config? application) => application?.HasPath(Sharding) == true ? ConfigurationFactory.ParseString("") : ClusterSharding.DefaultConfig()
        .WithFallback(ClusterSingleton.DefaultConfig())
        .WithFallback(DistributedPubSub.DefaultConfig())
        .WithFallback(DistributedData.DefaultConfig())
        .WithFallback(Akka.Persistence.Persistence.DefaultConfig())
        .WithFallback(SqlPersistence.DefaultConfiguration)
        .WithFallback(ActorMaterializer.DefaultConfig());

    /// <summary>
    /// To be prepended: the replicator is shared with the application, and what that has changed stays; its defaults, which Akka.Hosting
    /// writes out, do not. The values were measured: 500 buckets of bans in one gossip message exceed the frame and are dropped
    /// without a word, and with the default interval a ban takes half a second to the bus of another node.
    /// </summary>
    public static Config ReplicatorOver(Config? application)
    {
        var defaults = DistributedData.DefaultConfig();
        return ConfigurationFactory.ParseString(string.Join('\n', ReplicatorSettings.Select(x => (Path: $"{Replicator}.{x.Key}", x.Value))
            .Where(x => application is null || !application.HasPath(x.Path) || application.GetString(x.Path) == defaults.GetString(x.Path))
            .Select(x => $"{x.Path} = {x.Value}")));
    }
}
