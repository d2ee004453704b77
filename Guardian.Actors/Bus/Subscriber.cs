using System.Threading.Channels;
using Akka.Actor;
using Guardian.Actors.Access;

namespace Guardian.Actors.Bus;

/// <summary>Where messages go. One per port and actor, or per stream; a message that matches several of its patterns reaches it once.</summary>
internal abstract class Subscriber(string principal, BusPort? port, bool isPeer = false)
{
    private volatile bool _closed;

    public string Principal { get; } = principal;

    /// <summary>The port that subscribed; its end ends the subscription.</summary>
    public BusPort? Port { get; } = port;

    /// <summary>Another node, which is no subscriber of this one: what it gets is not counted as delivered.</summary>
    public bool IsPeer { get; } = isPeer;

    /// <summary>No more deliveries: unsubscribed, or its owner has terminated.</summary>
    public bool Closed => _closed;

    public void Close()
    {
        _closed = true;
        OnClosed();
    }

    /// <summary>Whether the policy lets it receive what is published on the topic.</summary>
    public virtual bool Allows(AccessPolicy policy, string topic) => policy.Decide(Principal, topic, BusOperation.Subscribe).Allowed;

    /// <summary>Claims room for one message before it is accepted; false when <paramref name="bound"/> messages wait already.</summary>
    public abstract bool TryReserve(int bound);

    /// <summary>Gives the room back when the message was not accepted after all.</summary>
    public virtual void Release()
    {
    }

    /// <summary>Hands over a message for which room was reserved.</summary>
    public abstract void Deliver(BusMessage message);

    /// <summary>Hands over a message without a reservation; true when another one, or this one, was dropped for it.</summary>
    public abstract bool DeliverDropping(BusMessage message, int bound);

    protected virtual void OnClosed()
    {
    }
}

/// <summary>An actor. Its backlog is its mailbox, which is measured, not reserved: the count may run over by the publishers in flight.</summary>
internal sealed class ActorSubscriber(BusPort port, IActorRef target) : Subscriber(port.Principal, port)
{
    // Counting a mailbox walks its segments; below half the bound a look at every eighth message is enough.
    private const int LookEvery = 8;

    private readonly ActorRefWithCell? _cell = target as ActorRefWithCell;
    private int _sinceLook;
    private volatile bool _crowded;

    public IActorRef Target { get; } = target;

    public override bool TryReserve(int bound)
    {
        if (_cell is null) return true; // no local mailbox to look at
        if (!_crowded && bound > 4 * LookEvery && ++_sinceLook % LookEvery != 0) return true;
        var waiting = _cell.Underlying?.NumberOfMessages ?? 0;
        _crowded = waiting >= bound / 2;
        return waiting < bound;
    }

    public override void Deliver(BusMessage message) => Target.Tell(message, ActorRefs.NoSender);

    public override bool DeliverDropping(BusMessage message, int bound)
    {
        // Nothing can be taken out of a mailbox. This message is the oldest that has not entered it.
        if (!TryReserve(bound)) return true;
        Deliver(message);
        return false;
    }
}

/// <summary>A stream. Its backlog is counted exactly: from the reservation at the publish until it is read.</summary>
internal sealed class StreamSubscriber : Subscriber
{
    private readonly Channel<BusMessage> _channel = Channel.CreateUnbounded<BusMessage>(new UnboundedChannelOptions { SingleReader = false });
    private int _waiting;

    public StreamSubscriber(BusPort port)
        : base(port.Principal, port) => Reader = new CountingReader(this);

    public ChannelReader<BusMessage> Reader { get; }

    public override bool TryReserve(int bound)
    {
        if (Interlocked.Increment(ref _waiting) <= bound || Closed) return true;
        Release();
        return false;
    }

    public override void Release() => Interlocked.Decrement(ref _waiting);

    public override void Deliver(BusMessage message)
    {
        if (!_channel.Writer.TryWrite(message)) Release();
    }

    public override bool DeliverDropping(BusMessage message, int bound)
    {
        var dropped = false;
        if (Interlocked.Increment(ref _waiting) > bound && _channel.Reader.TryRead(out _))
        {
            Release();
            dropped = true;
        }

        Deliver(message);
        return dropped;
    }

    protected override void OnClosed() => _channel.Writer.TryComplete();

    private sealed class CountingReader(StreamSubscriber owner) : ChannelReader<BusMessage>
    {
        private readonly ChannelReader<BusMessage> _inner = owner._channel.Reader;

        public override Task Completion => _inner.Completion;

        public override bool CanCount => true;

        public override int Count => _inner.Count;

        public override bool TryRead(out BusMessage item)
        {
            if (!_inner.TryRead(out item!)) return false;
            owner.Release();
            return true;
        }

        public override ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default) => _inner.WaitToReadAsync(cancellationToken);
    }
}
