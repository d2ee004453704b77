using Akka.Cluster.Hosting;
using Akka.Cluster.Hosting.SBR;
using Akka.Hosting;
using Akka.Remote.Hosting;
using Guardian.Actors.Hosting;

namespace Guardian.Host.Node;

/// <summary>
/// What a whole node sets besides Guardian itself, and an embedding application decides for itself: addresses, split
/// brain, failure detection, strict serialization.
/// </summary>
internal static class NodeCluster
{
    // Measured with three processes: the owner killed with -9, its last entity answered elsewhere after 46.8 s with the
    // defaults and 14 to 15.5 s with these. down-removal-margin stays 2 s: it is what lets the losing side stop first.
    private const string Tuning = """
        akka {
          remote.dot-netty.tcp {
            maximum-frame-size = 1 MiB
            send-buffer-size = 1 MiB
            receive-buffer-size = 1 MiB
          }
          cluster {
            gossip-interval = 500ms
            leader-actions-interval = 500ms
            unreachable-nodes-reaper-interval = 500ms
            periodic-tasks-initial-delay = 100ms
            failure-detector { heartbeat-interval = 500ms, acceptable-heartbeat-pause = 2s }
            down-removal-margin = 2s
            run-coordinated-shutdown-when-down = on
            sharding {
              retry-interval = 500ms
              waiting-for-state-timeout = 2s
              updating-state-timeout = 10s
              shard-start-timeout = 2s
              coordinator-failure-backoff = 1s
              shard-failure-backoff = 1s
              entity-restart-backoff = 1s
              distributed-data.gossip-interval = 500ms
            }
          }
          # A failed persist leaves its reason to Guardian's own one line; dead letters of a restart are expected.
          log-dead-letters = 1
          log-dead-letters-during-shutdown = off
          coordinated-shutdown.run-by-clr-shutdown-hook = off
        }
        """;

    /// <summary>Remoting, cluster and strict serialization as Guardian.Host runs them. A node without seed nodes joins itself.</summary>
    public static AkkaConfigurationBuilder WithNodeCluster(this AkkaConfigurationBuilder builder, Guardian.Actors.Hosting.ClusterOptions options) => builder
        .WithRemoting(options.Hostname, options.Port)
        .WithClustering(new Akka.Cluster.Hosting.ClusterOptions
        {
            Roles = [.. options.Roles],
            SeedNodes = [.. options.SeedNodes],
            SplitBrainResolver = new KeepMajorityOption(),
        })
        .AddHocon("akka.cluster.split-brain-resolver.stable-after = 5s", HoconAddMode.Prepend)
        .AddHocon(Tuning, HoconAddMode.Prepend)
        .WithStrictSerialization()
        .AddStartup((system, _) => ClusterJoining.JoinSelfWhereAlone(system));
}
