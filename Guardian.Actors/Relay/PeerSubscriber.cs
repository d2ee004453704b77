using Guardian.Actors.Access;
using Guardian.Actors.Bus;

namespace Guardian.Actors.Relay;

/// <summary>
/// Another node as a subscriber. It never holds up a publisher: what does not fit into its queue is dropped for that node alone, and
/// the receiver sees the gap. Who may receive there is decided there.
/// </summary>
internal sealed class PeerSubscriber(string node, RelayOptions options, RelayMetrics metrics, Action<PeerSubscriber> wake) : Subscriber("node/" + node, null, isPeer: true)
{
    /// <summary>Of messages in one batch, by <see cref="SizeOf"/>; bodies in base64 are a third more, which is well below a frame of 1 MiB.</summary>
    public const int BatchBytes = 384 * 1024;

    /// <summary>Messages in one batch.</summary>
    public const int BatchMessages = 256;

    /// <summary>Batches under way: enough to fill a connection, few enough to be lost with it.</summary>
    public const int Window = 8;

    /// <summary>A character of JSON at most: <c>\uXXXX</c>.</summary>
    private const int CharacterBytes = 6;

    /// <summary>Names of the members, sequence, time and punctuation of one message; 140 at most.</summary>
    private const int MessageBytes = 192;

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
        var size = SizeOf(message);
        lock (_lock)
        {
            var sequence = ++_sequence;
            if (_queue.Count >= options.Queue || (_queue.Count > 0 && _bytes + size > options.QueueBytes))
            {
                metrics.Dropped();
                return;
            }

            _queue.Enqueue((sequence, message));
            _bytes += size;
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
            while (taken.Count < BatchMessages && _queue.TryPeek(out var next))
            {
                var size = SizeOf(next.Message);
                if (taken.Count > 0 && bytes + size > BatchBytes) break;
                _queue.Dequeue();
                bytes += size;
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

    /// <summary>A message without its base64's third, whatever its names are made of: a batch beyond the frame would be lost without a word.</summary>
    private static int SizeOf(BusMessage x) =>
        x.Body.Length + MessageBytes + (CharacterBytes * (x.Id.Length + x.Topic.Length + x.Principal.Length + (x.ContentType?.Length ?? 0)));

    private static RelayedMessage Of(long sequence, BusMessage x) => new()
    {
        Sequence = sequence, Id = x.Id, Topic = x.Topic, Principal = x.Principal, Body = x.Body, ContentType = x.ContentType, At = x.At,
    };
}
