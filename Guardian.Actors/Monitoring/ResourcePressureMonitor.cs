using System.Diagnostics.CodeAnalysis;
using Akka.Actor;
using Akka.Event;
using Guardian.Actors.Bus;
using Guardian.Actors.Incidents;
using Guardian.Actors.Resources;

namespace Guardian.Actors.Monitoring;

/// <summary>
/// Turns samples of the machine into incidents. Pressure is announced on the bus at once; the incident is told until it is
/// accepted; when the pressure is over an incident that nobody works on any more is closed. Goes on under a hold.
/// </summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "An actor ends in PostStop.")]
internal sealed class ResourcePressureMonitor : ReceiveActor, IWithTimers
{
    /// <summary>An end is told again this often until its incident says that it is over.</summary>
    private static readonly TimeSpan TellEnd = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan RegisterRetry = TimeSpan.FromSeconds(1);

    private readonly Links _links;
    private readonly ResourceMonitorState _state;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private ResourceSampling? _sampling;
    private IActorRef _release = ActorRefs.Nobody;
    private BusPort? _port;

    /// <summary>Whom the monitor works with.</summary>
    /// <param name="Incidents">Shard region of incidents.</param>
    /// <param name="Register">Gives the right to the bus, as Guardian's own principal; the port dies with the actor.</param>
    /// <param name="Sampler">Reads the machine.</param>
    /// <param name="Processes">Reads processes.</param>
    /// <param name="View">The latest sample, for others.</param>
    /// <param name="Time">The clock.</param>
    internal sealed record Links(IActorRef Incidents, Func<IActorRef, Task<BusPort>> Register, Func<IResourceSampler> Sampler, IProcessReader Processes, ResourceView View, TimeProvider Time)
    {
        /// <summary>Who holds what is given back when a pressure is over; null where nobody does.</summary>
        public PressureRelease.Links? Release { get; init; }
    }

