using System.Text.Json;
using System.Text.Json.Nodes;
using Guardian.Actors.Incidents;

namespace Guardian.Actors.Monitoring;

/// <summary>Trouble began or ended.</summary>
/// <param name="Key">Key of its incident.</param>
/// <param name="Type">Type of its incident.</param>
/// <param name="Subject">What it is about.</param>
/// <param name="Episode">This stretch of trouble.</param>
/// <param name="Number">Number of the detection.</param>
/// <param name="At">When, UTC.</param>
/// <param name="Entered">True where it began.</param>
/// <param name="Reason">What was seen.</param>
/// <param name="Evidence">Further fields of the incident.</param>
internal sealed record MonitorSignal(string Key, string Type, string Subject, string Episode, long Number, DateTimeOffset At, bool Entered, string Reason, IReadOnlyDictionary<string, JsonNode> Evidence)
{
    /// <summary>low, medium, high or critical.</summary>
    public string Severity { get; init; } = "medium";
}

/// <summary>What a monitor has to tell: that trouble began, until the incident accepted it; that it is over, from then until the incident confirmed that. Pure.</summary>
internal sealed class SignalBook(string node)
{
    // At most one per key, and a monitor has few.
    private readonly Dictionary<string, MonitorSignal> _ends = new(StringComparer.Ordinal);
    private readonly RaiseBook _raises = new();

    public void Take(MonitorSignal signal)
    {
        if (!signal.Entered)
        {
            _ends[signal.Key] = signal;
            return;
        }

        _ends.Remove(signal.Key);
        var evidence = new JsonObject { ["reason"] = signal.Reason };
        foreach (var (name, value) in signal.Evidence) evidence[name] = value.DeepClone();
        _raises.Detected(new IncidentRaised
        {
            Key = signal.Key, Type = signal.Type, Node = node, At = signal.At, Subject = signal.Subject, Detection = signal.Number, Episode = signal.Episode,
            Severity = signal.Severity, TellsEnd = true, Evidence = JsonDocument.Parse(evidence.ToJsonString()).RootElement.Clone(),
        });
    }

    /// <summary>What must be told now.</summary>
    public IEnumerable<IIncidentMessage> Due(DateTimeOffset now)
    {
        foreach (var raise in _raises.Due(now)) yield return raise;
        foreach (var end in _ends.Values.Where(x => !_raises.Awaits(x.Key, x.Episode))) yield return new IncidentCleared { Key = end.Key, Episode = end.Episode, At = end.At, Reason = end.Reason };
    }

    public void Accepted(IncidentAccepted accepted, DateTimeOffset now) => _raises.Accepted(accepted, now);

    public void Over(IncidentOver over)
    {
        _raises.Over(over.Key, over.Episode);
        if (_ends.TryGetValue(over.Key, out var end) && end.Episode == over.Episode) _ends.Remove(over.Key);
    }
}
