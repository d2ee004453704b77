using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Configuration;

namespace Guardian.Actors.Persistence;

/// <summary>Settings of Guardian's shard regions; the application's own <c>akka.cluster.sharding</c> stays as it is.</summary>
internal static class GuardianSharding
{
    /// <summary>The role of nodes that carry Guardian.</summary>
    public const string Role = "guardian";

    /// <summary>
    /// Coordinator state in DistributedData without durable keys, remembered entities in Guardian's journal, a fixed rate at
    /// recovery so that a restart with many entities does not time out. Where a shard lives is written to a majority: by default it
    /// needs three more, in a small cluster all, and one lost node would stop every new shard until it is removed. A coordinator
    /// that begins still reads as many more. <c>updating-state-timeout</c> is what a new shard waits after an outage of the journal:
    /// the request to remember it is lost while the store is being restarted, and is repeated only then.
    /// </summary>
    public static ClusterShardingSettings Settings(ActorSystem system)
    {
        ClusterSharding.Get(system); // brings its defaults into the system's configuration
        var config = ConfigurationFactory.ParseString($$"""
            role = {{Role}}
            remember-entities = on
            state-store-mode = ddata
            remember-entities-store = eventsourced
            journal-plugin-id = {{GuardianPersistence.JournalId}}
            snapshot-plugin-id = {{GuardianPersistence.SnapshotsId}}
            passivate-idle-entity-after = off
            entity-restart-backoff = 1s
            shard-failure-backoff = 1s
            coordinator-failure-backoff = 1s
            retry-interval = 500ms
            waiting-for-state-timeout = 2s
            updating-state-timeout = 3s
            shard-start-timeout = 2s
            coordinator-state.write-majority-plus = 0
            entity-recovery-strategy = constant
            """).WithFallback(system.Settings.Config.GetConfig("akka.cluster.sharding"));
        return ClusterShardingSettings.Create(
            config,
            system.Settings.Config.GetConfig("akka.cluster.singleton"));
    }
}
