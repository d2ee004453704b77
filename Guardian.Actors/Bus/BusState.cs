using Akka.Actor;
using Guardian.Actors.Access;
using Guardian.Actors.Blacklisting;
using Guardian.Actors.Hosting;

namespace Guardian.Actors.Bus;

/// <summary>
/// Everything of the bus that must outlive its actors: subscriptions, queues, limits, counters, registrations. Handed to them
/// by <c>Props</c>, shared with the publishers' threads.
/// </summary>
internal sealed class BusState
{
    private readonly string _idPrefix;
    private readonly Lock _limitsSwap = new();
    private readonly Lock _parking = new();
    private readonly Queue<ParkedMessage> _parked = new();
    private volatile PolicyLimits _policyLimits;
    private long _lastId;
    private long _parkedEver;
    private long _restarts;
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private BusState(BusOptions options, PolicyStore policies, BanView bans, TimeProvider time, string nodeName, long incarnation)
    {
        Options = options;
        Policies = policies;
        Bans = bans;
        Time = time;
        NodeName = nodeName;
        Incarnation = incarnation;
        _idPrefix = $"{nodeName}-{incarnation:x}-";
        _policyLimits = new PolicyLimits(policies.Current, options.DefaultQueue);
        Topics = new TopicTable(options.MaxTopics, x => x.Actor?.Tell(PoisonPill.Instance));
        Subscriptions = new SubscriptionTable(options.MaxSubscriptions);
        Limits = new BusLimits(time);
        Violations = new ViolationTable(options.ViolationRows);
    }

    public BusOptions Options { get; }

    public PolicyStore Policies { get; }

    public BanView Bans { get; }

    public TimeProvider Time { get; }

    public string NodeName { get; }

    public long Incarnation { get; }

    public TopicTable Topics { get; }

    public SubscriptionTable Subscriptions { get; }

    public BusLimits Limits { get; }

    public BusMetrics Metrics { get; } = new();

    public ViolationTable Violations { get; }

    /// <summary>The MessageBus actor; null until it runs.</summary>
    public volatile IActorRef? Bus;

    /// <summary>True while publishes are refused: the node goes down, or starts and does not know yet whom it must refuse.</summary>
    public volatile bool Draining;

    /// <summary>Completes when the bus lets the first one in.</summary>
    public Task Opened => _opened.Task;

    /// <summary>Ports by their owner. For the MessageBus actor alone.</summary>
    public Dictionary<IActorRef, List<BusPort>> Registrations { get; } = [];

    /// <summary>Topics by their actor. For the MessageBus actor alone.</summary>
    public Dictionary<IActorRef, TopicState> TopicActors { get; } = [];

    /// <summary>What is known of the last restart on command. For the MessageBus actor alone.</summary>
    public CommandedRestart? LastRestart { get; set; }

    public long Restarts => Volatile.Read(ref _restarts);

    /// <summary>The latest messages that crashed their handler.</summary>
    public IReadOnlyList<ParkedMessage> Parked
    {
        get { lock (_parking) return [.. _parked]; }
    }

    /// <summary>With <paramref name="closed"/> everything is refused until <see cref="Open"/>.</summary>
    public static BusState Create(BusOptions options, PolicyStore policies, BanView bans, TimeProvider time, string nodeName, long incarnation, bool closed = false)
    {
        var state = new BusState(options, policies, bans, time, nodeName, incarnation) { Draining = closed };
        if (!closed) state.Open();
        return state;
    }

    /// <summary>The bans are known: from now on the policy decides.</summary>
    public void Open()
    {
        Draining = false;
        _opened.TrySetResult();
    }

    /// <summary>Node, incarnation and a number: unique without asking anybody.</summary>
    public string NextMessageId()
    {
        var number = Interlocked.Increment(ref _lastId);
        var digits = (67 - System.Numerics.BitOperations.LeadingZeroCount((ulong)number)) / 4;
        return string.Create(_idPrefix.Length + digits, (_idPrefix, number), static (text, id) =>
        {
            id._idPrefix.CopyTo(text);
            id.number.TryFormat(text[id._idPrefix.Length..], out _, "x", System.Globalization.CultureInfo.InvariantCulture);
        });
    }

    public PolicyLimits LimitsOf(AccessPolicy policy)
    {
        var limits = _policyLimits;
        if (ReferenceEquals(limits.Policy, policy)) return limits;
        lock (_limitsSwap)
        {
            // A publisher that still holds the replaced policy must not bring its buckets back.
            if (ReferenceEquals(_policyLimits.Policy, policy)) return _policyLimits;
            var fresh = new PolicyLimits(policy, Options.DefaultQueue);
            if (ReferenceEquals(policy, Policies.Current)) _policyLimits = fresh;
            return fresh;
        }
    }

    /// <summary>Wakes the topic's actor; the bus makes it where there is none.</summary>
    public void Schedule(TopicState topic)
    {
        if (topic.Scheduled || !topic.TrySchedule(Time.GetTimestamp())) return;
        if (topic.Actor is { } actor) actor.Tell(TopicActor.Drain.Instance, ActorRefs.NoSender);
        else Bus?.Tell(new MessageBus.StartTopic(topic), ActorRefs.NoSender);
    }

    /// <summary>Keeps what crashed a handler, at most <see cref="BusOptions.MaxParked"/>; all are counted.</summary>
    public void Park(string path, string message, string reason)
    {
        lock (_parking)
        {
            _parkedEver++;
            _parked.Enqueue(new ParkedMessage(path, message, reason, Time.GetUtcNow()));
            while (_parked.Count > Options.MaxParked) _parked.Dequeue();
        }
    }

    /// <summary>A message that <c>onFull: drop_oldest</c> took out of a queue.</summary>
    public void CountDropped(in Pending dropped)
    {
        Metrics.Dropped.Add(dropped.Audience.Subscribers.Length);
        if (dropped.Bound == 0) dropped.Audience.Release(); // accepted under a policy that refused
    }

    public void CountRestart() => Interlocked.Increment(ref _restarts);

    public long Queued => Topics.All.Sum(x => (long)x.Count);

    /// <summary>The way to other nodes; null where there is none.</summary>
    public Relay.RelayState? Relay { get; set; }

    public BusCounters Counters() => Metrics.Snapshot(Queued, Topics.Count, Subscriptions.Count, Restarts, Volatile.Read(ref _parkedEver)) with { Relay = Relay?.Counters() };
}

/// <summary>A restart that somebody asked for.</summary>
internal sealed class CommandedRestart(string key, long at, IActorRef asker)
{
    public string Key { get; } = key;

    public long At { get; } = at;

    /// <summary>Waits for the answer; null once it was given.</summary>
    public IActorRef? Asker { get; set; } = asker;
}
