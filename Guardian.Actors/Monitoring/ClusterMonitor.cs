using Akka.Actor;
using Akka.Event;
using Guardian.Actors.Incidents;

namespace Guardian.Actors.Monitoring;

/// <summary>Looks at the cluster once a second; an incident is told until it is accepted, its end until that is.</summary>
internal sealed class ClusterMonitor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    private readonly Links _links;
    private readonly ClusterMonitorState _state;
    private readonly ILoggingAdapter _log = Context.GetLogger();

    /// <param name="Incidents">Shard region of incidents.</param>
    /// <param name="See">The cluster now; null while this node is no member.</param>
    /// <param name="Time">The clock.</param>
    internal sealed record Links(IActorRef Incidents, Func<SeenCluster?> See, TimeProvider Time);

    public ClusterMonitor(Links links, ClusterMonitorState state)
    {
        (_links, _state) = (links, state);
        Receive<Look>(_ => OnLook());
        Receive<IncidentAccepted>(x => _state.Signals.Accepted(x, _links.Time.GetUtcNow()));
        Receive<IncidentOver>(_state.Over);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(Links links, ClusterMonitorState state) => Akka.Actor.Props.Create(() => new ClusterMonitor(links, state));

    protected override void PreStart() => Timers.StartPeriodicTimer(nameof(Look), Look.Instance, Every);

    private void OnLook()
    {
        var now = _links.Time.GetUtcNow();
        if (_links.See() is { } seen)
        {
            foreach (var signal in _state.Detector.Observe(seen, now))
            {
                _log.Warning("{Key}: {Reason}", signal.Key, signal.Reason);
                _state.Signals.Take(signal);
            }

            foreach (var end in _state.Detector.EndsOfEarlier(seen, now)) _state.Signals.Take(end);
        }

        foreach (var message in _state.Signals.Due(now)) _links.Incidents.Tell(message);
    }

    private sealed record Look : INoSerializationVerificationNeeded
    {
        public static readonly Look Instance = new();
    }
}

/// <summary>Outlives a crash of the monitor.</summary>
internal sealed class ClusterMonitorState(ClusterMonitorOptions options, string node, DateTimeOffset startedAt)
{
    public ClusterDetector Detector { get; } = new(node, $"{node}-{startedAt.UtcTicks:x}", options.DriftAfter);

    public SignalBook Signals { get; } = new(node);

    public void Over(IncidentOver over)
    {
        Detector.Over(over.Key, over.Episode);
        Signals.Over(over);
    }
}
