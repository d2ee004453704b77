using Akka.Cluster.Hosting;
using Akka.Hosting;
using Akka.Remote.Hosting;
using Guardian.Actors.Hosting;

namespace Guardian.Host.Hosting;

/// <summary>The actor system of a whole node. What is tuned here an embedding application decides for itself.</summary>
internal static class NodeActorSystem
{
    /// <summary>
    /// Failover measured with kill -9 among three processes: 47 s with Akka's defaults, about 10 s with these. Frames carry
    /// the bus's 256 KiB bodies. A monitor is blind to another node until that has learned of its subscription by gossip. What
    /// Newtonsoft wrote is not read. CLR shutdown hooks are the host's, who stops in order.
    /// </summary>
    private static readonly string Tuning = $$"""
        akka {
          coordinated-shutdown.run-by-clr-shutdown-hook = off
          actor.serializers.json = "{{typeof(RefusedJson).AssemblyQualifiedName}}"
          remote.dot-netty.tcp { maximum-frame-size = 1 MiB, send-buffer-size = 1 MiB, receive-buffer-size = 1 MiB }
          cluster {
            gossip-interval = 500ms
            leader-actions-interval = 500ms
            unreachable-nodes-reaper-interval = 500ms
            down-removal-margin = 2s
            downing-provider-class = "Akka.Cluster.SBR.SplitBrainResolverProvider, Akka.Cluster"
            pub-sub { gossip-interval = 200ms }
            split-brain-resolver { active-strategy = keep-majority, stable-after = 5s }
            failure-detector { heartbeat-interval = 500ms, acceptable-heartbeat-pause = 2s }
            sharding {
              retry-interval = 500ms
              waiting-for-state-timeout = 2s
              shard-start-timeout = 2s
              updating-state-timeout = 3s
              coordinator-failure-backoff = 1s
              shard-failure-backoff = 1s
              entity-restart-backoff = 1s
              entity-recovery-strategy = constant
              distributed-data { gossip-interval = 500ms, majority-min-cap = 2 }
            }
          }
        }
        """;

    public static void AddGuardianNode(this IServiceCollection services, GuardianOptions options, TimeProvider time) =>
        services.AddAkka(options.Cluster.SystemName, akka =>
        {
            var cluster = options.Cluster;
            akka.ConfigureLoggers(log =>
            {
                log.LogLevel = Akka.Event.LogLevel.InfoLevel;
                log.ClearLoggers();
                log.AddLoggerFactory();
            });
            if (cluster.Tls is { } tls) akka.AddHocon("akka.remote.dot-netty.tcp.enable-ssl = true", HoconAddMode.Prepend).AddSetup(RemotingTls.Setup(tls));
            akka.AddHocon(Tuning, HoconAddMode.Prepend)
                .WithRemoting(new RemoteOptions
                {
                    HostName = cluster.BindHostname.Length > 0 ? cluster.BindHostname : cluster.Hostname, PublicHostName = cluster.Hostname,
                    Port = cluster.BindPort > 0 ? cluster.BindPort : cluster.EffectivePort, PublicPort = cluster.EffectivePort > 0 ? cluster.EffectivePort : null,
                })
                .WithClustering(new Akka.Cluster.Hosting.ClusterOptions { Roles = [.. cluster.Roles], SeedNodes = [.. cluster.SeedNodes.Select(x => WithProtocol(x, cluster.Tls is not null))] })
                .WithGuardian(options, time)
                .WithStrictSerialization();
            if (cluster.Discovery.Name.Length > 0) akka.WithDnsSeedNodes(cluster);
            else akka.AddStartup((system, _) => ClusterJoining.JoinSelfWhereAlone(system));
        });

    /// <summary>Akka gives connections with TLS a protocol of their own; whoever configures addresses need not care.</summary>
    internal static string WithProtocol(string address, bool tls) => (tls ? "akka.ssl.tcp" : "akka.tcp") + address[address.IndexOf("://", StringComparison.Ordinal)..];
}
