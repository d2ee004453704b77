namespace Guardian.Actors.Resources;

/// <summary>
/// Where this process's control groups are, from its own up to the root of the mount: a quota on any of them binds it.
/// Read once at start and again when told; processes are hardly ever moved.
/// </summary>
/// <param name="Version">1 or 2.</param>
/// <param name="Folders">Absolute folders, the process's own first.</param>
internal sealed record CgroupLevels(int Version, IReadOnlyList<string> Folders)
{
    /// <summary>Nothing is mounted, or it cannot be read.</summary>
    public static CgroupLevels None { get; } = new(0, []);

    /// <summary>The hierarchy of a controller: its own in version 1 where that is mounted, else the unified one.</summary>
    /// <param name="root">Empty, or the folder of a fixture that holds <c>proc</c> and <c>sys</c>.</param>
    /// <param name="controller">cpu, cpuacct or memory; null for the unified hierarchy.</param>
    public static CgroupLevels Of(string root, string? controller)
    {
        try
        {
            var mounts = File.ReadAllLines(root + "/proc/self/mountinfo");
            var paths = File.ReadAllLines(root + "/proc/self/cgroup");
            if (controller is not null && Mount(mounts, x => x.Type == "cgroup" && x.Options.Contains(controller)) is { } old
                && paths.Select(x => x.Split(':', 3)).FirstOrDefault(x => x.Length == 3 && x[1].Split(',').Contains(controller)) is { } v1)
                return new(1, Chain(root, old, v1[2]));
            if (Mount(mounts, x => x.Type == "cgroup2") is { } unified && paths.FirstOrDefault(x => x.StartsWith("0::", StringComparison.Ordinal)) is { } v2)
                return new(2, Chain(root, unified, v2[3..]));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // No control groups to be seen: the machine's numbers count.
        }

        return None;
    }

    private static List<string> Chain(string root, MountPoint mount, string path)
    {
        // Inside a container without a namespace of its own the path is the host's, and the mount shows a part of it.
        var inside = path == mount.Root ? "" : mount.Root == "/" ? path : path.StartsWith(mount.Root + "/", StringComparison.Ordinal) ? path[mount.Root.Length..] : "";
        if (inside.Contains("/..", StringComparison.Ordinal)) inside = ""; // outside of this namespace: only the mount can be seen
        var folders = new List<string>();
        for (inside = inside.TrimEnd('/'); inside.Length > 0; inside = inside[..inside.LastIndexOf('/')]) folders.Add(root + mount.Folder + inside);
        folders.Add(root + mount.Folder);
        return folders;
    }

    private static MountPoint? Mount(IEnumerable<string> lines, Func<MountPoint, bool> wanted)
    {
        foreach (var line in lines)
        {
            var halves = line.Split(" - ", 2);
            if (halves.Length != 2) continue;
            var (left, right) = (halves[0].Split(' '), halves[1].Split(' '));
            if (left.Length < 6 || right.Length < 3) continue;
            var mount = new MountPoint(left[3], left[4], right[0], right[2].Split(','));
            if (wanted(mount)) return mount;
        }

        return null;
    }

    private sealed record MountPoint(string Root, string Folder, string Type, string[] Options);
}
