namespace Guardian.Actors.Resources;

/// <summary>The sampler and process reader that fit this platform.</summary>
internal static class ResourceSamplers
{
    /// <summary>Disks fill slowly compared with everything else.</summary>
    private static readonly TimeSpan DiskInterval = TimeSpan.FromSeconds(2);

    /// <param name="mounts">Paths whose disks are measured; the first is the data directory's.</param>
    /// <param name="time">Clock.</param>
    public static IResourceSampler Create(IEnumerable<string> mounts, TimeProvider time)
    {
        var disks = mounts.Distinct(StringComparer.Ordinal).Select(x => new DiskReader(x, DiskInterval, time)).ToList();
        return OperatingSystem.IsLinux() ? new LinuxResourceSampler(disks, time) : MonitoredResourceSampler.TryCreate(disks, time) ?? (IResourceSampler)new PortableResourceSampler(disks, time);
    }

    public static IProcessReader Processes(TimeProvider time) =>
        OperatingSystem.IsLinux() ? new LinuxProcessReader(time) : new NoProcessReader();

    private sealed class NoProcessReader : IProcessReader
    {
        private static NotSupportedException Unsupported => new("reading processes is not supported on this platform");

        public ProcessSnapshot Scan() => throw Unsupported;

        public ProcessEntry? Find(int pid) => throw Unsupported;

        public string? CgroupOf(int pid) => null;
    }
}
