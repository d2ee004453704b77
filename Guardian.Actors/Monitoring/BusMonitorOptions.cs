using Guardian.Playbooks.Model;

namespace Guardian.Actors.Monitoring;

/// <summary><c>Guardian:Monitors:Bus</c>.</summary>
public sealed class BusMonitorOptions
{
    /// <summary>The bus may be silent or stuck for so long; then <c>message_bus.degraded</c> is raised. It is over when the bus was well for as long. 1 s to 10 min.</summary>
    public Duration UnhealthyFor { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>So many restarts within <see cref="RestartWindow"/> are no accident any more. 2 to 9: at the tenth within a minute its supervisor gives the bus up.</summary>
    public int Restarts { get; set; } = 5;

    /// <summary>Sliding. 1 s to 1 h.</summary>
    public Duration RestartWindow { get; set; } = TimeSpan.FromMinutes(1);
}
