using Guardian.Playbooks.Model;

namespace Guardian.Actors.Bus;

/// <summary><c>Guardian:Bus</c>.</summary>
public sealed class BusOptions
{
    /// <summary>Accepted messages waiting per topic and subscriber where the policy says nothing. 1 to 1,000,000.</summary>
    public int DefaultQueue { get; set; } = 1_000;

    /// <summary>Largest body in bytes. 1 to 262,144.</summary>
    public int MaxBodyBytes { get; set; } = 262_144;

    /// <summary>Decisions kept ready; the least recently used falls out. 1,000 to 10,000,000.</summary>
    public int DecisionCache { get; set; } = 65_536;

    /// <summary>Topics held in memory at once; idle ones fall out first. 1,000 to 1,000,000.</summary>
    public int MaxTopics { get; set; } = 100_000;

    /// <summary>Subscriptions at once; further ones are refused. 1 to 1,000,000.</summary>
    public int MaxSubscriptions { get; set; } = 100_000;

    /// <summary>Rows of violations held at the origin; when full the smallest falls out into the overflow count. 256 to 1,000,000.</summary>
    public int ViolationRows { get; set; } = 16_384;

    /// <summary>At most one restart on command within this time.</summary>
    public Duration RestartInterval { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Parked messages kept; the oldest falls out and is counted. 1 to 10,000.</summary>
    public int MaxParked { get; set; } = 100;
}
