using Guardian.Playbooks.Model;

namespace Guardian.Actors.Monitoring;

/// <summary><c>Guardian:Monitors</c>.</summary>
public sealed class MonitorOptions
{
    /// <summary>Bus violations.</summary>
    public AclMonitorOptions Acl { get; set; } = new();

    /// <summary>Heartbeats of kernels.</summary>
    public HeartbeatMonitorOptions Heartbeats { get; set; } = new();

    /// <summary>Processor, memory and disks.</summary>
    public ResourceMonitorOptions Resources { get; set; } = new();

    /// <summary>Nodes and what they are configured with.</summary>
    public ClusterMonitorOptions Cluster { get; set; } = new();

    /// <summary>The bus itself.</summary>
    public BusMonitorOptions Bus { get; set; } = new();
}

/// <summary><c>Guardian:Monitors:Acl</c>.</summary>
public sealed class AclMonitorOptions
{
    /// <summary>Spam: so many violations within <see cref="SpamWindow"/>. 2 to 20 (a digest row carries 20 times).</summary>
    public int SpamViolations { get; set; } = 10;

    /// <summary>Sliding.</summary>
    public Duration SpamWindow { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Total by one principal, leaking evenly over <see cref="BlacklistWindow"/>. 2 to 100,000.</summary>
    public int BlacklistViolations { get; set; } = 20;

    /// <summary>Time in which a full bucket leaks empty.</summary>
    public Duration BlacklistWindow { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>On one control topic within <see cref="ControlTopicWindow"/>. 2 to 20.</summary>
    public int ControlTopicViolations { get; set; } = 5;

    /// <summary>Sliding.</summary>
    public Duration ControlTopicWindow { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Principals and topics watched at once, each; the least recently violating falls out and is counted. 1,000 to 1,000,000.</summary>
    public int TableSize { get; set; } = 20_000;

    /// <summary>Length of a monitor's local ban until the run's arrives. 1 s to 60 s.</summary>
    public Duration ProvisionalBan { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Provisional bans at once, as a share of the declared principals (at least 1). 0 to 100 %.</summary>
    public double ProvisionalBanCapPercent { get; set; } = 10;

    /// <summary>After a policy swap, denials of what was allowed before raise <c>policy.regression</c> and ban nobody for this long.</summary>
    public Duration PolicySwapGuard { get; set; } = TimeSpan.FromMinutes(10);
}
