using Guardian.Actors.Resources;

namespace Guardian.Actors.Monitoring;

/// <summary>What the monitor knows. It outlives a crash of the actor: pressure that has lasted must not begin anew.</summary>
internal sealed class ResourceMonitorState(ResourceMonitorOptions options, string node, DateTimeOffset startedAt)
{
    public ResourceMonitorOptions Options { get; } = options;

    public string Node { get; } = node;

    public ResourceDetector Detector { get; } = new(options, node, $"{node}-{startedAt.UtcTicks:x}");

    public RaiseBook Raises { get; } = new();

    /// <summary>Ends that their incident has not confirmed, by key; at most one per resource.</summary>
    public Dictionary<string, ResourceSignal> Ends { get; } = new(StringComparer.Ordinal);

    /// <summary>What of the shedding is given back next.</summary>
    public StagedRelease Release { get; } = new(options);

    public RecentProcesses Processes { get; } = new();
}

/// <summary>Who used what since a resource came near its limit: the first and the latest look at the processes. Pure.</summary>
internal sealed class RecentProcesses
{
    private ProcessSnapshot? _first;
    private ProcessSnapshot? _latest;

    public void Add(ProcessSnapshot snapshot)
    {
        if (_first is null) _first = snapshot;
        else _latest = snapshot;
    }

    public void Clear() => (_first, _latest) = (null, null);

    /// <summary>The greatest users; empty before the second look.</summary>
    public IReadOnlyList<ProcessUse> Top(double cores, int count, bool byMemory) =>
        _first is { } first && _latest is { } latest ? ProcessUsage.Top(ProcessUsage.Between(first, latest, cores), count, byMemory) : [];
}
