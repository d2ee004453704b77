using System.Collections.Concurrent;
using System.Runtime.InteropServices;
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
    private const int CacheLine = 128; // two lines of 64 bytes: processors fetch pairs

    // The actor counts deliveries together, so that its core and the publishers' do not take the count from each other at each
    // message. Small bounds are counted exactly: a share of them would be felt.
    private const int CountTogether = 32;

    private readonly ConcurrentQueue<Pending> _queue = new();
    private volatile Audience? _audience;
    private volatile Audience? _localAudience;
    private volatile TopicRules? _rules;
    private Publishers _publishers;
    private Delivery _delivery;

    public string Topic { get; } = topic;

    /// <summary>Its actor; null until somebody subscribed gets a message.</summary>
    public volatile IActorRef? Actor;

    /// <summary>Published on since the last sweep.</summary>
    public volatile bool Used = true;

    /// <summary>Accepted and not yet delivered; up to a thirty-second part of the bound more while messages flow.</summary>
    public int Count => Math.Max(0, Volatile.Read(ref _publishers.Count));

    public bool Retired => Volatile.Read(ref _publishers.Count) < 0;

    public bool Scheduled
    {
        get
        {
            Interlocked.MemoryBarrier(); // after an enqueue a stale 1 must not be read
            return Volatile.Read(ref _publishers.Scheduled) == 1;
        }
    }

    /// <summary>When the actor was woken or last took a message; a timestamp.</summary>
    public long ProgressAt => Volatile.Read(ref _delivery.ProgressAt);

    public bool HasInFlight => _delivery.InFlight.Message is not null;

    public Audience AudienceOf(AccessPolicy policy, SubscriptionTable table)
    {
        var audience = _audience;
        if (audience is not null && audience.Version == table.Version && ReferenceEquals(audience.Policy, policy)) return audience;
        return _audience = table.Resolve(Topic, policy);
    }

    /// <summary>Without other nodes: what came from one goes to no other.</summary>
    public Audience LocalAudienceOf(AccessPolicy policy, SubscriptionTable table)
    {
        var audience = _localAudience;
        if (audience is not null && audience.Version == table.Version && ReferenceEquals(audience.Policy, policy)) return audience;
        return _localAudience = table.Resolve(Topic, policy, local: true);
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
        var count = Interlocked.Increment(ref _publishers.Count);
        if (count < 0)
        {
            Interlocked.Decrement(ref _publishers.Count);
            return Enqueued.Retired;
        }

        if (count > rules.Bound)
        {
            if (rules.OnFull == OnFull.Refuse || !_queue.TryDequeue(out dropped))
            {
                Interlocked.Decrement(ref _publishers.Count);
                return Enqueued.Full;
            }

            Interlocked.Decrement(ref _publishers.Count);
        }

        _queue.Enqueue(pending);
        return Enqueued.Yes;
    }

    /// <summary>True for the one caller that must wake the actor.</summary>
    public bool TrySchedule(long now)
    {
        if (Interlocked.CompareExchange(ref _publishers.Scheduled, 1, 0) != 0) return false;
        Volatile.Write(ref _delivery.ProgressAt, now);
        return true;
    }

    /// <summary>The actor has nothing left; true when something came in the same moment, so that it must go on.</summary>
    public bool Sleep(long now)
    {
        Interlocked.Exchange(ref _publishers.Scheduled, 0);
        return !_queue.IsEmpty && TrySchedule(now);
    }

    /// <summary>Ends the topic if it is idle. Whoever enqueues in the same moment wins.</summary>
    public bool TryRetire() => Interlocked.CompareExchange(ref _publishers.Count, RetiredMark, 0) == 0;

    /// <summary>The message being delivered, after a crash the same one, with the next subscriber to serve. For the actor alone.</summary>
    public bool TryNext(long now, out Pending pending)
    {
        if (!HasInFlight)
        {
            _delivery.Cursor = _delivery.ParkedAt = 0;
            if (!_queue.TryDequeue(out _delivery.InFlight))
            {
                _delivery.InFlight = default;
                pending = default;
                Settle();
                return false;
            }

            Volatile.Write(ref _delivery.ProgressAt, now);
        }

        pending = _delivery.InFlight;
        return true;
    }

    /// <summary>The next subscriber of the message in flight. Advanced before the delivery: one that crashes it is not tried twice.</summary>
    public bool TryNextSubscriber(out Subscriber subscriber)
    {
        var subscribers = _delivery.InFlight.Audience.Subscribers;
        subscriber = _delivery.Cursor < subscribers.Length ? subscribers[_delivery.Cursor++] : null!;
        return subscriber is not null;
    }

    /// <summary>The message in flight has reached everybody.</summary>
    public void Complete()
    {
        _delivery.InFlight = default;
        if (++_delivery.Completed >= Math.Min(CountTogether, (_rules?.Bound ?? 0) / CountTogether)) Settle();
    }

    private void Settle()
    {
        if (_delivery.Completed > 0) Interlocked.Add(ref _publishers.Count, -_delivery.Completed);
        _delivery.Completed = 0;
    }

    /// <summary>What was in flight when the actor crashed, once per crash, for parking.</summary>
    public bool TryTakeCrashed(out BusMessage message)
    {
        message = _delivery.InFlight.Message;
        var crashed = message is not null && _delivery.Cursor != _delivery.ParkedAt;
        _delivery.ParkedAt = _delivery.Cursor;
        return crashed;
    }

    /// <summary>What publishers write, on cache lines of its own.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 3 * CacheLine)]
    private struct Publishers
    {
        /// <summary>Waiting, in flight, or delivered and not yet settled; far below zero once retired.</summary>
        [FieldOffset(CacheLine)]
        public int Count;

        [FieldOffset(CacheLine + sizeof(int))]
        public int Scheduled;
    }

    /// <summary>What the actor writes at each message, on cache lines of its own.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 3 * CacheLine)]
    private struct Delivery
    {
        [FieldOffset(CacheLine)]
        public Pending InFlight;

        [FieldOffset(CacheLine + 24)]
        public int Cursor;

        [FieldOffset(CacheLine + 28)]
        public int ParkedAt;

        [FieldOffset(CacheLine + 32)]
        public int Completed;

        [FieldOffset(CacheLine + 40)]
        public long ProgressAt;
    }
}
