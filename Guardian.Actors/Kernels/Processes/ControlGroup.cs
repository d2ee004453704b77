using System.Globalization;
using Guardian.Actors.Leasekeeping;

namespace Guardian.Actors.Kernels.Processes;

/// <summary>
/// The control group of one replica, version 2 or 1, below the group of this process: what it may use at most, and what it may use for the time of a
/// throttle. Whether it can be made is known once it is tried.
/// </summary>
internal sealed class ControlGroup
{
    private const string Root = "/sys/fs/cgroup";
    private const string Cpu = "cpu";
    private const string Memory = "memory";
    private const string Pids = "pids";
    private const int Period = 100_000; // microseconds, the kernel's own default
    private const int Shortest = 1_000; // the kernel takes no shorter quota

    private static readonly string[] Controllers = [Cpu, Memory, Pids];

    private readonly Dictionary<string, string> _paths; // by controller; with version 2 the same
    private readonly bool _second;
    private readonly LimitSpec _limits;

    private ControlGroup(Dictionary<string, string> paths, bool second, LimitSpec limits) => (_paths, _second, _limits) = (paths, second, limits);

    /// <summary>Why no group can be made; null where that can be tried.</summary>
    public static string? Unsupported => !OperatingSystem.IsLinux() ? "control groups are Linux's" : !Environment.IsPrivilegedProcess ? "only root can make control groups here" : null;

    /// <summary>True where the CPU can be limited.</summary>
    public bool HasCpu => _paths.ContainsKey(Cpu);

    /// <summary>The file that holds the CPU's limit.</summary>
    public string QuotaFile => Path.Combine(_paths[Cpu], _second ? "cpu.max" : "cpu.cfs_quota_us");

    /// <summary>Content of <see cref="QuotaFile"/> without a throttle.</summary>
    public string Unthrottled => Quota(_limits.Cpu);

    /// <summary>Processes that write their id into these belong to the group, with all that they start.</summary>
    public IReadOnlyList<string> Doors => [.. _paths.Values.Distinct().Select(x => Path.Combine(x, "cgroup.procs"))];

    /// <summary>Processes that the kernel killed for want of memory; 0 where that is not known.</summary>
    public long OutOfMemory => _paths.TryGetValue(Memory, out var path) ? Number(Path.Combine(path, _second ? "memory.events" : "memory.oom_control"), "oom_kill") : 0;

    /// <summary>Null where there is no controller that this process may use.</summary>
    public static ControlGroup? Find(string name, LimitSpec limits)
    {
        if (Unsupported is not null) return null;
        try
        {
            var own = File.ReadAllLines("/proc/self/cgroup").Select(x => x.Split(':', 3)).Where(x => x.Length == 3).ToList();
            var second = File.Exists(Path.Combine(Root, "cgroup.controllers"));
            var present = second ? File.ReadAllText(Path.Combine(Root, "cgroup.controllers")).Split(' ', '\n') : Controllers.Where(x => Directory.Exists(Path.Combine(Root, x)) && File.Exists(Path.Combine(Root, x, "cgroup.procs")));
            var paths = Controllers.Intersect(present).ToDictionary(x => x, x => Path.Combine(second ? Parent(Root, own, "") : Parent(Path.Combine(Root, x), own, x), name));
            return paths.Count > 0 ? new ControlGroup(paths, second, limits) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Makes it, with its lasting limits.</summary>
    /// <exception cref="IOException">The kernel does not allow it, or lacks a controller.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public void Create()
    {
        foreach (var (limit, controller) in new[] { (_limits.Cpu is not null, Cpu), (_limits.Memory is not null, Memory), (_limits.Processes is not null, Pids) })
            if (limit && !_paths.ContainsKey(controller)) throw new IOException($"the controller '{controller}' is not there");
        if (_second) File.WriteAllText(Path.Combine(Path.GetDirectoryName(_paths.Values.First())!, "cgroup.subtree_control"), string.Join(' ', _paths.Keys.Select(x => "+" + x)));
        foreach (var path in _paths.Values) Directory.CreateDirectory(path);
        if (HasCpu) File.WriteAllText(QuotaFile, Unthrottled);
        if (_limits.Memory is { } memory) Write(Memory, _second ? "memory.max" : "memory.limit_in_bytes", memory);
        if (_limits.Processes is { } processes) Write(Pids, "pids.max", processes);
    }

    /// <summary>A throttle; never above the lasting limit.</summary>
    /// <param name="cores">May be a fraction.</param>
    public void Throttle(double cores) => File.WriteAllText(QuotaFile, Quota(Math.Min(cores, _limits.Cpu ?? cores)));

    /// <summary>What it starts from now on belongs to the group too.</summary>
    public void Add(ProcessIdentity process)
    {
        try
        {
            foreach (var door in Doors)
                if (process.Alive) File.WriteAllText(door, process.Pid.ToString(CultureInfo.InvariantCulture));
        }
        catch (IOException) when (!process.Alive)
        {
            // It ended in between.
        }
    }

    /// <summary>Once it is empty.</summary>
    public void Remove()
    {
        foreach (var path in _paths.Values.Distinct())
        {
            try
            {
                if (Directory.Exists(path)) Directory.Delete(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Something is in it still; it is used again.
            }
        }
    }

    /// <summary>This process's own group where it is seen from here: a group beside it would escape its limits.</summary>
    private static string Parent(string root, List<string[]> own, string controller)
    {
        var path = own.FirstOrDefault(x => x[1].Split(',').Contains(controller))?[2] ?? "/";
        var full = Path.Combine(root, path.TrimStart('/'));
        return Directory.Exists(full) ? full : root; // in a container the path may be the host's
    }

    private string Quota(double? cores)
    {
        var quota = cores is { } x ? Math.Max(Shortest, (long)(x * Period)) : (long?)null;
        return _second ? string.Create(CultureInfo.InvariantCulture, $"{quota?.ToString(CultureInfo.InvariantCulture) ?? "max"} {Period}") : (quota ?? -1).ToString(CultureInfo.InvariantCulture);
    }

    private void Write(string controller, string file, long value) => File.WriteAllText(Path.Combine(_paths[controller], file), value.ToString(CultureInfo.InvariantCulture));

    private static long Number(string file, string name)
    {
        try
        {
            return File.ReadLines(file).Select(x => x.Split(' ')).Where(x => x.Length == 2 && x[0] == name).Select(x => long.Parse(x[1], CultureInfo.InvariantCulture)).FirstOrDefault();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            return 0;
        }
    }
}
