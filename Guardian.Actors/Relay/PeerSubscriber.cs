using Guardian.Actors.Access;
using Guardian.Actors.Bus;

namespace Guardian.Actors.Relay;

/// <summary>
/// Another node as a subscriber. It never holds up a publisher: what does not fit into its queue is dropped for that node alone, and
/// the receiver sees the gap. Who may receive there is decided there.
/// </summary>
internal sealed class PeerSubscriber(string node, RelayOptions options, RelayMetrics metrics, Action<PeerSubscriber> wake) : Subscriber("node/" + node, null, isPeer: true)
{
    /// <summary>Of bodies in one batch; in base64 with everything around it well below a frame of 1 MiB.</summary>
    public const int BatchBytes = 384 * 1024;

    /// <summary>Messages in one batch.</summary>
    public const int BatchMessages = 256;

    /// <summary>Batches under way: enough to fill a connection, few enough to be lost with it.</summary>
    public const int Window = 8;

    private readonly Lock _lock = new();
    private readonly Queue<(long Sequence, BusMessage Message)> _queue = new();
    private long _sequence;
    private long _bytes;
    private bool _scheduled;

    public string Node => node;

    /// <summary>Batches not acknowledged yet. For the relay alone, as is what follows.</summary>
    public int UnderWay { get; set; }

    /// <summary>Timestamp of the last batch or acknowledgement.</summary>
    public long ProgressAt { get; set; }

    public int Waiting
    {
        get { lock (_lock) return _queue.Count; }
    }

    public override bool Allows(AccessPolicy policy, string topic) => true;

    public override bool TryReserve(int bound) => true;

    public override void Deliver(BusMessage message)
    {
        bool first;
        lock (_lock)
        {
            var sequence = ++_sequence;
            if (_queue.Count >= options.Queue || _bytes + message.Body.Length > options.QueueBytes)
            {
                metrics.Dropped();
                return;
            }

            _queue.Enqueue((sequence, message));
            _bytes += message.Body.Length;
            first = !_scheduled;
            _scheduled = true;
        }

        if (first) wake(this);
    }

    public override bool DeliverDropping(BusMessage message, int bound)
    {
        Deliver(message);
        return false; // counted by the relay
    }

    /// <summary>The next messages that fit into one batch; empty where there are none, and then the next message wakes the relay again.</summary>
    public IReadOnlyList<RelayedMessage> Take()
    {
        lock (_lock)
        {
            var taken = new List<RelayedMessage>(Math.Min(_queue.Count, BatchMessages));
            var bytes = 0;
            while (taken.Count < BatchMessages && _queue.TryPeek(out var next) && (taken.Count == 0 || bytes + next.Message.Body.Length <= BatchBytes))
            {
                _queue.Dequeue();
                bytes += next.Message.Body.Length;
                taken.Add(Of(next.Sequence, next.Message));
            }

            _bytes -= bytes;
            if (taken.Count == 0) _scheduled = false;
            return taken;
        }
    }

    protected override void OnClosed()
    {
        lock (_lock)
        {
            metrics.Dropped(_queue.Count);
            _queue.Clear();
            _bytes = 0;
        }
    }

    private static RelayedMessage Of(long sequence, BusMessage x) => new()
    {
        Sequence = sequence, Id = x.Id, Topic = x.Topic, Principal = x.Principal, Body = x.Body, ContentType = x.ContentType, At = x.At,
    };
}
