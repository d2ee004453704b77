using Guardian.Playbooks.Model;

namespace Guardian.Actors.Monitoring;

/// <summary><c>Guardian:Monitors:Cluster</c>.</summary>
public sealed class ClusterMonitorOptions
{
    /// <summary>Policies or playbooks of the nodes may differ for so long, while a change is brought out; then <c>config_drift</c> is raised. 1 s to 1 d.</summary>
    public Duration DriftAfter { get; set; } = TimeSpan.FromSeconds(30);
}
