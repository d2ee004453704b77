using Guardian.Actors.Resources;

namespace Guardian.Tests.Resources;

public sealed class LinuxResourceSamplerTests : IDisposable
{
    private const long MiB = 1024 * 1024;
    private readonly MachineFixture _machine = new();

    public void Dispose() => _machine.Dispose();

    private ResourceSample After(LinuxResourceSampler sampler, double seconds, Action change)
    {
        _machine.Time.Advance(TimeSpan.FromSeconds(seconds));
        change();
        return sampler.Sample();
    }

    [Fact]
    public void A_host_without_control_groups_is_measured_itself()
    {
        var sampler = _machine.Sampler();
        var first = sampler.Sample();
        first.Cpu.Value.Should().BeNull("one reading has nothing to compare with");
        first.Cpu.Unknown.Should().Contain("first");

        var sample = After(sampler, 1, () => _machine.Ticks(busy: 1_300, idle: 9_100));

        sample.Cpu.Value.Should().BeApproximately(75, 0.001);
        sample.Cpu.Source.Should().Be("/proc/stat");
        sample.Cores.Should().Be(4);
        sample.Memory.Value.Should().BeApproximately(25, 0.001);
        sample.MemoryBytes.Should().Be(8_000_000L * 1024);
        (sample.At, sample.Cpu.At).Should().Be((_machine.Time.GetUtcNow(), _machine.Time.GetUtcNow()));
        sample.Clock.Should().Be(first.Clock + TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void In_a_container_of_version_2_the_quota_counts_and_the_host_is_evidence()
    {
        _machine.ContainerV2("50000 100000", $"{256 * MiB}");
        var sampler = _machine.Sampler();
        sampler.Sample();

        var sample = After(sampler, 2, () =>
        {
            _machine.Ticks(busy: 1_040, idle: 9_760);
            _machine.UsedV2(microseconds: 900_000, memory: 240 * MiB, inactiveFile: 48 * MiB);
        });

        sample.Cpu.Value.Should().BeApproximately(90, 0.001, "0.9 s of the 1.0 s that half a core has in 2 s");
        sample.Cpu.Source.Should().Be("cgroup v2 /sys/fs/cgroup (0.5 cores)");
        sample.Cores.Should().Be(0.5);
        sample.HostCpu.Value.Should().BeApproximately(5, 0.001);
        sample.Memory.Value.Should().BeApproximately(75, 0.001, "what can be reclaimed at once is not in use");
        sample.Memory.Source.Should().Be("cgroup v2 /sys/fs/cgroup (256 MiB)");
        sample.MemoryBytes.Should().Be(256 * MiB);
        sample.HostMemory.Value.Should().BeApproximately(25, 0.001);
    }

    [Fact]
    public void In_a_container_of_version_1_the_quota_counts()
    {
        _machine.ContainerV1(quota: 150_000, memoryLimit: 512 * MiB);
        var sampler = _machine.Sampler();
        sampler.Sample();

        var sample = After(sampler, 1, () =>
        {
            _machine.Ticks(busy: 1_100, idle: 9_300);
            _machine.UsedV1(nanoseconds: 1_200_000_000, memory: 512 * MiB, inactiveFile: 128 * MiB);
        });

        sample.Cpu.Value.Should().BeApproximately(80, 0.001);
        sample.Cpu.Source.Should().Be("cgroup v1 /sys/fs/cgroup/cpu,cpuacct (1.5 cores)");
        sample.Cores.Should().Be(1.5);
        sample.Memory.Value.Should().BeApproximately(75, 0.001);
    }

    [Theory]
    [InlineData("max 100000")]
    [InlineData("400000 100000")]
    [InlineData("garbage")]
    [InlineData("50000")]
    [InlineData("50000 0")]
    public void No_quota_or_one_as_large_as_the_machine_leaves_the_host(string cpuMax)
    {
        _machine.ContainerV2(cpuMax, "max");
        var sampler = _machine.Sampler();
        sampler.Sample();

        var sample = After(sampler, 1, () => _machine.Ticks(busy: 1_200, idle: 9_200));

        (sample.Cpu.Value, sample.Cpu.Source, sample.Cores).Should().Be((50, "/proc/stat", 4));
        sample.Memory.Source.Should().Be("/proc/meminfo");
    }

    [Fact]
    public void A_quota_further_up_binds_and_the_fullest_counts()
    {
        _machine.ContainerV2("max 100000", "max");
        _machine.Write("proc/self/cgroup", "0::/app.slice/app.service\n");
        _machine.Write("sys/fs/cgroup/app.slice/cpu.max", "100000 100000\n");
        _machine.Write("sys/fs/cgroup/app.slice/app.service/cpu.max", "200000 100000\n");
        _machine.UsedV2(0, 0, 0, "/app.slice");
        _machine.UsedV2(0, 0, 0, "/app.slice/app.service");
        var sampler = _machine.Sampler();
        sampler.Sample();

        var sample = After(sampler, 1, () =>
        {
            _machine.Ticks(busy: 1_100, idle: 9_300);
            _machine.UsedV2(900_000, 0, 0, "/app.slice");
            _machine.UsedV2(500_000, 0, 0, "/app.slice/app.service");
        });

        sample.Cpu.Value.Should().BeApproximately(90, 0.001);
        sample.Cpu.Source.Should().Be("cgroup v2 /sys/fs/cgroup/app.slice (1 cores)");
    }

    [Fact]
    public void A_quota_whose_use_cannot_be_read_is_unknown_and_not_the_hosts_value()
    {
        _machine.ContainerV2("50000 100000", $"{256 * MiB}");
        _machine.Delete("sys/fs/cgroup/cpu.stat");
        _machine.Delete("sys/fs/cgroup/memory.current");
        var sampler = _machine.Sampler();
        sampler.Sample();

        var sample = After(sampler, 1, () => _machine.Ticks(busy: 1_100, idle: 9_300));

        sample.Cpu.Value.Should().BeNull();
        sample.Cpu.Unknown.Should().Contain("cpu.stat");
        sample.Memory.Value.Should().BeNull();
        sample.Memory.Unknown.Should().Contain("memory.current");
    }

    [Theory]
    [InlineData("proc/stat", "")]
    [InlineData("proc/stat", "cpu  a b c d\n")]
    [InlineData("proc/stat", "cpu  1 2 3\n")]
    [InlineData("proc/stat", "cpu  1 2 3 -4 5 6 7 8\n")]
    [InlineData("proc/meminfo", "MemTotal: 0 kB\nMemAvailable: 0 kB\n")]
    [InlineData("proc/meminfo", "MemTotal: lots\n")]
    [InlineData("proc/meminfo", "\0\u0001\u00ff")]
    public void Garbage_is_unknown_and_never_zero(string path, string text)
    {
        var sampler = _machine.Sampler();
        sampler.Sample();

        var sample = After(sampler, 1, () => _machine.Write(path, text));

        var gauge = path == "proc/stat" ? sample.Cpu : sample.Memory;
        gauge.Value.Should().BeNull();
        gauge.Unknown.Should().NotBeNullOrEmpty();
        (path == "proc/stat" ? sample.Memory : sample.HostMemory).Unknown.Should().Match(x => path != "proc/stat" || x == null);
    }

    [Fact]
    public void A_machine_that_goes_away_and_comes_back_is_measured_again()
    {
        var sampler = _machine.Sampler();
        sampler.Sample();
        _machine.Time.Advance(TimeSpan.FromSeconds(1));
        _machine.Write("proc/stat", "");
        sampler.Sample().Cpu.Value.Should().BeNull();

        After(sampler, 1, () => _machine.Ticks(busy: 1_100, idle: 9_100)).Cpu.Value.Should().BeApproximately(50, 0.001, "since the last reading that worked");
        After(sampler, 1, () => { }).Cpu.Unknown.Should().Contain("did not advance");
    }

    [Fact]
    public void Pressure_is_the_own_groups_then_the_hosts_then_unknown()
    {
        var without = _machine.Sampler().Sample();
        without.CpuPressure.Value.Should().BeNull();
        without.CpuPressure.Unknown.Should().Contain("not there");

        _machine.Write("proc/pressure/cpu", "some avg10=12.50 avg60=1.00 avg300=0.10 total=1\nfull avg10=0.00\n");
        _machine.Write("proc/pressure/memory", "nonsense\n");
        var host = _machine.Sampler().Sample();
        (host.CpuPressure.Value, host.CpuPressure.Source).Should().Be((12.5, "/proc/pressure/cpu"));
        host.MemoryPressure.Value.Should().BeNull();

        _machine.ContainerV2("max 100000", "max");
        _machine.Write("sys/fs/cgroup/cpu.pressure", "some avg10=50.00 avg60=1.00 avg300=0.10 total=1\n");
        var container = _machine.Sampler().Sample();
        (container.CpuPressure.Value, container.CpuPressure.Source).Should().Be((50, "/sys/fs/cgroup/cpu.pressure"));
    }

    [Fact]
    public void A_sample_allocates_little()
    {
        _machine.ContainerV2("50000 100000", $"{256 * MiB}");
        var sampler = _machine.Sampler();
        for (var i = 0; i < 20; i++) sampler.Sample();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) sampler.Sample();
        var perSample = (GC.GetAllocatedBytesForCurrentThread() - before) / 100;
        perSample.Should().BeLessThan(5_000, "four samples a second near a limit stay below 20 KB");
    }

    [Fact]
    public void The_sampler_of_other_systems_measures_this_one_too()
    {
        using var sampler = MonitoredResourceSampler.TryCreate([], TimeProvider.System);
        if (sampler is null) return; // a platform that the library does not know
        var first = sampler.Sample();
        first.Cpu.Value.Should().BeNull("it has nothing to compare with");
        first.Memory.Value.Should().BeInRange(0.01, 100);
        first.MemoryBytes.Should().BeGreaterThan(1024 * 1024);
        first.Cores.Should().BeGreaterThan(0);
        var second = sampler.Sample();
        for (var i = 0; second.Cpu.Value is null && i < 1_000; i++)
        {
            Thread.SpinWait(1_000_000);
            second = sampler.Sample();
        }

        second.Cpu.Value.Should().BeInRange(0, 100);
        second.Cpu.Source.Should().Be("ResourceMonitoring");
    }

    [Theory]
    [InlineData(1_000, 500, 2, 25.0)]
    [InlineData(1_000, 4_000, 2, 100.0)] // the times of many threads are read one after the other
    [InlineData(0, 0, 2, null)]
    public void Its_processor_is_a_share_of_what_may_be_used(int elapsedMs, int usedMs, double cores, double? percent)
    {
        var start = new MonitoredResourceSampler.Reading(TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(10));
        var end = new MonitoredResourceSampler.Reading(start.Used + TimeSpan.FromMilliseconds(usedMs), start.Total + TimeSpan.FromMilliseconds(elapsedMs));
        MonitoredResourceSampler.Cpu(start, end, cores, DateTimeOffset.UnixEpoch).Value.Should().Be(percent);
        MonitoredResourceSampler.Cpu(null, end, cores, DateTimeOffset.UnixEpoch).Unknown.Should().NotBeNull();
    }

    [Fact]
    public void This_machine_can_be_read()
    {
        if (!OperatingSystem.IsLinux()) return;
        using var sampler = ResourceSamplers.Create([Path.GetTempPath()], TimeProvider.System);
        sampler.Sample();
        Gauge cpu = default, disk = default;
        SpinWait.SpinUntil(() => (cpu = sampler.Sample().Cpu).Value is not null, TimeSpan.FromSeconds(10)).Should().BeTrue(cpu.Unknown);
        SpinWait.SpinUntil(() => (disk = sampler.Sample().Disks[0].Used).Value is not null, TimeSpan.FromSeconds(10)).Should().BeTrue(disk.Unknown);
        cpu.Value.Should().BeInRange(0, 100);
        disk.Value.Should().BeInRange(0, 100);
        sampler.Sample().Memory.Value.Should().BeInRange(0.1, 100);
    }
}
