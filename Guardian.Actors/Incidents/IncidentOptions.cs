using Guardian.Playbooks.Model;

namespace Guardian.Actors.Incidents;

/// <summary><c>Guardian:Incidents</c>.</summary>
public sealed class IncidentOptions
{
    /// <summary>Open at once, those of one kind (the key's first segment) at most three quarters of it; the excess is counted and retried by its monitor. 1 to 100,000.</summary>
    public int MaxOpen { get; set; } = 1_000;

    /// <summary>
    /// An incident of the bus's access rules that escalated, or got no run, is over once its subject did nothing forbidden for so long: nobody else would
    /// ever say so, and it would hold its place for good. 1 min to 30 d.
    /// </summary>
    public Duration QuietAfter { get; set; } = TimeSpan.FromHours(1);
}
