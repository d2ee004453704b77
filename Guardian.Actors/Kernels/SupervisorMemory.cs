namespace Guardian.Actors.Kernels;

/// <summary>What outlives a crash of the supervisor.</summary>
internal sealed class SupervisorMemory(KernelCatalog catalog, KernelDirectory directory, KernelLeases leases, KernelScales scales)
{
    private readonly Dictionary<string, KernelMemory> _kernels = new(StringComparer.Ordinal);
    private long _number;

    public KernelCatalog Catalog { get; } = catalog;

    public KernelDirectory Directory { get; } = directory;

    public KernelLeases Leases { get; } = leases;

    /// <summary>Definitions that are run now.</summary>
    public Dictionary<string, KernelDefinition> Running { get; } = new(StringComparer.Ordinal);

    /// <summary>Kernels whose dependencies have been ready.</summary>
    public HashSet<string> Begun { get; } = new(StringComparer.Ordinal);

    public bool Ending { get; set; }

    public long NextNumber() => ++_number;

    public KernelMemory Of(KernelDefinition kernel, long epoch) =>
        _kernels.TryGetValue(kernel.Name, out var known) ? known : _kernels[kernel.Name] = new KernelMemory(kernel, epoch, scales);

    /// <summary>It was told to end.</summary>
    public bool Retired(string name) => !_kernels.TryGetValue(name, out var kernel) || kernel.Retiring;

    public void Forget(string name)
    {
        _kernels.Remove(name);
        Running.Remove(name);
        Begun.Remove(name);
        Directory.Remove(name);
    }
}
