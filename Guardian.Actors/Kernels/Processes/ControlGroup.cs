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
    private const string Ours = "guardian-";
    private const int Period = 100_000; // microseconds, the kernel's own default
    private const int Shortest = 1_000; // the kernel takes no shorter quota

    /// <summary>From the making of a group to its first process it takes moments.</summary>
    private static readonly TimeSpan EnteredWithin = TimeSpan.FromMinutes(1);

    /// <summary>Group of Guardian's own that a manager of services gives it inside the one that is delegated: the kernels' groups are made beside it.</summary>
    private const string OwnSubgroup = "guardian";

    private readonly Dictionary<string, string> _paths; // by controller; with version 2 the same
    private readonly bool _second;
    private readonly LimitSpec _limits;

    private ControlGroup(Dictionary<string, string> paths, bool second, LimitSpec limits) => (_paths, _second, _limits) = (paths, second, limits);

    /// <summary>Why no group can be made; null where that can be tried.</summary>
    public static string? Unsupported => OperatingSystem.IsLinux() ? null : "control groups are Linux's";

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

    /// <summary>The group of a replica; null where there is no controller that this process may use.</summary>
    public static ControlGroup? Find(string node, string kernel, int replica, LimitSpec limits) =>
        Find(string.Create(CultureInfo.InvariantCulture, $"{Prefix(node)}{kernel}-{replica}"), limits);

    /// <summary>The same by name.</summary>
    public static ControlGroup? Find(string name, LimitSpec limits)
    {
        string[] wanted = [Cpu, .. limits.Memory is null ? (string[])[] : [Memory], .. limits.Processes is null ? (string[])[] : [Pids]]; // a throttle needs the CPU's alone
        var paths = Parents(wanted, out var second).ToDictionary(x => x.Key, x => Path.Combine(x.Value, name));
        return paths.Count > 0 ? new ControlGroup(paths, second, limits) : null;
    }

    /// <summary>Removes the groups of a node that is gone; one that somebody is in stays.</summary>
    public static void RemoveAll(string node)
    {
        foreach (var parent in Parents([Cpu, Memory, Pids], out _).Values.Distinct())
            foreach (var path in Directory.EnumerateDirectories(parent, Prefix(node) + "*")) TryDelete(path);
    }

    /// <summary>
    /// Removes groups that nothing is in and that were made a while ago, whichever node's: a node that was killed may never come back under
    /// its name. Another node that wants its group again makes it anew.
    /// </summary>
    public static void RemoveUnused()
    {
        var before = DateTime.UtcNow - EnteredWithin; // the files' clock
        try
        {
            foreach (var parent in Parents([Cpu, Memory, Pids], out _).Values.Distinct())
                foreach (var path in Directory.EnumerateDirectories(parent, Ours + "*").Where(x => Directory.GetLastWriteTimeUtc(x) < before)) TryDelete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Nobody is harmed by an empty group; the next start looks again.
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
        foreach (var path in _paths.Values.Distinct())
        {
            Directory.CreateDirectory(path);
            Directory.SetLastWriteTimeUtc(path, DateTime.UtcNow); // not unused, see RemoveUnused
        }

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
            if (Directory.Exists(path)) TryDelete(path);
    }

    private static void TryDelete(string path)
    {
        try
        {
            Directory.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Something is in it still; it is used again.
        }
    }

    private static string Prefix(string node) => $"{Ours}{node}-";

    /// <summary>Where groups are made, by controller; none where that is not known.</summary>
    private static Dictionary<string, string> Parents(IEnumerable<string> controllers, out bool second)
    {
        second = false;
        if (Unsupported is not null) return [];
        try
        {
            var own = File.ReadAllLines("/proc/self/cgroup").Select(x => x.Split(':', 3)).Where(x => x.Length == 3).ToList();
            var list = Path.Combine(Root, "cgroup.controllers");
            var unified = second = File.Exists(list);
            var present = unified ? File.ReadAllText(list).Split(' ', '\n') : controllers.Where(x => File.Exists(Path.Combine(Root, x, "cgroup.procs")));
            return controllers.Intersect(present).ToDictionary(x => x, x => Parent(unified ? Root : Path.Combine(Root, x), own, unified ? "" : x));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>This process's own group where it is seen from here: a group beside it would escape its limits.</summary>
    /// <param name="root">Where the controller is mounted.</param>
    /// <param name="own">Lines of <c>/proc/self/cgroup</c>: number, controllers, path.</param>
    /// <param name="controller">Empty with version 2.</param>
    internal static string Parent(string root, IReadOnlyList<string[]> own, string controller)
    {
        var path = own.FirstOrDefault(x => x[1].Split(',').Contains(controller))?[2] ?? "/";
        if (controller.Length == 0 && Path.GetFileName(path) == OwnSubgroup) path = Path.GetDirectoryName(path)!;
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
