using System.Collections.Concurrent;
using Akka.Actor;
using Guardian.Actors.Access;

namespace Guardian.Actors.Bus;

/// <summary>How a message entered a topic's queue, or why not.</summary>
internal enum Enqueued
{
    Yes,
    Full,

    /// <summary>The topic was removed as idle meanwhile; look it up again.</summary>
    Retired,
}

/// <summary>An accepted message with those who were subscribed when it was accepted.</summary>
/// <param name="Message">The message.</param>
/// <param name="Audience">Its subscribers.</param>
/// <param name="Bound">Of each subscriber's backlog; 0: room was reserved.</param>
internal readonly record struct Pending(BusMessage Message, Audience Audience, int Bound);

/// <summary>What the policy says about a topic.</summary>
internal sealed record TopicRules(AccessPolicy Policy, int Bound, OnFull OnFull, TokenBucket? Bucket, bool Control);

/// <summary>
/// A topic's queue. It lives outside of its actor, so it survives whatever happens to that actor. Publishers enqueue on their
/// own threads and wake the actor only when it sleeps; the actor alone takes out.
/// </summary>
internal sealed class TopicState(string topic)
{
    private const int RetiredMark = int.MinValue / 2;

    private readonly ConcurrentQueue<Pending> _queue = new();
    private int _count; // waiting and in flight; far below zero once retired
    private int _scheduled;
    private Pending _inFlight;
    private int _cursor;
    private int _parkedAt;
    private volatile Audience? _audience;
    private volatile TopicRules? _rules;
    private long _progressAt;

    public string Topic { get; } = topic;

    /// <summary>Its actor; null until somebody subscribed gets a message.</summary>
    public volatile IActorRef? Actor;

    /// <summary>Published on since the last sweep.</summary>
    public volatile bool Used = true;

    /// <summary>Accepted and not yet delivered.</summary>
    public int Count => Math.Max(0, Volatile.Read(ref _count));

    public bool Retired => Volatile.Read(ref _count) < 0;

    public bool Scheduled => Interlocked.CompareExchange(ref _scheduled, 1, 1) == 1; // a full fence: after an enqueue a stale 1 must not be read

    /// <summary>When the actor was woken or last took a message; a timestamp.</summary>
    public long ProgressAt => Volatile.Read(ref _progressAt);

    public bool HasInFlight => _inFlight.Message is not null;

    public Audience AudienceOf(AccessPolicy policy, SubscriptionTable table)
    {
        var audience = _audience;
        if (audience is not null && audience.Version == table.Version && ReferenceEquals(audience.Policy, policy)) return audience;
        return _audience = table.Resolve(Topic, policy);
    }

    public TopicRules RulesOf(AccessPolicy policy, PolicyLimits limits)
    {
        var rules = _rules;
        return rules is not null && ReferenceEquals(rules.Policy, policy) ? rules : _rules = limits.RulesOf(Topic);
    }

    /// <summary>Enqueues under the bound; with <see cref="OnFull.DropOldest"/> the oldest makes room and is returned.</summary>
    public Enqueued TryEnqueue(in Pending pending, TopicRules rules, out Pending dropped)
    {
        dropped = default;
        var count = Interlocked.Increment(ref _count);
        if (count < 0)
        {
            Interlocked.Decrement(ref _count);
            return Enqueued.Retired;
        }

        if (count > rules.Bound)
        {
            if (rules.OnFull == OnFull.Refuse || !_queue.TryDequeue(out dropped))
            {
                Interlocked.Decrement(ref _count);
                return Enqueued.Full;
            }

            Interlocked.Decrement(ref _count);
        }

        _queue.Enqueue(pending);
        return Enqueued.Yes;
    }

    /// <summary>True for the one caller that must wake the actor.</summary>
    public bool TrySchedule(long now)
    {
        if (Interlocked.CompareExchange(ref _scheduled, 1, 0) != 0) return false;
        Volatile.Write(ref _progressAt, now);
        return true;
    }

    /// <summary>The actor has nothing left; true when something came in the same moment, so that it must go on.</summary>
    public bool Sleep(long now)
    {
        Interlocked.Exchange(ref _scheduled, 0);
        return !_queue.IsEmpty && TrySchedule(now);
    }

    /// <summary>Ends the topic if it is idle. Whoever enqueues in the same moment wins.</summary>
    public bool TryRetire() => Interlocked.CompareExchange(ref _count, RetiredMark, 0) == 0;

    /// <summary>The message being delivered, after a crash the same one, with the next subscriber to serve. For the actor alone.</summary>
    public bool TryNext(long now, out Pending pending)
    {
        if (!HasInFlight)
        {
            _cursor = _parkedAt = 0;
            if (!_queue.TryDequeue(out _inFlight))
            {
                _inFlight = default;
                pending = default;
                return false;
            }

            Volatile.Write(ref _progressAt, now);
        }

        pending = _inFlight;
        return true;
    }

    /// <summary>The next subscriber of the message in flight. Advanced before the delivery: one that crashes it is not tried twice.</summary>
    public bool TryNextSubscriber(out Subscriber subscriber)
    {
        var subscribers = _inFlight.Audience.Subscribers;
        subscriber = _cursor < subscribers.Length ? subscribers[_cursor++] : null!;
        return subscriber is not null;
    }

    /// <summary>The message in flight has reached everybody.</summary>
    public void Complete()
    {
        _inFlight = default;
        Interlocked.Decrement(ref _count);
    }

    /// <summary>What was in flight when the actor crashed, once per crash, for parking.</summary>
    public bool TryTakeCrashed(out BusMessage message)
    {
        message = _inFlight.Message;
        var crashed = message is not null && _cursor != _parkedAt;
        _parkedAt = _cursor;
        return crashed;
    }
}
