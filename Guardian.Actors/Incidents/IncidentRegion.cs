using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Configuration;

namespace Guardian.Actors.Incidents;

/// <summary>Routes by the key's SHA-256, so that any key makes a valid and evenly spread entity.</summary>
internal sealed class IncidentExtractor() : HashCodeMessageExtractor(IncidentRegion.Shards)
{
    public override string? EntityId(object message) => message is IIncidentMessage x ? IncidentKeys.Entity(x.Key) : null;
}

/// <summary>The shard region of incidents.</summary>
internal static class IncidentRegion
{
    public const string TypeName = "guardian-incidents";
    public const string Role = "guardian";

    /// <summary>Ten per node at the cluster's planned size of ten; it can never change for a stored region.</summary>
    public const int Shards = 100;

    /// <summary>
    /// Set here, not in the application's configuration: an embedding application keeps its own sharding. The values bring the entities
    /// of a lost node back in about ten seconds instead of forty; constant recovery spreads the start of many remembered ones.
    /// </summary>
    private const string Tuning = $$"""
        role = {{Role}}
        remember-entities = on
        remember-entities-store = eventsourced
        state-store-mode = ddata
        journal-plugin-id = {{GuardianJournal.Journal}}
        snapshot-plugin-id = {{GuardianJournal.Snapshots}}
        passivate-idle-entity-after = off
        retry-interval = 500ms
        waiting-for-state-timeout = 2s
        updating-state-timeout = 10s
        shard-start-timeout = 2s
        coordinator-failure-backoff = 1s
        shard-failure-backoff = 1s
        entity-restart-backoff = 1s
        entity-recovery-strategy = constant
        """;

    /// <summary>Starts the region, or joins the running one; an entity that stopped by a failed write is started again after a second.</summary>
    public static IActorRef Start(ActorSystem system, IncidentDependencies dependencies)
    {
        var sharding = ClusterSharding.Get(system);
        var config = ConfigurationFactory.ParseString(Tuning).WithFallback(system.Settings.Config.GetConfig("akka.cluster.sharding"));
        var singleton = system.Settings.Config.GetConfig(config.GetString("coordinator-singleton"));
        return sharding.Start(TypeName, entity => IncidentActor.Props(entity, dependencies), ClusterShardingSettings.Create(config, singleton), new IncidentExtractor());
    }
}
