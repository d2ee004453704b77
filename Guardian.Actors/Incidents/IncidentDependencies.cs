using Guardian.Actors.Runs;

namespace Guardian.Actors.Incidents;

/// <summary>What an incident and its runs need of the node.</summary>
/// <param name="Playbooks">Playbooks in force.</param>
/// <param name="Open">The node's count of open incidents.</param>
/// <param name="Run">What its runs need.</param>
internal sealed record IncidentDependencies(PlaybookCatalog Playbooks, OpenIncidents Open, RunDependencies Run)
{
    public TimeProvider Time => Run.Time;
}
