namespace Guardian.Actors.Resources;

/// <summary>
/// Where there is no <c>/proc</c> and <see cref="MonitoredResourceSampler"/> does not know the platform: disks, and memory as the runtime sees it, which counts a container's limit. The processor
/// of the whole machine cannot be read here, and is unknown.
/// </summary>
internal sealed class PortableResourceSampler(IReadOnlyList<DiskReader> disks, TimeProvider time) : IResourceSampler
{
    public ResourceSample Sample()
    {
        var at = time.GetUtcNow();
        var memory = GC.GetGCMemoryInfo(GCKind.Any);
        var known = memory.TotalAvailableMemoryBytes > 0 && memory.MemoryLoadBytes > 0; // set by the first collection
        return new ResourceSample
        {
            At = at,
            Clock = time.GetElapsedTime(0, time.GetTimestamp()),
            Cpu = Gauge.NotSupported(at),
            Memory = known
                ? new Gauge(Math.Clamp(100.0 * memory.MemoryLoadBytes / memory.TotalAvailableMemoryBytes, 0, 100), "GCMemoryInfo of the last collection", at)
                : Gauge.NotKnown("GCMemoryInfo", at, "no garbage collection yet"),
            MemoryBytes = known ? memory.TotalAvailableMemoryBytes : null,
            Disks = [.. disks.Select(x => x.Latest)],
        };
    }

    public void Dispose()
    {
        foreach (var disk in disks) disk.Dispose();
    }
}
