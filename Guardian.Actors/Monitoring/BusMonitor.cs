using Akka.Actor;
using Akka.Event;
using Guardian.Actors.Bus;
using Guardian.Actors.Incidents;

namespace Guardian.Actors.Monitoring;

/// <summary>Asks the bus once a second how it is; an incident is told until it is accepted, its end until that is.</summary>
internal sealed class BusMonitor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    private readonly Links _links;
    private readonly BusMonitorState _state;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private BusHealth? _answer;
    private bool _asked;

    /// <param name="Bus">The node's bus.</param>
    /// <param name="Incidents">Shard region of incidents.</param>
    /// <param name="Time">The clock.</param>
    internal sealed record Links(IActorRef Bus, IActorRef Incidents, TimeProvider Time);

    public BusMonitor(Links links, BusMonitorState state)
    {
        (_links, _state) = (links, state);
        Receive<Look>(_ => OnLook());
        Receive<BusHealth>(x => _answer = x);
        Receive<IncidentAccepted>(x => _state.Signals.Accepted(x, _links.Time.GetUtcNow()));
        Receive<IncidentOver>(_state.Over);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(Links links, BusMonitorState state) => Akka.Actor.Props.Create(() => new BusMonitor(links, state));

    protected override void PreStart() => Timers.StartPeriodicTimer(nameof(Look), Look.Instance, Every);

    private void OnLook()
    {
        var now = _links.Time.GetUtcNow();
        if (_asked)
        {
            var seen = _answer is { } x ? new SeenBus(x.Healthy, x.Restarts, x.Parked, x.Queued) : null;
            if (_state.Detector.Observe(seen, now) is { } signal)
            {
                _log.Warning("{Key}: {Reason}", signal.Key, signal.Reason);
                _state.Signals.Take(signal);
            }

            if (_state.Detector.EndOfEarlier(now) is { } end) _state.Signals.Take(end);
        }

        // The next look judges the answer to this question.
        _answer = null;
        _asked = true;
        _links.Bus.Tell(GetBusHealth.Instance);
        foreach (var message in _state.Signals.Due(now)) _links.Incidents.Tell(message);
    }

    private sealed record Look : INoSerializationVerificationNeeded
    {
        public static readonly Look Instance = new();
    }
}

/// <summary>Outlives a crash of the monitor.</summary>
internal sealed class BusMonitorState(BusMonitorOptions options, string node, DateTimeOffset startedAt)
{
    public BusDetector Detector { get; } = new(options, node, $"{node}-bus-{startedAt.UtcTicks:x}");

    public SignalBook Signals { get; } = new(node);

    public void Over(IncidentOver over)
    {
        Detector.Over(over.Key, over.Episode);
        Signals.Over(over);
    }
}
