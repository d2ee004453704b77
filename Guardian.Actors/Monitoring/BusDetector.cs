using System.Globalization;
using System.Text.Json.Nodes;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Monitoring;

/// <summary>What the bus said of itself.</summary>
/// <param name="Healthy">False where a queue with messages in it does not move.</param>
/// <param name="Restarts">Restarts since the node started, crashes and commands.</param>
/// <param name="Parked">Messages that crashed their handler.</param>
/// <param name="Queued">Messages accepted and not yet delivered.</param>
internal sealed record SeenBus(bool Healthy, long Restarts, int Parked, long Queued);

/// <summary>
/// A bus that does not answer or does not move for <c>UnhealthyFor</c>, or that restarts <c>Restarts</c> times within <c>RestartWindow</c>;
/// over once it was well for <c>UnhealthyFor</c>. One restart is supervision at work and no incident. Trouble that outlasts its incident is raised
/// again after <see cref="OutlastingTrouble.Pause"/>. Pure.
/// </summary>
internal sealed class BusDetector(BusMonitorOptions options, string node, string incarnation)
{
    /// <summary>What its incident is about; which node's is said by the incident's node.</summary>
    public const string Subject = "bus";

    private readonly Queue<DateTimeOffset> _restarts = [];
    private long? _known;
    private DateTimeOffset? _sickSince;
    private DateTimeOffset? _wellSince;
    private readonly OutlastingTrouble _outlasting = new();
    private MonitorSignal? _raised;
    private bool _spoke;
    private DateTimeOffset _lastLook;
    private long _number;

    private string Key => BuiltInIncidents.BusKey(node);

    /// <param name="seen">Null where the bus has not answered since the last look.</param>
    /// <param name="now">UTC.</param>
    /// <returns>What has changed since the last look; null where nothing has.</returns>
    public MonitorSignal? Observe(SeenBus? seen, DateTimeOffset now)
    {
        _lastLook = now;
        var restarted = Count(seen, now);
        var sick = seen is not { Healthy: true };
        _sickSince = sick ? _sickSince ?? now : null;
        _wellSince = sick || restarted ? null : _wellSince ?? now;
        var well = IsWell(now);
        if (well) _outlasting.Calm(Key);

        if (_raised is { } raised)
        {
            if (!well) return null;
            _raised = null;
            _restarts.Clear(); // those were this episode's
            return raised with { At = now, Entered = false, Reason = "the bus moves its messages again" };
        }

        if (Reason(seen, now) is not { } reason || _outlasting.Waits(Key, now)) return null;
        _spoke = true;
        return _raised = new MonitorSignal(Key, BuiltInIncidents.BusDegraded, Subject,
            string.Create(CultureInfo.InvariantCulture, $"{incarnation}-{++_number}"), _number, now, true, reason, Evidence(seen))
        {
            Severity = "high",
        };
    }

    /// <summary>
    /// The end of what a process before this one may have raised, once: when the bus was well for <c>UnhealthyFor</c> and nothing was raised since the
    /// start. Null otherwise. Called after <see cref="Observe"/>.
    /// </summary>
    public MonitorSignal? EndOfEarlier(DateTimeOffset now)
    {
        if (_spoke || !IsWell(now)) return null;
        _spoke = true;
        return new MonitorSignal(Key, BuiltInIncidents.BusDegraded, Subject, $"{incarnation}-start", 0, now, false, "the bus moves its messages", new Dictionary<string, JsonNode>());
    }

    /// <summary>The incident is over: where the trouble lasts, it is raised anew after the pause, as another episode.</summary>
    public void Over(string key, string episode)
    {
        if (_raised is not { } raised || raised.Key != key || raised.Episode != episode) return;
        _raised = null;
        _restarts.Clear(); // those were this episode's
        _outlasting.Over(key, _lastLook);
    }

    private bool IsWell(DateTimeOffset now) => _wellSince is { } since && now - since >= options.UnhealthyFor;

    private bool Count(SeenBus? seen, DateTimeOffset now)
    {
        while (_restarts.TryPeek(out var oldest) && now - oldest >= options.RestartWindow) _restarts.Dequeue();
        if (seen is null) return false;
        var more = Math.Min(seen.Restarts - (_known ?? seen.Restarts), options.Restarts);
        _known = seen.Restarts;
        for (var i = 0; i < more; i++) _restarts.Enqueue(now);
        while (_restarts.Count > options.Restarts) _restarts.Dequeue();
        return more > 0;
    }

    private string? Reason(SeenBus? seen, DateTimeOffset now)
    {
        if (_sickSince is { } since && now - since >= options.UnhealthyFor)
            return seen is null ? $"the bus has not answered for {options.UnhealthyFor}" : $"a queue of the bus has not moved for {options.UnhealthyFor}";
        return _restarts.Count < options.Restarts ? null
            : string.Create(CultureInfo.InvariantCulture, $"the bus restarted {_restarts.Count} times within {options.RestartWindow}");
    }

    private Dictionary<string, JsonNode> Evidence(SeenBus? seen)
    {
        var fields = new Dictionary<string, JsonNode>(StringComparer.Ordinal) { ["restarts"] = _known ?? 0 };
        if (seen is null) return fields;
        fields["parked"] = seen.Parked;
        fields["queued"] = seen.Queued;
        return fields;
    }
}
