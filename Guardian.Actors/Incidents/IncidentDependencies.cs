using Akka.Actor;
using Guardian.Actors.Runs;
using Guardian.Actors.Switches;

namespace Guardian.Actors.Incidents;

/// <summary>What an incident and its runs need of the node.</summary>
/// <param name="Playbooks">Playbooks in force.</param>
/// <param name="Open">The node's count of open incidents.</param>
/// <param name="Run">What its runs need.</param>
internal sealed record IncidentDependencies(PlaybookCatalog Playbooks, OpenIncidents Open, RunDependencies Run)
{
    /// <summary>Shard region of the outbox; channels that were told of an incident hear of its end there.</summary>
    public IActorRef Outbox { get; init; } = ActorRefs.Nobody;

    /// <summary>Playbooks that operators disabled.</summary>
    public SwitchView Switches { get; init; } = new();

    /// <summary>Numbers up to this may have been given to incidents that were pruned; null while that is not known.</summary>
    public Func<int?> NumberFloor { get; init; } = static () => 0;

    /// <summary>An escalated incident that only a detection would end is over once it was not seen for so long.</summary>
    public TimeSpan QuietAfter { get; init; } = TimeSpan.FromHours(1);

    public TimeProvider Time => Run.Time;
}
