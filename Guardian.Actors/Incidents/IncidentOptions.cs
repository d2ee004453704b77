namespace Guardian.Actors.Incidents;

/// <summary><c>Guardian:Incidents</c>.</summary>
public sealed class IncidentOptions
{
    /// <summary>Open at once; the excess is counted and retried by its monitor. 1 to 100,000.</summary>
    public int MaxOpen { get; set; } = 1_000;
}
