using Akka.Actor;
using Akka.Cluster.Sharding;
using Guardian.Actors.Incidents;
using Guardian.Actors.Persistence;

namespace Guardian.Actors.Guards;

/// <summary>Routes by the name's SHA-256: a lock's text may hold any character.</summary>
internal sealed class GuardExtractor() : HashCodeMessageExtractor(GuardRegion.Shards)
{
    public override string? EntityId(object message) => message is IGuardMessage x ? IncidentKeys.Entity(x.Guard) : null;
}

/// <summary>The shard region of guards. An entity lives while it is asked; what it knows is in the journal.</summary>
internal static class GuardRegion
{
    public const string TypeName = "guardian-guards";

    /// <summary>Five per node at the cluster's planned size of ten; it can never change for a stored region.</summary>
    public const int Shards = 50;

    public static IActorRef Start(ActorSystem system, TimeProvider time) => ClusterSharding.Get(system).Start(
        TypeName,
        entity => GuardActor.Props(entity, time),
        GuardianSharding.Settings(system).WithRememberEntities(false),
        new GuardExtractor());
}
