using Guardian.Actors.Actions;
using Guardian.Actors.Leasekeeping;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Resources;

/// <summary>Measurements on demand, for probes and actions: each over a stretch of time of its own. Thread-safe.</summary>
internal sealed class ResourceMeter
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(100); // ten clock ticks of the kernel
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    /// <summary>Where no node runs: playbooks are only checked.</summary>
    public static ResourceMeter None { get; } = new() { Sampler = () => throw new InvalidOperationException("no node runs here"), Processes = null!, Time = TimeProvider.System };

    /// <summary>A new reader of the machine; disks need not be in it.</summary>
    public required Func<IResourceSampler> Sampler { get; init; }

    public required IProcessReader Processes { get; init; }

    public required TimeProvider Time { get; init; }

    /// <summary>Paths whose disks are measured.</summary>
    public IReadOnlyList<string> Mounts { get; init; } = [];

    /// <summary>The node's process kernels as they are now.</summary>
    public Func<IReadOnlyList<KernelTree>> Kernels { get; init; } = static () => [];

    /// <summary>The machine, with its processor averaged over so long from now.</summary>
    public async Task<ResourceSample> SampleAsync(TimeSpan over, CancellationToken cancellation)
    {
        using var sampler = Sampler();
        sampler.Sample();
        await Task.Delay(Checked(over), Time, cancellation).ConfigureAwait(false);
        var sample = sampler.Sample();
        return sample.Disks.Count > 0 ? sample : sample with { Disks = [.. Mounts.Select(x => DiskReader.Read(x, sample.At))] };
    }

    /// <summary>What every process uses over so long from now, and the later look at them.</summary>
    public async Task<(IReadOnlyList<ProcessUse> Uses, ProcessSnapshot Now, double Cores, long? Memory)> UseAsync(TimeSpan over, CancellationToken cancellation)
    {
        var before = Scan();
        var sample = await SampleAsync(over, cancellation).ConfigureAwait(false);
        var after = Scan();
        var cores = sample.Cores ?? throw new ActionFailedException("how many cores there are is not known, so that no share of them can be told: " + (sample.Cpu.Unknown ?? sample.Cpu.Source));
        return (ProcessUsage.Between(before, after, cores), after, cores, sample.MemoryBytes);
    }

    public ProcessSnapshot Scan()
    {
        try
        {
            return Processes.Scan();
        }
        catch (Exception e) when (e is NotSupportedException or IOException or UnauthorizedAccessException)
        {
            throw new ActionFailedException($"the processes cannot be read: {e.Message}", e);
        }
    }

    private static TimeSpan Checked(TimeSpan over) => over >= Shortest && over <= Longest
        ? over
        : throw new ActionFailedException($"over {new Duration(over)} cannot be measured; use {new Duration(Shortest)} to {new Duration(Longest)}");
}
