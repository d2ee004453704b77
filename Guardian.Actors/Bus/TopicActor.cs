using Akka.Actor;
using Akka.Event;

namespace Guardian.Actors.Bus;

/// <summary>
/// Hands a topic's messages to its subscribers, in batches. It owns nothing: queue and position are in <see cref="TopicState"/>,
/// so it goes on after a restart with the subscriber after the one that crashed it.
/// </summary>
internal sealed class TopicActor : ReceiveActor
{
    // Enough to make the mailbox's cost vanish, few enough to let other actors of the dispatcher run.
    private const int Batch = 256;

    // A few microseconds in all, more than a busy publisher needs for its next message.
    private const int LooksBeforeSleep = 16;

    private readonly BusState _bus;
    private readonly TopicState _topic;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private int _idle;

    public TopicActor(BusState bus, TopicState topic)
    {
        _bus = bus;
        _topic = topic;
        Receive<Drain>(OnDrain);
    }

    public static Props Props(BusState bus, TopicState topic) => Akka.Actor.Props.Create(() => new TopicActor(bus, topic));

    protected override void PreStart() => Self.Tell(Drain.Instance);

    protected override void PreRestart(Exception reason, object message)
    {
        // No base: there are no children, and PostStop has nothing to do. The crash was one subscriber's; the others still get the message.
        if (!_topic.TryTakeCrashed(out var crashed)) return;
        _bus.Park(Self.Path.ToStringWithoutAddress(), $"{crashed.Topic} {crashed.Id}", reason.Message);
        _log.Error(reason, "Delivery of {MessageId} on {Topic} crashed; parked for that subscriber", crashed.Id, crashed.Topic);
    }

    private void OnDrain(Drain _)
    {
        var now = _bus.Time.GetTimestamp();
        for (var i = 0; i < Batch; i++)
        {
            if (!_topic.TryNext(now, out var pending))
            {
                // Before it sleeps it looks again a few times: to wake it for each message of a stream costs more than all the rest.
                _idle = i > 0 ? 0 : _idle + 1;
                if (_idle < LooksBeforeSleep || _topic.Sleep(now)) Self.Tell(Drain.Instance);
                return;
            }

            while (_topic.TryNextSubscriber(out var subscriber)) Deliver(pending, subscriber);
            _topic.Complete();
        }

        Self.Tell(Drain.Instance);
    }

    private void Deliver(in Pending pending, Subscriber subscriber)
    {
        var policy = _bus.Policies.Current;
        var allowed = ReferenceEquals(policy, pending.Audience.Policy) || subscriber.Allows(policy, pending.Message.Topic);
        if (subscriber.Closed || !allowed)
        {
            if (pending.Bound == 0) subscriber.Release();
            return;
        }

        if (!subscriber.IsPeer) _bus.Metrics.Delivered.Add(); // less what is dropped: a stream gives back one that it was handed before
        if (pending.Bound == 0) subscriber.Deliver(pending.Message);
        else if (subscriber.DeliverDropping(pending.Message, pending.Bound)) CountDropped();
    }

    private void CountDropped()
    {
        _bus.Metrics.Dropped.Add();
        _bus.Metrics.Delivered.Add(-1);
    }

    internal sealed record Drain : INoSerializationVerificationNeeded
    {
        public static readonly Drain Instance = new();
    }
}
