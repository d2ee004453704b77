using Guardian.Actors.Kernels;
using Guardian.Actors.Monitoring;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Replay;

/// <summary>
/// Feeds a recorded trace through the same detectors that a node runs, in the trace's own time, and tells which incidents would
/// have been raised. Nothing is healed in a replay: trouble lasts as long as it lasts in the trace. Pure.
/// </summary>
internal sealed class TraceReplay(MonitorOptions options)
{
    private readonly Dictionary<string, ResourceDetector> _resources = new(StringComparer.Ordinal);
    private readonly DigestLedger _ledger = new(options.Acl.TableSize * 4);
    private readonly AclDetector _acl = new(options.Acl, "replay");
    private readonly Dictionary<string, (HeartbeatTrace Trace, HeartbeatDetector Detector)> _hearts = new(StringComparer.Ordinal);
    private readonly List<ReplayedIncident> _incidents = [];
    private readonly Dictionary<(string Key, string Episode), int> _episodes = [];
    private string _node = "node";

    /// <summary>In the order in which they would have been raised.</summary>
    public IReadOnlyList<ReplayedIncident> Incidents => _incidents;

    /// <summary>Takes in the next line.</summary>
    public void Add(TraceLine line)
    {
        _node = line.Node ?? _node;
        if (line.Resources is { } sample)
        {
            if (!_resources.TryGetValue(_node, out var detector)) _resources[_node] = detector = new ResourceDetector(options.Resources, _node, "replay");
            foreach (var signal in detector.Observe(sample)) Add(signal);
        }

        if (line.Heartbeats is { } look) Add(look, line.At);
        if (line.Violations is { } digest)
            foreach (var detection in _acl.Observe(_ledger.Observe(digest, line.At), line.At).Detections)
                Raised(detection.Key, detection.Episode, detection.Type, detection.Subject, detection.At, $"{detection.Rule}; {detection.Violations} so far");
    }

    private void Add(HeartbeatLook look, DateTimeOffset at)
    {
        if (!_hearts.TryGetValue(_node, out var hearts))
            _hearts[_node] = hearts = (new HeartbeatTrace(), new HeartbeatDetector(options.Heartbeats.Interval, options.Heartbeats.Tolerance));
        var findings = hearts.Detector.Look(hearts.Trace.Apply(look), look.Now);
        foreach (var x in findings.Missed)
        {
            Raised(KernelIncidents.Key(_node, x.Kernel), Episode(x), BuiltInIncidents.HeartbeatMissed, x.Kernel, at,
                FormattableString.Invariant($"replica {x.Replica} was silent for {(look.Now - x.LastBeat).TotalMilliseconds:0} ms; it is missed after {x.MissAfter.TotalMilliseconds:0} ms"));
        }

        foreach (var x in findings.Heard) Over(KernelIncidents.Key(_node, x.Kernel), Episode(x), at);
    }

    private static string Episode(HeartbeatSample x) => FormattableString.Invariant($"{x.Replica}/{x.Epoch}");

    private void Over(string key, string episode, DateTimeOffset at)
    {
        if (_episodes.TryGetValue((key, episode), out var known)) _incidents[known] = _incidents[known] with { Over = at };
    }

    private void Add(ResourceSignal signal)
    {
        if (signal.Change == PressureChange.Left)
        {
            Over(signal.Key, signal.Episode, signal.At);
            return;
        }

        var because = signal.Gauge.Value is { } value && signal.Type != ResourceIncidents.SensorFailure
            ? FormattableString.Invariant($"{value:0.#} % of {signal.Gauge.Source}, at {signal.Enter} % or more for {signal.Sustained.TotalSeconds:0.#} s")
            : $"{signal.Gauge.Source}: {signal.Gauge.Unknown ?? "no newer value"}";
        Raised(signal.Key, signal.Episode, signal.Type, signal.Subject, signal.At, because);
    }

    private void Raised(string key, string episode, string type, string subject, DateTimeOffset at, string because)
    {
        if (_episodes.TryGetValue((key, episode), out var known))
        {
            _incidents[known] = _incidents[known] with { Occurrences = _incidents[known].Occurrences + 1 };
            return;
        }

        _episodes[(key, episode)] = _incidents.Count;
        _incidents.Add(new ReplayedIncident { At = at, Type = type, Key = key, Subject = subject, Occurrences = 1, Because = because });
    }
}
