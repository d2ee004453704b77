using Guardian.Actors.Resources;

namespace Guardian.Actors.Monitoring;

/// <summary>What the detector found in a sample.</summary>
internal sealed record ResourceSignal
{
    public required PressureChange Change { get; init; }

    /// <summary>Incident type.</summary>
    public required string Type { get; init; }

    public required string Key { get; init; }

    /// <summary>cpu, memory, disk; for a failed sensor which one, or sampler.</summary>
    public required string Resource { get; init; }

    /// <summary>E.g. <c>cpu of node-1</c>, <c>disk /data of node-1</c>.</summary>
    public required string Subject { get; init; }

    /// <summary>Unique per stretch of pressure.</summary>
    public required string Episode { get; init; }

    /// <summary>Number of this detection; grows.</summary>
    public required long Number { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>What was measured.</summary>
    public required Gauge Gauge { get; init; }

    public double Enter { get; init; }
    public double Leave { get; init; }
    public TimeSpan Sustained { get; init; }
}

/// <summary>How calm a resource is.</summary>
/// <param name="Key">Key of its incidents.</param>
/// <param name="Pressed">It is under pressure.</param>
/// <param name="Calm">How long it has been below <c>Leave</c> without a break; null where its value is not known.</param>
internal readonly record struct ResourceCalm(string Key, bool Pressed, TimeSpan? Calm);

/// <summary>
/// Decides from samples which resource is under pressure and which sensor failed. Time is the samples' own, so that a recorded
/// trace gives the same incidents. Pure; not thread-safe.
/// </summary>
/// <param name="options">Limits and times.</param>
/// <param name="node">This node.</param>
/// <param name="episodePrefix">Unique per start of the monitor.</param>
internal sealed class ResourceDetector(ResourceMonitorOptions options, string node, string episodePrefix)
{
    private readonly Dictionary<string, Watched> _watched = new(StringComparer.Ordinal);
    private readonly SensorRule _sampler = new(options.SensorFailure);
    private readonly List<ResourceSignal> _earlier = [];
    private bool _samplerSpoke;
    private string? _samplerEpisode;
    private long _number;
    private TimeSpan _lastClock;

    /// <summary>Signals raised so far, ends not counted.</summary>
    public long Detections => _number;

    /// <summary>True where a resource is near its limit: sample faster, look at processes.</summary>
    public bool NearLimit => _watched.Values.Any(x => x.Pressure.NearLimit);

    /// <summary>When the next sample is due.</summary>
    public TimeSpan NextInterval => NearLimit ? options.Interval.Value / 4 : options.Interval.Value;

    /// <summary>Keys under pressure now, or whose sensor failed.</summary>
    public IReadOnlyList<string> Pressed => [.. _watched.Where(x => x.Value.Pressure.Pressed).Select(x => x.Key)];

    /// <summary>How calm each resource is; one that the last sample had nothing of, such as a disk that is gone, is not known.</summary>
    public IReadOnlyList<ResourceCalm> Calm => [.. _watched.Values.Select(x => new ResourceCalm(x.Key, x.Pressure.Pressed, x.Pressure.CalmAt(_lastClock)))];

    /// <summary>Takes in a sample.</summary>
    public IReadOnlyList<ResourceSignal> Observe(ResourceSample sample)
    {
        var signals = new List<ResourceSignal>();
        _lastClock = sample.Clock;
        if (Sampler(sample.Clock, true, sample.At) is { } back) signals.Add(back);
        Look(sample, ResourceIncidents.CpuKey(node), ResourceIncidents.Cpu, "cpu", $"cpu of {node}", sample.Cpu, options.Cpu, signals);
        Look(sample, ResourceIncidents.MemoryKey(node), ResourceIncidents.Memory, "memory", $"memory of {node}", sample.Memory, options.Memory, signals);
        foreach (var disk in sample.Disks)
            Look(sample, ResourceIncidents.DiskKey(node, disk.Mount), ResourceIncidents.Disk, "disk", $"disk {disk.Mount} of {node}", disk.Used, options.Disk, signals);
        return signals;
    }

    /// <summary>
    /// Ends of what a process before this one may have raised, since the last call: of a pressure once its resource was below <c>Leave</c> for
    /// <c>Dwell</c>, of a failed sensor once it measures; of each key once, and only where this process raised nothing for it before. What is not known is not calm.
    /// </summary>
    public IReadOnlyList<ResourceSignal> EndsOfEarlier()
    {
        if (_earlier.Count == 0) return [];
        ResourceSignal[] ends = [.. _earlier];
        _earlier.Clear();
        return ends;
    }

    /// <summary>No sample came; called between them, so that a sampler that hangs is noticed.</summary>
    public IReadOnlyList<ResourceSignal> Silence(TimeSpan clock, DateTimeOffset at) =>
        clock - _lastClock > 2 * options.Interval.Value && Sampler(clock, false, at) is { } failed ? [failed] : [];

