using System.Text.Json;
using Akka.Actor;
using Guardian.Playbooks.Execution;

namespace Guardian.Actors.Runs;

// All local: a run is a child of its incident.

/// <summary>What a run is started with; once it is in the journal only the ids are looked at.</summary>
internal sealed record RunOrder(
    string RunId, string Playbook, string Definition, string Because, bool ContainmentOnly,
    string IncidentId, string IncidentKey, string Node, JsonElement Incident);

/// <summary>From the incident: its fields have changed.</summary>
internal sealed record LiveIncident(JsonElement Fields) : INoSerializationVerificationNeeded;

/// <summary>An operator's word: approve or reject (the step, or whichever waits), or cancel. Answer: IncidentAnswer.</summary>
internal sealed record RunDirected(string Verb, string By, string Reason, string? Step = null) : INoSerializationVerificationNeeded;

/// <summary>To the incident: the run is over. Repeated until the incident stops the run.</summary>
internal sealed record RunFinished(string RunId, RunPhase Phase, string Reason) : INoSerializationVerificationNeeded
{
    /// <summary>Channels that the run told of the incident.</summary>
    public IReadOnlyList<string> Told { get; init; } = [];
}
