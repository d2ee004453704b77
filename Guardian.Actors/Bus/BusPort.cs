using System.Threading.Channels;
using Akka.Actor;
using Guardian.Actors.Access;
using Guardian.Actors.Blacklisting;

namespace Guardian.Actors.Bus;

/// <summary>
/// The right to use the bus as one principal: a capability, handed out at registration, revoked when its owner
/// terminates. Ban, policy and limit are checked on the caller's thread; thread-safe.
/// </summary>
public sealed class BusPort
{
    private readonly BusState _state;
    private volatile bool _revoked;

    internal BusPort(string principal, BusState state)
    {
        Principal = principal;
        _state = state;
    }

    /// <summary>Who this port speaks for.</summary>
    public string Principal { get; }

    /// <summary>
    /// Publishes. Never blocks, never throws for a refusal. The body is not copied: do not change it afterwards.
    /// Each call is counted under exactly one outcome.
    /// </summary>
    public PublishResult Publish(string topic, ReadOnlyMemory<byte> body, string? contentType = null)
    {
        var result = TryPublish(topic, body, contentType);
        _state.Metrics.Count(result.Outcome);
        return result;
    }

    /// <summary>
    /// Delivers matching messages to an actor as <see cref="BusMessage"/>, in order per principal and topic, until it terminates.
    /// A topic that the policy denies is left out also where a wider pattern was allowed.
    /// </summary>
    public PublishResult Subscribe(string pattern, IActorRef subscriber)
    {
        ArgumentNullException.ThrowIfNull(subscriber);
        var result = MaySubscribe(pattern);
        if (!result.Accepted) return result;
        if (!_state.Subscriptions.TryAddActor(this, pattern, subscriber)) return Full();
        _state.Bus?.Tell(new MessageBus.WatchSubscriber(subscriber), ActorRefs.NoSender);
        if (_revoked) _state.Subscriptions.RemovePort(this); // revoked in the same moment
        return result;
    }

    /// <summary>Ends the actor's subscription to the pattern.</summary>
    public void Unsubscribe(string pattern, IActorRef subscriber) => _state.Subscriptions.RemoveActor(this, pattern, subscriber);

    /// <summary>Delivers matching messages to a bounded stream; dispose it to unsubscribe. Stream is null where refused.</summary>
    public (PublishResult Result, BusStream? Stream) OpenStream(string pattern)
    {
        var result = MaySubscribe(pattern);
        if (!result.Accepted) return (result, null);
        var subscriber = new StreamSubscriber(this);
        if (!_state.Subscriptions.TryAdd(subscriber, pattern)) return (Full(), null);
        if (_revoked) _state.Subscriptions.RemovePort(this);
        return (result, new BusStream(subscriber.Reader, () => _state.Subscriptions.Remove(subscriber)));
    }

    /// <summary>Whether a subscription to the pattern would be allowed now: no ban, no denial. No attempt, so never a violation.</summary>
    internal bool MayHear(string pattern) =>
        !_revoked && !_state.Bans.TryGet(Principal, out _) && _state.Policies.Current.Decide(Principal, pattern, BusOperation.Subscribe).Allowed;

    /// <summary>Ends the port and its subscriptions.</summary>
    internal void Revoke()
    {
        _revoked = true;
        _state.Subscriptions.RemovePort(this);
    }

    // The order is a promise: a malformed request is nobody's violation, and a banned principal learns nothing from the policy.
    private PublishResult TryPublish(string topic, ReadOnlyMemory<byte> body, string? contentType)
    {
        if (_revoked) return new PublishResult(PublishOutcome.Revoked);
        if (_state.Draining) return new PublishResult(PublishOutcome.Draining);
        if (!TopicNames.IsTopic(topic)) return new PublishResult(PublishOutcome.InvalidTopic);
        if (!ContentTypes.IsValid(contentType)) return new PublishResult(PublishOutcome.InvalidContentType);
        if (body.Length > _state.Options.MaxBodyBytes) return new PublishResult(PublishOutcome.TooLarge);
        var policy = _state.Policies.Current;
        if (_state.Bans.TryGet(Principal, out var ban)) return Banned(ban, policy, topic, BusOperation.Publish);
        var decision = policy.Decide(Principal, topic, BusOperation.Publish);
        return decision.Allowed ? Enqueue(policy, topic, body, contentType) : Denied(decision, policy, topic, BusOperation.Publish);
    }

