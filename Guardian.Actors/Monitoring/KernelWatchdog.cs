using System.Globalization;
using Akka.Actor;
using Akka.Event;
using Guardian.Actors.Incidents;
using Guardian.Actors.Kernels;

namespace Guardian.Actors.Monitoring;

/// <summary>
/// Looks at the heartbeats and at kernels that crash in a loop, on a timer and threads of its own, and raises incidents until
/// they are accepted. It decides nothing: that is the <see cref="HeartbeatDetector"/>'s.
/// </summary>
internal sealed class KernelWatchdog : ReceiveActor, IWithTimers
{
    internal sealed record Links(IActorRef Incidents, HeartbeatBoard Hearts, IKernelDirectory Kernels, TimeProvider Time);

    private readonly Links _links;
    private readonly KernelWatchdogState _state;
    private readonly ILoggingAdapter _log = Context.GetLogger();

    public KernelWatchdog(Links links, KernelWatchdogState state)
    {
        (_links, _state) = (links, state);
        Receive<LookNow>(_ => Look());
        Receive<IncidentAccepted>(x => _state.Raises.Accepted(x, _links.Time.GetUtcNow()));
        Receive<IncidentOver>(OnOver);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>The state survives a crash of the actor.</summary>
    public static Props Props(Links links, KernelWatchdogState state) => Akka.Actor.Props.Create(() => new KernelWatchdog(links, state));

    protected override void PreStart() => Timers.StartSingleTimer("look", LookNow.Instance, _state.Options.Interval);

    private void Look()
    {
        Timers.StartSingleTimer("look", LookNow.Instance, _state.Options.Interval); // re-armed, so that looks never pile up
        var now = _links.Hearts.Now;
        var samples = _links.Hearts.Samples();
        Context.System.EventStream.Publish(new HeartbeatsLooked(samples, now)); // for a recorder, where there is one
        var findings = _state.Detector.Look(samples, now);
        if (findings.Doubts) _log.Warning("The watchdog of heartbeats was late itself and blames nobody ({0} times so far)", _state.Detector.Doubts);
        foreach (var sample in findings.Missed) OnMissed(sample, now - sample.LastBeat);
        foreach (var sample in findings.Heard) _log.Info("Kernel {0}/{1} is heard again", sample.Kernel, sample.Replica);
        foreach (var kernel in _links.Kernels.All) LookForLoop(kernel);
        foreach (var raise in _state.Raises.Due(_links.Time.GetUtcNow())) _links.Incidents.Tell(raise);
    }

    private void OnMissed(HeartbeatSample sample, TimeSpan silent)
    {
        _log.Warning("Kernel {0}/{1} (epoch {2}) was not heard for {3:F0} ms", sample.Kernel, sample.Replica, sample.Epoch, silent.TotalMilliseconds);
        _state.Raises.Detected(KernelIncidents.Missed(_state.Node, sample, _links.Kernels.Find(sample.Kernel), silent, _state.NextNumber(),
            _state.EpisodeOf(sample.Kernel), _links.Time.GetUtcNow()));
    }

    private void LookForLoop(KernelView kernel)
    {
        if (!_state.IsNewLoop(kernel.Name, kernel.CrashLoops)) return;
        _log.Warning("Kernel {0} crashes in a loop: {1}", kernel.Name, kernel.Reason ?? "unknown");
        _state.Raises.Detected(KernelIncidents.CrashLoop(_state.Node, kernel, _state.NextNumber(), _state.EpisodeOf(kernel.Name), _links.Time.GetUtcNow()));
    }

    private void OnOver(IncidentOver over)
    {
        _state.Raises.Over(over.Key, over.Episode);
        if (_state.End(over.Key, over.Episode) is { } kernel) _state.Detector.Over(kernel);
    }

    private sealed record LookNow : INoSerializationVerificationNeeded
    {
        public static readonly LookNow Instance = new();
    }
}

/// <summary>What the watchdog looked at.</summary>
internal sealed record HeartbeatsLooked(IReadOnlyList<HeartbeatSample> Samples, TimeSpan Now) : INoSerializationVerificationNeeded;

/// <summary>What outlives a crash of the watchdog.</summary>
internal sealed class KernelWatchdogState(HeartbeatMonitorOptions options, string node, DateTimeOffset startedAt)
{
    private readonly Dictionary<string, string> _episodes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _loops = new(StringComparer.Ordinal);
    private long _number;

    public HeartbeatMonitorOptions Options { get; } = options;

    public string Node { get; } = node;

    public HeartbeatDetector Detector { get; init; } = new(options.Interval, options.Tolerance);

    public RaiseBook Raises { get; } = new();

    public long NextNumber() => ++_number;

    /// <summary>The stretch of trouble with a kernel: from its first finding until its incident is over.</summary>
    public string EpisodeOf(string kernel) => _episodes.TryGetValue(kernel, out var known)
        ? known
        : _episodes[kernel] = string.Create(CultureInfo.InvariantCulture, $"{Node}/{startedAt.UtcTicks}/k{_number}");

    /// <summary>The kernel whose episode is over; null where it is another one.</summary>
    public string? End(string key, string episode)
    {
        if (_episodes.FirstOrDefault(x => x.Value == episode && KernelIncidents.Key(Node, x.Key) == key).Key is not { } kernel) return null;
        _episodes.Remove(kernel);
        return kernel;
    }

    /// <summary>True where this number of crash loops was not raised yet. A kernel that was replaced begins anew with none.</summary>
    public bool IsNewLoop(string kernel, long loops)
    {
        var known = _loops.GetValueOrDefault(kernel);
        if (loops == known) return false;
        _loops[kernel] = loops;
        return loops > 0;
    }
}
