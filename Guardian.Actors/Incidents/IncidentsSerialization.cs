using System.Text.Json.Serialization;
using Guardian.Actors.Serialization;

namespace Guardian.Actors.Incidents;

/// <summary>Messages, events and the snapshot of incidents.</summary>
internal static class IncidentsSerialization
{
    public static SerializedRoom Room { get; } = new(IncidentsJson.Default,
    [
        (typeof(IncidentRaised), "incident-raised:v1"),
        (typeof(IncidentCleared), "incident-cleared:v1"),
        (typeof(CloseIncident), "close-incident:v1"),
        (typeof(DirectRun), "direct-run:v1"),
        (typeof(RequestRun), "request-run:v1"),
        (typeof(RunRequested), "run-requested:v1"),
        (typeof(IncidentAccepted), "incident-accepted:v1"),
        (typeof(IncidentOver), "incident-over:v1"),
        (typeof(IncidentAnswer), "incident-answer:v1"),
        (typeof(IncidentOpened), "incident-opened:v1"),
        (typeof(IncidentJoined), "incident-joined:v1"),
        (typeof(IncidentCounted), "incident-counted:v1"),
        (typeof(IncidentRunAssigned), "incident-run-assigned:v1"),
        (typeof(IncidentRunDeclined), "incident-run-declined:v1"),
        (typeof(IncidentSettled), "incident-settled:v1"),
        (typeof(IncidentState), "incident-state:v1"),
    ]);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(IncidentRaised))]
[JsonSerializable(typeof(IncidentCleared))]
[JsonSerializable(typeof(CloseIncident))]
[JsonSerializable(typeof(DirectRun))]
[JsonSerializable(typeof(RequestRun))]
[JsonSerializable(typeof(RunRequested))]
[JsonSerializable(typeof(IncidentAccepted))]
[JsonSerializable(typeof(IncidentOver))]
[JsonSerializable(typeof(IncidentAnswer))]
[JsonSerializable(typeof(IncidentOpened))]
[JsonSerializable(typeof(IncidentJoined))]
[JsonSerializable(typeof(IncidentCounted))]
[JsonSerializable(typeof(IncidentRunAssigned))]
[JsonSerializable(typeof(IncidentRunDeclined))]
[JsonSerializable(typeof(IncidentSettled))]
[JsonSerializable(typeof(IncidentState))]
internal sealed partial class IncidentsJson : JsonSerializerContext;