    public ResourcePressureMonitor(Links links, ResourceMonitorState state)
    {
        (_links, _state) = (links, state);
        Receive<Sampled>(OnSampled);
        Receive<IncidentAccepted>(OnAccepted);
        Receive<IncidentOver>(OnOver);
        Receive<PortGiven>(x => _port = x.Port);
        Receive<PortRefused>(OnPortRefused);
        Receive<RegisterNow>(_ => Register());
        Receive<SendDue>(_ => Send());
        Receive<Look>(_ => LookForSilence());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <param name="links">Whom the monitor works with.</param>
    /// <param name="state">Kept by the parent, so that it outlives the actor.</param>
    public static Props Props(Links links, ResourceMonitorState state) => Akka.Actor.Props.Create(() => new ResourcePressureMonitor(links, state));

    protected override void PreStart()
    {
        _sampling = new ResourceSampling(_links.Sampler, _links.Processes, _links.View, _state.Detector.NextInterval, Self, _log);
        if (_links.Release is { } release) _release = Context.ActorOf(PressureRelease.Props(release, _state.Release).WithDispatcher(Context.Props.Dispatcher), "release");
        Register();
        Timers.StartPeriodicTimer(nameof(Look), Look.Instance, _state.Options.Interval.Value);
        ScheduleSend();
    }

    protected override void PostStop() => _sampling?.Dispose();

    private void Register() => _links.Register(Self).PipeTo(Self, success: x => new PortGiven(x), failure: e => new PortRefused(e.GetBaseException().Message));

    private void OnPortRefused(PortRefused refused)
    {
        _log.Warning("No right to the bus yet, so that '{0}' is not published: {1}", ResourceIncidents.LoadShedding, refused.Reason);
        Timers.StartSingleTimer(nameof(RegisterNow), RegisterNow.Instance, RegisterRetry);
    }

    private void OnSampled(Sampled sampled)
    {
        Context.System.EventStream.Publish(sampled); // for a recorder, where there is one
        if (sampled.Processes is { } processes) _state.Processes.Add(processes);
        foreach (var signal in _state.Detector.Observe(sampled.Sample)) OnSignal(signal, sampled.Sample);
        EndEarlier();
        if (!_state.Detector.NearLimit) _state.Processes.Clear();
        _links.View.Pressed = _state.Detector.Pressed;
        _release.Tell(new Calmness(sampled.Sample.Clock, _state.Detector.Calm));
        _sampling?.Pace(_state.Detector.NextInterval, _state.Detector.NearLimit);
    }

    /// <summary>What this node raised before it started again and nobody ended; where nothing is open, nothing comes of it.</summary>
    private void EndEarlier()
    {
        var ends = _state.Detector.EndsOfEarlier();
        foreach (var end in ends) _state.Ends[end.Key] = end;
        if (ends.Count > 0) Send();
    }

    private void LookForSilence()
    {
        var now = _links.Time.GetUtcNow();
        foreach (var signal in _state.Detector.Silence(_links.Time.GetElapsedTime(0, _links.Time.GetTimestamp()), now)) OnSignal(signal, null);
    }

    private void OnSignal(ResourceSignal signal, ResourceSample? sample)
    {
        _log.Warning("{0}: {1} {2} ({3} of {4})", signal.Key, signal.Type, signal.Change, signal.Gauge.Value?.ToString("F1", System.Globalization.CultureInfo.InvariantCulture) ?? "unknown", signal.Gauge.Source);
        if (signal.Type != ResourceIncidents.SensorFailure) Announce(signal);
        if (signal.Change == PressureChange.Left)
        {
            _state.Ends[signal.Key] = signal;
        }
        else
        {
            _state.Ends.Remove(signal.Key);
            _state.Raises.Detected(ResourceIncidents.Raise(signal, _state.Node, sample, Evidence(signal, sample)));
        }

        Send();
    }

    /// <summary>To whoever sheds load by itself; the bus counts what it refuses.</summary>
    private void Announce(ResourceSignal signal)
    {
        var result = _port?.Publish(ResourceIncidents.LoadShedding, ResourceIncidents.Announcement(signal, _state.Node), "application/json");
        if (result is not { Accepted: true }) _log.Warning("'{0}' was not published: {1}", ResourceIncidents.LoadShedding, result?.Outcome.ToString() ?? "no right to the bus yet");
    }

    private IReadOnlyList<ProcessEvidence> Evidence(ResourceSignal signal, ResourceSample? sample)
    {
        if (sample?.Cores is not { } cores || signal.Resource is not ("cpu" or "memory")) return [];
        return [.. _state.Processes.Top(cores, _state.Options.TopProcesses, signal.Resource == "memory").Select(x => new ProcessEvidence(x, _links.Processes.CgroupOf(x.Process.Pid)))];
    }

    private void OnAccepted(IncidentAccepted accepted)
    {
        _state.Raises.Accepted(accepted, _links.Time.GetUtcNow());
        Send();
    }

    private void OnOver(IncidentOver over)
    {
        // Healed before the dwell: whoever sheds load by itself hears of the end too.
        if (_state.Detector.Over(over.Key, over.Episode) is { } left) Announce(left);
        _state.Raises.Over(over.Key, over.Episode);
        if (_state.Ends.TryGetValue(over.Key, out var end) && end.Episode == over.Episode) _state.Ends.Remove(over.Key);
    }

    private void Send()
    {
        foreach (var raise in _state.Raises.Due(_links.Time.GetUtcNow())) _links.Incidents.Tell(raise);
        foreach (var end in _state.Ends.Values.Where(x => !_state.Raises.Awaits(x.Key, x.Episode)))
        {
            _links.Incidents.Tell(new IncidentCleared
            {
                Key = end.Key, Episode = end.Episode, At = end.At,
                Reason = end.Type == ResourceIncidents.SensorFailure ? $"the {end.Subject} is back" : FormattableString.Invariant($"below {end.Leave} % for {_state.Options.Dwell}"),
            });
        }

        ScheduleSend();
    }

    private void ScheduleSend()
    {
        var wait = _state.Raises.NextDue() - _links.Time.GetUtcNow();
        if (_state.Ends.Count > 0 && !(wait < TellEnd)) wait = TellEnd;
        if (wait is { } time) Timers.StartSingleTimer(nameof(SendDue), SendDue.Instance, time > TimeSpan.FromMilliseconds(1) ? time : TimeSpan.FromMilliseconds(1));
    }

    private sealed record PortGiven(BusPort Port) : INoSerializationVerificationNeeded;

    private sealed record PortRefused(string Reason) : INoSerializationVerificationNeeded;

    private sealed record RegisterNow : INoSerializationVerificationNeeded
    {
        public static readonly RegisterNow Instance = new();
    }

    private sealed record SendDue : INoSerializationVerificationNeeded
    {
        public static readonly SendDue Instance = new();
    }

    private sealed record Look : INoSerializationVerificationNeeded
    {
        public static readonly Look Instance = new();
    }
}
