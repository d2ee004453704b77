using Guardian.Actors.Resources;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Monitoring;

/// <summary><c>Guardian:Monitors:Resources</c>.</summary>
public sealed class ResourceMonitorOptions
{
    /// <summary>False: this node watches neither processor, memory nor disk. Probes and actions still measure.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Time between two samples; a quarter of it near a limit. 200 ms to 60 s.</summary>
    public Duration Interval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>A value must be at its limit for so long. A dip below the limit costs twice its length, one below <c>Leave</c> starts over.</summary>
    public Duration Sustained { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The pressure is over once the value was below <c>Leave</c> for so long without a break.</summary>
    public Duration Dwell { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// What runs restrict because of a pressure is given back before its leases end: the first kind of restriction once the value was below
    /// <c>Leave</c> for <see cref="Dwell"/>, each further one so long after the one before. A value that rises to <c>Leave</c> again stops it
    /// until the next dwell; a pressure that comes back soon after doubles that dwell, up to eight times.
    /// </summary>
    public Duration ReleaseEvery { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>After a pressure that is over, or an incident that was resolved, no new one for so long.</summary>
    public Duration Cooldown { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>A pressure that lasts is raised again this often, where it was at its limit for <see cref="Sustained"/> since, so that what was given back too early is contained anew.</summary>
    public Duration Repeat { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>A value that falls faster than this, percentage points a second over 3 s, raises nothing yet. 0.1 to 100.</summary>
    public double FallingVeto { get; set; } = 3;

    /// <summary>A value that is unknown, or as old, for so long is a failed sensor.</summary>
    public Duration SensorFailure { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Processor, percent of the quota where there is one, else of the machine.</summary>
    public PressureThresholds Cpu { get; set; } = new() { Enter = 80, Leave = 60 };

    /// <summary>Memory, percent of the limit where there is one, else of the machine.</summary>
    public PressureThresholds Memory { get; set; } = new() { Enter = 85, Leave = 75 };

    /// <summary>Each disk, percent.</summary>
    public PressureThresholds Disk { get; set; } = new() { Enter = 90, Leave = 80 };

    /// <summary>Paths whose disks are watched besides the data directory's.</summary>
    public IList<string> Mounts { get; set; } = [];

    /// <summary>Processes named in an incident's evidence. 0 to 20.</summary>
    public int TopProcesses { get; set; } = 5;

    /// <summary>Replaces the machine, in tests; set in code.</summary>
    internal Func<IResourceSampler>? Sampler { get; set; }
}

/// <summary>When a resource is under pressure.</summary>
public sealed class PressureThresholds
{
    /// <summary>Pressure at or above this, percent. Above <see cref="Leave"/>, at most 100.</summary>
    public double Enter { get; set; }

    /// <summary>Calm below this, percent. 0 or more.</summary>
    public double Leave { get; set; }
}
