using System.Diagnostics;
using System.Globalization;
using Guardian.Actors.Resources;

namespace Guardian.Tests.Resources;

/// <summary>Skips where this process may make no control group.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class CgroupFactAttribute : FactAttribute
{
    /// <summary>Tries.</summary>
    public CgroupFactAttribute()
    {
        using var group = CgroupTests.LimitedGroup.TryCreate(memory: 1L << 30);
        if (group is null) Skip = "needs root and the controllers cpu and memory, to make a control group";
    }
}

/// <summary>Real control groups of half a core and 256 MiB, where this process may make them.</summary>
public sealed class CgroupTests
{
    private const long Limit = 256L * 1024 * 1024;

    [CgroupFact]
    public async Task In_a_real_group_the_percentages_refer_to_its_limits()
    {
        using var group = LimitedGroup.TryCreate(memory: Limit)!;
        // It takes its memory once it is in the group: what it had before is counted elsewhere.
        using var burner = Process.Start(new ProcessStartInfo("bash", ["-c", "read go; x=$(head -c 30000000 /dev/zero | tr '\\0' a); while :; do :; done"]) { RedirectStandardInput = true })!;
        try
        {
            group.Add(burner.Id);
            await burner.StandardInput.WriteLineAsync("go");
            using var sampler = new LinuxResourceSampler([], TimeProvider.System, group.Root);
            sampler.Sample();
            using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
            ResourceSample sample;
            do
            {
                await timer.WaitForNextTickAsync(deadline.Token);
                sample = sampler.Sample();
            }
            while (sample.Cpu.Value is not > 70 || sample.Memory.Value is not > 10); // on two busy cores half of one is not always to be had

            sample.Cores.Should().Be(0.5);
            sample.Cpu.Source.Should().Contain("0.5 cores");
            sample.MemoryBytes.Should().Be(Limit);
            sample.Memory.Value.Should().BeInRange(10, 60, "30 of 256 MiB, and what the shell adds");
            sample.HostMemory.Source.Should().Be("/proc/meminfo");
        }
        finally
        {
            burner.Kill();
            await burner.WaitForExitAsync();
        }
    }

    /// <summary>A group of half a core, in version 1 or 2 as this machine has it, and a view of <c>/proc</c> as from inside.</summary>
    internal sealed class LimitedGroup : IDisposable
    {
        private readonly string _name = $"guardian-test-{Guid.NewGuid():N}";
        private readonly List<string> _folders = [];

        public string Root { get; } = Directory.CreateTempSubdirectory("guardian-cgroup-").FullName;

        public static LimitedGroup? TryCreate(long memory)
        {
            if (!OperatingSystem.IsLinux()) return null;
            var group = new LimitedGroup();
            try
            {
                group.Create(memory);
                return group;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                group.Dispose();
                return null;
            }
        }

        public void Add(int pid)
        {
            foreach (var folder in _folders) File.WriteAllText($"{folder}/cgroup.procs", pid.ToString(CultureInfo.InvariantCulture));
        }

        public void Dispose()
        {
            foreach (var folder in _folders.Where(Directory.Exists)) Remove(folder);
            Directory.Delete(Root, recursive: true);
        }

        private void Create(long memory)
        {
            Directory.CreateDirectory($"{Root}/proc/self");
            File.CreateSymbolicLink($"{Root}/proc/stat", "/proc/stat");
            File.CreateSymbolicLink($"{Root}/proc/meminfo", "/proc/meminfo");
            File.CreateSymbolicLink($"{Root}/proc/self/mountinfo", "/proc/self/mountinfo");
            Directory.CreateSymbolicLink($"{Root}/sys", "/sys");
            var cpu = CgroupLevels.Of("", "cpu");
            if (cpu.Version == 0) throw new IOException("no control groups");
            if (cpu.Version == 1)
            {
                var paths = ((string[])["cpu", "cpuacct", "memory"]).Select(x => (Controller: x, Folder: Make(CgroupLevels.Of("", x).Folders[^1]))).ToList();
                File.WriteAllText($"{paths[0].Folder}/cpu.cfs_quota_us", "50000");
                File.WriteAllText($"{paths[2].Folder}/memory.limit_in_bytes", memory.ToString(CultureInfo.InvariantCulture));
                File.WriteAllLines($"{Root}/proc/self/cgroup", paths.Select((x, i) => $"{i + 1}:{x.Controller}:/{_name}"));
                return;
            }

            File.WriteAllText($"{cpu.Folders[^1]}/cgroup.subtree_control", "+cpu +memory");
            var folder = Make(cpu.Folders[^1]);
            File.WriteAllText($"{folder}/cpu.max", "50000 100000");
            File.WriteAllText($"{folder}/memory.max", memory.ToString(CultureInfo.InvariantCulture));
            File.WriteAllText($"{Root}/proc/self/cgroup", $"0::/{_name}\n");
        }

        private string Make(string mount)
        {
            var folder = Path.Combine(mount, _name);
            if (_folders.Contains(folder)) return folder; // cpu and cpuacct are often one mount
            Directory.CreateDirectory(folder);
            _folders.Add(folder);
            return folder;
        }

        /// <summary>The kernel lets an empty group go a moment after its last process.</summary>
        private static void Remove(string folder) => SpinWait.SpinUntil(() =>
        {
            try
            {
                Directory.Delete(folder);
                return true;
            }
            catch (IOException)
            {
                return false;
            }
        }, TimeSpan.FromSeconds(5));
    }
}
