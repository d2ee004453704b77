using System.Text.Json;
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
        Receive<IncidentAccepted>(x => _state.Raises.Accepted(x, _links.Time.GetUtcNow()));
        Receive<IncidentOver>(OnOver);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(Links links, ClusterMonitorState state) => Akka.Actor.Props.Create(() => new ClusterMonitor(links, state));

    protected override void PreStart() => Timers.StartPeriodicTimer(nameof(Look), Look.Instance, Every);

    private void OnLook()
    {
        var now = _links.Time.GetUtcNow();
        if (_links.See() is { } seen)
        {
            foreach (var signal in _state.Detector.Observe(seen, now)) OnSignal(signal);
        }

        foreach (var raise in _state.Raises.Due(now)) _links.Incidents.Tell(raise);
        foreach (var end in _state.Ends.Values) _links.Incidents.Tell(new IncidentCleared { Key = end.Key, Episode = end.Episode, At = end.At, Reason = end.Reason });
    }

    private void OnSignal(ClusterSignal signal)
    {
        _log.Warning("{0}: {1}", signal.Key, signal.Reason);
        if (!signal.Entered)
        {
            _state.Ends[signal.Key] = signal;
            return;
        }

        _state.Ends.Remove(signal.Key);
        _state.Raises.Detected(new IncidentRaised
        {
            Key = signal.Key, Type = signal.Type, Node = _state.Node, At = signal.At, Subject = signal.Subject, Detection = signal.Number, Episode = signal.Episode,
            Severity = signal.Type == ClusterDetector.Unreachable ? "high" : "medium",
            Evidence = Json(signal),
        });
    }

    private static JsonElement Json(ClusterSignal signal)
    {
        var fields = new System.Text.Json.Nodes.JsonObject { ["reason"] = signal.Reason };
        foreach (var (name, value) in signal.Evidence) fields[name] = value.ToString();
        return JsonDocument.Parse(fields.ToJsonString()).RootElement.Clone();
    }

    private void OnOver(IncidentOver over)
    {
        _state.Raises.Over(over.Key, over.Episode);
        if (_state.Ends.TryGetValue(over.Key, out var end) && end.Episode == over.Episode) _state.Ends.Remove(over.Key);
    }

    private sealed record Look : INoSerializationVerificationNeeded
    {
        public static readonly Look Instance = new();
    }
}

/// <summary>Outlives a crash of the monitor.</summary>
internal sealed class ClusterMonitorState(ClusterMonitorOptions options, string node, DateTimeOffset startedAt)
{
    public string Node { get; } = node;

    public ClusterDetector Detector { get; } = new(node, $"{node}-{startedAt.UtcTicks:x}", options.DriftAfter);

    public RaiseBook Raises { get; } = new();

    /// <summary>Ends that their incident has not confirmed, by key; at most one per node and kind.</summary>
    public Dictionary<string, ClusterSignal> Ends { get; } = new(StringComparer.Ordinal);
}
