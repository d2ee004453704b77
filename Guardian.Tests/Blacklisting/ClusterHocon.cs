using Akka.Configuration;
using Akka.DistributedData;

namespace Guardian.Tests.Blacklisting;

/// <summary>One node of a cluster on loopback with journal in memory and DistributedData as Guardian sets it.</summary>
internal static class ClusterHocon
{
    public static Config Of() => ConfigurationFactory.ParseString("""
        akka {
          loglevel = WARNING
          actor {
            provider = cluster
            serialize-messages = off
            serializers.guardian = "Guardian.Actors.Serialization.GuardianSerializer, Guardian.Actors"
            serialization-bindings { "Guardian.Playbooks.IGuardianMessage, Guardian.Playbooks" = guardian }
          }
          remote.dot-netty.tcp { hostname = 127.0.0.1, port = 0 }
          cluster {
            jmx.multi-mbeans-in-same-jvm = on
            distributed-data { max-delta-elements = 20, notify-subscribers-interval = 50ms, gossip-interval = 500ms, durable.keys = [] }
          }
        }
        akka.persistence { journal.plugin = "not-guardians", snapshot-store.plugin = "not-guardians" }
        guardian.journal { class = "Akka.Persistence.Journal.MemoryJournal, Akka.Persistence", plugin-dispatcher = "akka.actor.default-dispatcher" }
        guardian.snapshots { class = "Akka.Persistence.Snapshot.MemorySnapshotStore, Akka.Persistence", plugin-dispatcher = "akka.actor.default-dispatcher" }
        """).WithFallback(DistributedData.DefaultConfig());
}
