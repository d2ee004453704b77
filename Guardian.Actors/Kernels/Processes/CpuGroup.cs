using System.Globalization;
using Guardian.Actors.Leasekeeping;
using Guardian.Actors.Resources;

namespace Guardian.Actors.Kernels.Processes;

/// <summary>A control group of one replica, version 2 or 1, where this process may make one.</summary>
internal sealed class CpuGroup
{
    private const string Root = "/sys/fs/cgroup";
    private const int Period = 100_000; // microseconds, the kernel's own default
    private const int Shortest = 1_000; // the kernel takes no shorter quota

    private readonly string _path;
    private readonly bool _second;

    private CpuGroup(string path, bool second) => (_path, _second) = (path, second);

    /// <summary>The file that holds the limit.</summary>
    public string QuotaFile => Path.Combine(_path, _second ? "cpu.max" : "cpu.cfs_quota_us");

    /// <summary>Content of <see cref="QuotaFile"/> that lifts the limit.</summary>
    public string Unlimited => _second ? string.Create(CultureInfo.InvariantCulture, $"max {Period}") : "-1";

    /// <summary>Null where there is no controller of the CPU that this process may use.</summary>
    public static CpuGroup? Find(string name)
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess) return null;
        try
        {
            var controllers = Path.Combine(Root, "cgroup.controllers");
            if (File.Exists(controllers) && File.ReadAllText(controllers).Split(' ', '\n').Contains("cpu")) return new CpuGroup(Path.Combine(Root, name), second: true);
            // Below this process's own group: what binds the node goes on binding its kernels. Version 2 has no groups below one with processes.
            return CgroupLevels.Of("", "cpu") is { Version: 1, Folders: [var own, ..] } && File.Exists(Path.Combine(own, "cpu.cfs_period_us")) ? new CpuGroup(Path.Combine(own, name), second: false) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <exception cref="IOException">The kernel does not allow it.</exception>
    public void Create()
    {
        if (_second) File.WriteAllText(Path.Combine(Root, "cgroup.subtree_control"), "+cpu");
        Directory.CreateDirectory(_path);
    }

    /// <param name="cores">May be a fraction.</param>
    public void Limit(double cores)
    {
        var quota = Math.Max(Shortest, (long)(cores * Period));
        File.WriteAllText(QuotaFile, _second ? string.Create(CultureInfo.InvariantCulture, $"{quota} {Period}") : quota.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>What it starts from now on belongs to the group too.</summary>
    public void Add(ProcessIdentity process)
    {
        try
        {
            if (process.Alive) File.WriteAllText(Path.Combine(_path, "cgroup.procs"), process.Pid.ToString(CultureInfo.InvariantCulture));
        }
        catch (IOException) when (!process.Alive)
        {
            // It ended in between.
        }
    }

    /// <summary>Once it is empty.</summary>
    public void Remove()
    {
        try
        {
            if (Directory.Exists(_path)) Directory.Delete(_path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Something is in it still; it limits nothing by then, and is used again.
        }
    }
}