    private PublishResult Enqueue(AccessPolicy policy, string topic, ReadOnlyMemory<byte> body, string? contentType)
    {
        var limits = _state.LimitsOf(policy);
        if (limits.Of(Principal) is { } own && !own.TryTake()) return Limited(own.Slice);
        var checkedLimits = false;
        while (true)
        {
            var state = _state.Topics.GetOrAdd(topic);
            var rules = state?.RulesOf(policy, limits) ?? limits.RulesOf(topic);
            if (!checkedLimits)
            {
                if (rules.Bucket is { } bucket && !bucket.TryTake()) return Limited(bucket.Slice);
                if (!rules.Control && _state.Limits.Refuses(topic, Principal, denial: false, out var retryAfter)) return Limited(retryAfter);
                checkedLimits = true;
            }

            var audience = state?.AudienceOf(policy, _state.Subscriptions) ?? _state.Subscriptions.Resolve(topic, policy);
            if (audience.Subscribers.Length == 0) return new PublishResult(PublishOutcome.Accepted, _state.NextMessageId());
            if (state is null) return Full(); // every topic in memory has messages waiting: overload, the publisher is told
            var refuse = rules.OnFull == OnFull.Refuse;
            if (refuse && !audience.TryReserve(rules.Bound)) return Full();
            var message = new BusMessage
            {
                Id = _state.NextMessageId(), Topic = topic, Principal = Principal, Body = body, ContentType = contentType, At = _state.Time.GetUtcNow(),
            };
            var enqueued = state.TryEnqueue(new Pending(message, audience, refuse ? 0 : rules.Bound), rules, out var dropped);
            if (dropped.Message is not null) _state.CountDropped(dropped);
            if (enqueued == Enqueued.Yes)
            {
                _state.Schedule(state);
                return new PublishResult(PublishOutcome.Accepted, message.Id);
            }

            if (refuse) audience.Release();
            if (enqueued == Enqueued.Full) return Full();
        }
    }

    private PublishResult MaySubscribe(string pattern)
    {
        if (_revoked) return new PublishResult(PublishOutcome.Revoked);
        if (_state.Draining) return new PublishResult(PublishOutcome.Draining);
        if (!TopicNames.IsPattern(pattern, out _)) return new PublishResult(PublishOutcome.InvalidTopic);
        var policy = _state.Policies.Current;
        if (_state.Bans.TryGet(Principal, out var ban)) return Banned(ban, policy, pattern, BusOperation.Subscribe);
        var decision = policy.Decide(Principal, pattern, BusOperation.Subscribe);
        return decision.Allowed ? new PublishResult(PublishOutcome.Accepted) : Denied(decision, policy, pattern, BusOperation.Subscribe);
    }

    private PublishResult Banned(ActiveBan ban, AccessPolicy policy, string topic, BusOperation operation)
    {
        _state.Violations.Blacklisted(Principal, topic, operation, policy);
        return new PublishResult(PublishOutcome.Blacklisted, Until: ban.Until);
    }

    private PublishResult Denied(AccessDecision decision, AccessPolicy policy, string topic, BusOperation operation)
    {
        if (_state.Limits.Refuses(topic, Principal, denial: true, out var retryAfter)) return Limited(retryAfter);
        var before = _state.Policies.AllowedBefore(Principal, topic, operation, _state.Time.GetTimestamp());
        _state.Violations.Denied(Principal, topic, operation, decision.RuleId, policy, before, _state.Time.GetUtcNow());
        return new PublishResult(PublishOutcome.AclDenied, Rule: decision.RuleId);
    }

    private static PublishResult Limited(TimeSpan retryAfter) => new(PublishOutcome.RateLimited, RetryAfter: retryAfter);

    // A queue drains in milliseconds; a client that waits for a second gives a slow subscriber time.
    private static PublishResult Full() => new(PublishOutcome.QueueFull, RetryAfter: TimeSpan.FromSeconds(1));
}

/// <summary>A bounded stream of messages; its reader completes when the port is revoked or the bus stops.</summary>
public sealed class BusStream(ChannelReader<BusMessage> reader, Action close) : IDisposable
{
    /// <summary>The messages.</summary>
    public ChannelReader<BusMessage> Reader { get; } = reader;

    /// <summary>Unsubscribes.</summary>
    public void Dispose() => close();
}
