namespace Guardian.Actors.Resources;

/// <summary>Reads the machine from <c>/proc</c> and <c>/sys/fs/cgroup</c>.</summary>
internal sealed class LinuxResourceSampler : IResourceSampler
{
    /// <summary>The largest file that is read, <c>/proc/stat</c>, has about 60 bytes per core before what is of interest ends.</summary>
    private const int BufferSize = 64 * 1024;

    private readonly byte[] _buffer = new byte[BufferSize];
    private readonly TimeProvider _time;
    private readonly CpuReader _cpu;
    private readonly MemoryReader _memory;
    private readonly PressureReader _cpuPressure;
    private readonly PressureReader _memoryPressure;
    private readonly PressureReader _ioPressure;
    private readonly IReadOnlyList<DiskReader> _disks;

    /// <param name="disks">Read by the caller; empty for none.</param>
    /// <param name="time">Clock.</param>
    /// <param name="root">Empty, or a folder that holds <c>proc</c> and <c>sys</c> of another machine.</param>
    public LinuxResourceSampler(IReadOnlyList<DiskReader> disks, TimeProvider time, string root = "")
    {
        (_disks, _time) = (disks, time);
        _cpu = new CpuReader(root);
        _memory = new MemoryReader(root);
        _cpuPressure = new PressureReader(root, "cpu");
        _memoryPressure = new PressureReader(root, "memory");
        _ioPressure = new PressureReader(root, "io");
    }

    public ResourceSample Sample()
    {
        var at = _time.GetUtcNow();
        var clock = _time.GetElapsedTime(0, _time.GetTimestamp());
        var (cpu, cores, hostCpu) = _cpu.Read(at, clock, _buffer);
        var (memory, bytes, hostMemory) = _memory.Read(at, _buffer);
        return new ResourceSample
        {
            At = at,
            Clock = clock,
            Cpu = cpu,
            Memory = memory,
            Cores = cores,
            MemoryBytes = bytes,
            HostCpu = hostCpu,
            HostMemory = hostMemory,
            CpuPressure = _cpuPressure.Read(at, _buffer),
            MemoryPressure = _memoryPressure.Read(at, _buffer),
            IoPressure = _ioPressure.Read(at, _buffer),
            Disks = _disks.Count == 0 ? [] : [.. _disks.Select(x => x.Latest)],
        };
    }

    public void Dispose()
    {
        _cpu.Dispose();
        _memory.Dispose();
        _cpuPressure.Dispose();
        _memoryPressure.Dispose();
        _ioPressure.Dispose();
        foreach (var disk in _disks) disk.Dispose();
    }
}
