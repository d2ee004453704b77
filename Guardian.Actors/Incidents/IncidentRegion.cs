using Akka.Actor;
using Akka.Cluster.Sharding;
using Guardian.Actors.Persistence;

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
    /// <summary>Ten per node at the cluster's planned size of ten; it can never change for a stored region.</summary>
    public const int Shards = 100;

    /// <summary>Starts the region, or joins the running one; an entity that stopped by a failed write is started again after a second.</summary>
    public static IActorRef Start(ActorSystem system, IncidentDependencies dependencies) => ClusterSharding.Get(system).Start(
        TypeName,
        entity => IncidentActor.Props(entity, dependencies),
        GuardianSharding.Settings(system),
        new IncidentExtractor());
}
