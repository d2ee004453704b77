using Guardian.Actors.Access;
using Guardian.Actors.Bus;

namespace Guardian.Actors.Relay;

/// <summary>Hands what came from another node to this node's own subscribers, through the topic's queue.</summary>
internal sealed class RelayedDelivery(BusState bus)
{
    /// <summary>False where it could not be handed over: the node goes down, the message is malformed, or a queue is full.</summary>
    public bool Deliver(RelayedMessage relayed)
    {
        if (bus.Draining || !TopicNames.IsTopic(relayed.Topic) || relayed.Body.Length > bus.Options.MaxBodyBytes) return false;
        var policy = bus.Policies.Current;
        while (true)
        {
            if (bus.Topics.GetOrAdd(relayed.Topic) is not { } topic) return false;
            var rules = topic.RulesOf(policy, bus.LimitsOf(policy));
            var audience = topic.LocalAudienceOf(policy, bus.Subscriptions);
            if (audience.Subscribers.Length == 0) return true; // unsubscribed meanwhile, or not allowed: nobody misses it
            var refuse = rules.OnFull == OnFull.Refuse;
            if (refuse && !audience.TryReserve(rules.Bound)) return false;
            var enqueued = topic.TryEnqueue(new Pending(Of(relayed), audience, refuse ? 0 : rules.Bound), rules, out var dropped);
            if (dropped.Message is not null) bus.CountDropped(dropped);
            if (enqueued == Enqueued.Yes)
            {
                bus.Schedule(topic);
                return true;
            }

            if (refuse) audience.Release();
            if (enqueued == Enqueued.Full) return false;
        }
    }

    private static BusMessage Of(RelayedMessage x) => new()
    {
        Id = x.Id, Topic = x.Topic, Principal = x.Principal, Body = x.Body, ContentType = x.ContentType, At = x.At,
    };
}
