using Guardian.Playbooks.Model;

namespace Guardian.Actors.Leasekeeping;

/// <summary><c>Guardian:Leasekeeper</c>.</summary>
public sealed class LeasekeeperOptions
{
    /// <summary>Whether the node starts its leasekeeper. Without it every effect on the operating system is refused as not supported.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Longest lease on the operating system; a longer one is refused. 1s to 1d.</summary>
    public Duration Longest { get; set; } = TimeSpan.FromHours(1);
}
