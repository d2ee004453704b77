using Akka.Actor;
using Akka.Cluster.Sharding;
using Guardian.Actors.Persistence;

namespace Guardian.Actors.Notifications;

/// <summary>The shard region of outboxes: one entity per channel in the whole cluster.</summary>
internal static class OutboxRegion
{
    /// <summary>Type name of the region.</summary>
    public const string Name = "guardian-outbox";

    /// <summary>Channels are few; must never change, shards are remembered by number.</summary>
    private const int Shards = 8;

    /// <summary>
    /// Starts it, or answers the one that runs. Entities are remembered: after a crash what was not delivered goes on without anybody asking.
    /// </summary>
    public static IActorRef Start(ActorSystem system, OutboxDependencies deps) => ClusterSharding.Get(system).Start(
        Name,
        channel => Outbox.Props(channel, deps),
        GuardianSharding.Settings(system),
        new ByChannel());

    private sealed class ByChannel() : HashCodeMessageExtractor(Shards)
    {
        public override string? EntityId(object message) => (message as IOutboxMessage)?.Channel;
    }
}
