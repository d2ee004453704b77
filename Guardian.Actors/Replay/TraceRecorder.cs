using System.Threading.Channels;
using Akka.Actor;
using Akka.Cluster.Tools.PublishSubscribe;
using Akka.Event;
using Guardian.Actors.Bus;
using Guardian.Actors.Monitoring;

namespace Guardian.Actors.Replay;

/// <summary>
/// Writes down what the detectors are told. The files are written by a task beside it: a disk that hangs fills a bounded queue,
/// and what finds no room there is counted and dropped.
/// </summary>
internal sealed class TraceRecorder : ReceiveActor, IWithTimers
{
    private const int Queue = 1_000; // over a minute of a busy node

    private static readonly TimeSpan Resubscribe = TimeSpan.FromSeconds(5); // the mediator forgets its subscribers when it restarts

    private readonly IActorRef _mediator;
    private readonly TimeProvider _time;
    private readonly Func<TraceFiles> _files;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Channel<string> _lines = Channel.CreateBounded<string>(new BoundedChannelOptions(Queue) { SingleReader = true });
    private readonly HeartbeatTrace _hearts = new();
    private long _dropped;

    public TraceRecorder(IActorRef mediator, Func<TraceFiles> files, TimeProvider time)
    {
        (_mediator, _files, _time) = (mediator, files, time);
        Receive<Sampled>(x => Keep(new TraceLine { At = x.Sample.At, Resources = x.Sample }));
        Receive<ViolationDigest>(x => Keep(new TraceLine { At = _time.GetUtcNow(), Violations = x }));
        Receive<HeartbeatsLooked>(OnHeartbeats);
        Receive<SubscribeNow>(_ => _mediator.Tell(new Subscribe(ViolationDigest.Topic, Self)));
        Receive<SubscribeAck>(_ => { });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <param name="mediator">DistributedPubSub's mediator.</param>
    /// <param name="files">Made on the writing task.</param>
    /// <param name="time">Clock.</param>
    public static Props Props(IActorRef mediator, Func<TraceFiles> files, TimeProvider time) => Akka.Actor.Props.Create(() => new TraceRecorder(mediator, files, time));

    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe(Self, typeof(Sampled));
        Context.System.EventStream.Subscribe(Self, typeof(HeartbeatsLooked));
        Timers.StartPeriodicTimer("subscribe", SubscribeNow.Instance, TimeSpan.Zero, Resubscribe);
        var (reader, files, log) = (_lines.Reader, _files, _log);
        _ = Task.Run(() => WriteAsync(reader, files, log));
    }

    protected override void PostStop() => _lines.Writer.TryComplete();

    private void OnHeartbeats(HeartbeatsLooked looked)
    {
        var look = _hearts.Difference(looked.Samples, looked.Now);
        if (looked.Samples.Count > 0 || look.Gone.Count > 0) Keep(new TraceLine { At = _time.GetUtcNow(), Heartbeats = look });
    }

    private void Keep(TraceLine line)
    {
        if (!_lines.Writer.TryWrite(line.ToJson()) && _dropped++ % Queue == 0) _log.Warning("The trace's disk does not keep up: {0} lines are dropped so far", _dropped);
    }

    private static async Task WriteAsync(ChannelReader<string> lines, Func<TraceFiles> open, ILoggingAdapter log)
    {
        using var files = open();
        var failed = false;
        while (await lines.WaitToReadAsync().ConfigureAwait(false))
        {
            try
            {
                while (lines.TryRead(out var line)) files.Append(line);
                files.Flush();
                failed = false;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                if (!failed) log.Warning("The trace cannot be written, and goes on once it can: {0}", e.Message);
                failed = true;
            }
        }
    }

    private sealed record SubscribeNow : INoSerializationVerificationNeeded
    {
        public static readonly SubscribeNow Instance = new();
    }
}
