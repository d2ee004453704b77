using Guardian.Actors.Resources;
using Microsoft.Extensions.Time.Testing;

namespace Guardian.Tests.Resources;

/// <summary>A folder with <c>proc</c> and <c>sys</c> of a made-up machine: four cores, 8,000,000 kB.</summary>
internal sealed class MachineFixture : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("guardian-machine-").FullName;
    private readonly List<IDisposable> _open = [];

    public MachineFixture()
    {
        Ticks(busy: 1_000, idle: 9_000);
        Meminfo(total: 8_000_000, available: 6_000_000);
        Write("proc/self/cgroup", "0::/\n");
        Write("proc/self/mountinfo", "");
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public string Root => _root;

    public LinuxResourceSampler Sampler()
    {
        var sampler = new LinuxResourceSampler([], Time, _root);
        _open.Add(sampler);
        return sampler;
    }

    public void Write(string path, string text)
    {
        var file = Path.Combine(_root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }

    public void Delete(string path) => File.Delete(Path.Combine(_root, path));

    /// <summary>Clock ticks since boot, over all cores.</summary>
    public void Ticks(long busy, long idle) =>
        Write("proc/stat", $"cpu  {busy} 0 0 {idle} 0 0 0 0 0 0\ncpu0 1 0 0 1 0 0 0 0 0 0\ncpu1 1 0 0 1 0 0 0 0 0 0\ncpu2 1 0 0 1 0 0 0 0 0 0\ncpu3 1 0 0 1 0 0 0 0 0 0\nintr 1 2 3\n");

    public void Meminfo(long total, long available) =>
        Write("proc/meminfo", $"MemTotal:       {total} kB\nMemFree:        100 kB\nMemAvailable:   {available} kB\n");

    /// <summary>A container with a control-group namespace of its own: its group is the mount's root.</summary>
    public void ContainerV2(string cpuMax, string memoryMax)
    {
        Write("proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup rw\n");
        Write("sys/fs/cgroup/cpu.max", cpuMax + "\n");
        Write("sys/fs/cgroup/memory.max", memoryMax + "\n");
        UsedV2(0, 0, 0);
    }

    public void UsedV2(long microseconds, long memory, long inactiveFile, string group = "")
    {
        Write($"sys/fs/cgroup{group}/cpu.stat", $"usage_usec {microseconds}\nuser_usec 1\nsystem_usec 1\n");
        Write($"sys/fs/cgroup{group}/memory.current", $"{memory}\n");
        Write($"sys/fs/cgroup{group}/memory.stat", $"anon 1\nfile 2\ninactive_file {inactiveFile}\n");
    }

    /// <summary>A container without a namespace: paths are the host's, the mounts show the container's part.</summary>
    public void ContainerV1(long quota, long memoryLimit)
    {
        Write("proc/self/cgroup", "5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n0::/\n");
        Write("proc/self/mountinfo", """
            35 31 0:30 /docker/abc /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
            36 31 0:31 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
            """);
        Write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", $"{quota}\n");
        Write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
        Write("sys/fs/cgroup/memory/memory.limit_in_bytes", $"{memoryLimit}\n");
        UsedV1(0, 0, 0);
    }

    public void UsedV1(long nanoseconds, long memory, long inactiveFile)
    {
        Write("sys/fs/cgroup/cpu,cpuacct/cpuacct.usage", $"{nanoseconds}\n");
        Write("sys/fs/cgroup/memory/memory.usage_in_bytes", $"{memory}\n");
        Write("sys/fs/cgroup/memory/memory.stat", $"cache 5\ninactive_file 1\ntotal_inactive_file {inactiveFile}\n");
    }

    public void Dispose()
    {
        foreach (var item in _open) item.Dispose();
        Directory.Delete(_root, recursive: true);
    }
}
