namespace Guardian.Actors.Resources;

/// <summary>One measured value with where it comes from and when it was measured. Unknown is never zero.</summary>
/// <param name="Value">The value; null where it is not known.</param>
/// <param name="Source">What was read, e.g. <c>/proc/stat</c> or <c>cgroup v2 /app (0.5 cores)</c>.</param>
/// <param name="At">When it was measured, UTC; its age is the sample's time minus this.</param>
/// <param name="Unknown">Why it is not known; null where it is.</param>
internal readonly record struct Gauge(double? Value, string Source, DateTimeOffset At, string? Unknown = null)
{
    private const string NoSource = "none";

    /// <summary>The value, unless it is older than <paramref name="maxAge"/> at <paramref name="now"/>.</summary>
    public double? ValueAt(DateTimeOffset now, TimeSpan maxAge) => now - At > maxAge ? null : Value;

    /// <summary>True where this platform has no such sensor: there is nothing that could fail.</summary>
    public bool Unsupported => Source == NoSource;

    public static Gauge NotSupported(DateTimeOffset at) => new(null, NoSource, at, "not supported on this platform");

    public static Gauge NotKnown(string source, DateTimeOffset at, string why) => new(null, source, at, why);
}

/// <summary>How full a disk is.</summary>
/// <param name="Mount">The path that was asked about.</param>
/// <param name="Used">Percent of what Guardian's user may fill.</param>
/// <param name="FreeBytes">Bytes left; null where not known.</param>
internal sealed record DiskGauge(string Mount, Gauge Used, long? FreeBytes);

/// <summary>What one reading of the machine gave. Percentages are 0 to 100 of what this process may use.</summary>
internal sealed record ResourceSample
{
    /// <summary>When, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The same moment on a clock that never jumps, from an arbitrary origin. Rules count time by this alone.</summary>
    public required TimeSpan Clock { get; init; }

    /// <summary>Processor, percent of <see cref="Cores"/>, averaged since the sampler's last reading.</summary>
    public required Gauge Cpu { get; init; }

    /// <summary>Memory, percent of <see cref="MemoryBytes"/>, without what the system can reclaim at once.</summary>
    public required Gauge Memory { get; init; }

    public IReadOnlyList<DiskGauge> Disks { get; init; } = [];

    /// <summary>Cores that 100 % stand for: the quota where there is one, else those of the machine.</summary>
    public double? Cores { get; init; }

    /// <summary>Bytes that 100 % stand for.</summary>
    public long? MemoryBytes { get; init; }

    // Evidence: shown with an incident, never a reason for one.

    /// <summary>Processor of the whole machine, percent.</summary>
    public Gauge HostCpu { get; init; }

    /// <summary>Memory of the whole machine, percent.</summary>
    public Gauge HostMemory { get; init; }

    /// <summary>Share of the last 10 s in which somebody waited for a processor, percent (PSI <c>some avg10</c>).</summary>
    public Gauge CpuPressure { get; init; }

    /// <summary>The same for memory.</summary>
    public Gauge MemoryPressure { get; init; }

    /// <summary>The same for input and output.</summary>
    public Gauge IoPressure { get; init; }
}

/// <summary>Reads the machine. One instance belongs to one reader: processor use is averaged since its own last reading.</summary>
internal interface IResourceSampler : IDisposable
{
    /// <summary>Reads now. Never throws; what cannot be read is unknown. Not thread-safe.</summary>
    ResourceSample Sample();
}

/// <summary>A process as its kernel knows it; <see cref="Pid"/> and <see cref="StartTicks"/> together are its identity.</summary>
/// <param name="Pid">Process id; used again after the process ended.</param>
/// <param name="ParentPid">Its parent.</param>
/// <param name="StartTicks">Start, clock ticks since boot.</param>
/// <param name="Name">The executable's short name, at most 15 characters.</param>
/// <param name="CpuTicks">Processor time used so far, clock ticks.</param>
/// <param name="ResidentBytes">Memory in RAM.</param>
internal readonly record struct ProcessEntry(int Pid, int ParentPid, long StartTicks, string Name, long CpuTicks, long ResidentBytes);

/// <summary>All processes at one moment.</summary>
internal sealed record ProcessSnapshot(DateTimeOffset At, TimeSpan Clock, IReadOnlyList<ProcessEntry> Processes);

/// <summary>Reads processes.</summary>
internal interface IProcessReader
{
    /// <summary>All processes that can be seen.</summary>
    /// <exception cref="NotSupportedException">Not on this platform.</exception>
    ProcessSnapshot Scan();

    /// <summary>One process; null where it has ended.</summary>
    ProcessEntry? Find(int pid);

    /// <summary>Control group, as <c>/proc/&lt;pid&gt;/cgroup</c> names it; null where unknown.</summary>
    string? CgroupOf(int pid);
}

/// <summary>What a process used between two snapshots.</summary>
/// <param name="Process">At the later one.</param>
/// <param name="CpuPercent">Percent of the capacity (<see cref="ResourceSample.Cores"/>), the process alone.</param>
/// <param name="TreePercent">The same with all its descendants.</param>
/// <param name="TreeBytes">Resident memory with all its descendants.</param>
internal readonly record struct ProcessUse(ProcessEntry Process, double CpuPercent, double TreePercent, long TreeBytes);
