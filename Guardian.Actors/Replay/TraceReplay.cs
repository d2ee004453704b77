using Guardian.Actors.Monitoring;

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

        if (line.Violations is { } digest)
            foreach (var detection in _acl.Observe(_ledger.Observe(digest), line.At).Detections)
                Raised(detection.Key, detection.Episode, detection.Type, detection.Subject, detection.At, $"{detection.Rule}; {detection.Violations} so far");
    }

    private void Add(ResourceSignal signal)
    {
        if (signal.Change == PressureChange.Left)
        {
            if (_episodes.TryGetValue((signal.Key, signal.Episode), out var at)) _incidents[at] = _incidents[at] with { Over = signal.At };
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