    /// <summary>The incident is over: what follows is a new episode. The end of the pressure where there was one, as its last sample saw it.</summary>
    public ResourceSignal? Over(string key, string episode)
    {
        ResourceSignal? left = null;
        if (key == ResourceIncidents.SensorKey(node, "sampler") && episode == _samplerEpisode) _sampler.Over();
        foreach (var watched in _watched.Values)
        {
            if (watched.SensorKey == key && watched.SensorEpisode == episode) watched.Sensor.Over();
            if (watched.Key != key || watched.Episode != episode) continue;
            if (watched.Pressure.Pressed) left = watched.Last! with { Change = PressureChange.Left };
            watched.Pressure.Over();
        }

        return left;
    }

    private void Look(ResourceSample sample, string key, string type, string resource, string subject, Gauge gauge, PressureThresholds limits, List<ResourceSignal> signals)
    {
        if (gauge.Unsupported) return;
        if (!_watched.TryGetValue(key, out var watched))
            _watched[key] = watched = new Watched(key, ResourceIncidents.SensorKey(node, key["resource/".Length..]), new PressureRule(limits, options), new SensorRule(options.SensorFailure));
        var value = gauge.ValueAt(sample.At, options.SensorFailure);
        if (watched.Sensor.Observe(sample.Clock, value is not null) is var sensor and not PressureChange.None)
        {
            if (sensor == PressureChange.Entered) watched.SensorEpisode = Episode();
            signals.Add(Signal(sensor, ResourceIncidents.SensorFailure, watched.SensorKey, resource, $"sensor of {subject}", watched.SensorEpisode, sample.At, gauge));
            watched.SensorSpoke = true;
        }

        if (!watched.SensorSpoke && value is not null)
        {
            watched.SensorSpoke = true;
            _earlier.Add(Signal(PressureChange.Left, ResourceIncidents.SensorFailure, watched.SensorKey, resource, $"sensor of {subject}", EarlierEpisode, sample.At, gauge));
        }

        var change = watched.Pressure.Observe(sample.Clock, value);
        watched.Spoke |= change != PressureChange.None;
        if (!watched.Spoke && watched.Pressure.CalmAt(sample.Clock) >= options.Dwell.Value)
        {
            watched.Spoke = true;
            _earlier.Add(Signal(PressureChange.Left, type, key, resource, subject, EarlierEpisode, sample.At, gauge) with { Enter = limits.Enter, Leave = limits.Leave });
        }

        if (watched.Last is { } last) watched.Last = last with { At = sample.At, Gauge = gauge };
        if (change == PressureChange.None) return;
        if (change == PressureChange.Entered) watched.Episode = Episode();
        watched.Last = Signal(change, type, key, resource, subject, watched.Episode, sample.At, gauge) with
        {
            Enter = limits.Enter, Leave = limits.Leave, Sustained = watched.Pressure.Sustained,
        };
        signals.Add(watched.Last);
    }

    private ResourceSignal? Sampler(TimeSpan clock, bool heard, DateTimeOffset at)
    {
        var change = _sampler.Observe(clock, heard);
        if (change == PressureChange.Entered) _samplerEpisode = Episode();
        if (!_samplerSpoke && heard) _earlier.Add(OfSampler(PressureChange.Left, EarlierEpisode, at));
        _samplerSpoke |= heard || change != PressureChange.None;
        return change == PressureChange.None ? null : OfSampler(change, _samplerEpisode!, at);
    }

    private ResourceSignal OfSampler(PressureChange change, string episode, DateTimeOffset at) => Signal(change, ResourceIncidents.SensorFailure,
        ResourceIncidents.SensorKey(node, "sampler"), "sampler", $"resource sampler of {node}", episode, at, Gauge.NotKnown("sampler", at, "no sample comes"));

    private string EarlierEpisode => $"{episodePrefix}-start";

    private string Episode() => $"{episodePrefix}-r{_number + 1}";

    private ResourceSignal Signal(PressureChange change, string type, string key, string resource, string subject, string episode, DateTimeOffset at, Gauge gauge) => new()
    {
        Change = change, Type = type, Key = key, Resource = resource, Subject = subject, Episode = episode, At = at, Gauge = gauge,
        Number = change == PressureChange.Left ? _number : ++_number,
    };

    private sealed class Watched(string key, string sensorKey, PressureRule pressure, SensorRule sensor)
    {
        public string Key { get; } = key;
        public string SensorKey { get; } = sensorKey;
        public PressureRule Pressure { get; } = pressure;
        public SensorRule Sensor { get; } = sensor;
        public string Episode { get; set; } = "";
        public string SensorEpisode { get; set; } = "";

        /// <summary>This process has told something of the pressure, were it only that it is over.</summary>
        public bool Spoke { get; set; }

        /// <summary>The same of the sensor.</summary>
        public bool SensorSpoke { get; set; }

        /// <summary>The latest signal, with the value that was measured since.</summary>
        public ResourceSignal? Last { get; set; }
    }
}
