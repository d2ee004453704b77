using System.Diagnostics;
using System.Globalization;
using Guardian.Actors.Resources;

namespace Guardian.Actors.Chaos.Drills;

/// <summary>
/// A control group with a memory limit, version 1 or 2, for a throw-away node and all that it starts: memory can run out in it without
/// harm to the machine. Needs root.
/// </summary>
internal sealed class MemoryGroup
{
    private readonly bool _second;

    private MemoryGroup(string folder, long bytes, bool second) => (Folder, Bytes, _second) = (folder, bytes, second);

    /// <summary>For the undo: a segment of it begins with <c>guardian</c>.</summary>
    public string Folder { get; }

    /// <summary>The limit.</summary>
    public long Bytes { get; }

    /// <param name="name">Unique on the machine; begins with <c>guardian</c>.</param>
    /// <param name="bytes">The limit.</param>
    /// <exception cref="IOException">This machine has no such groups, or this process may not make one; the message says which.</exception>
    public static MemoryGroup Create(string name, long bytes)
    {
        var levels = CgroupLevels.Of("", "memory");
        if (levels.Folders.Count == 0) throw new IOException("no control group of memory is mounted here");
        try
        {
            // Version 2 knows no groups below one with processes: there it stands at the root, which may not be ours.
            var group = levels.Version == 1 ? new MemoryGroup(Path.Combine(levels.Folders[0], name), bytes, false) : new MemoryGroup(Path.Combine(levels.Folders[^1], name), bytes, true);
            if (group._second) File.WriteAllText(Path.Combine(levels.Folders[^1], "cgroup.subtree_control"), "+memory");
            Directory.CreateDirectory(group.Folder);
            File.WriteAllText(group.At(group._second ? "memory.max" : "memory.limit_in_bytes"), bytes.ToString(CultureInfo.InvariantCulture));
            return group;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"a control group with a memory limit cannot be made, which needs root: {e.Message}", e);
        }
    }

    /// <summary>What is started so is in the group from its first instruction on: .NET reads its limits at the start.</summary>
    public void Enter(ProcessStartInfo start)
    {
        string[] program = ["-c", "echo $$ > \"$0/cgroup.procs\" && exec \"$@\"", Folder, start.FileName, .. start.ArgumentList];
        start.FileName = "/bin/sh";
        start.ArgumentList.Clear();
        foreach (var argument in program) start.ArgumentList.Add(argument);
    }

    /// <summary>Percent of the limit that processes hold for themselves, without files in the page cache, and processes that the system killed for want of memory.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public (double Percent, long Killed) Read()
    {
        var held = Field(At("memory.stat"), _second ? "anon" : "total_rss");
        var killed = Field(At(_second ? "memory.events" : "memory.oom_control"), "oom_kill");
        return (100.0 * held / Bytes, killed);
    }

    /// <summary>Once it is empty.</summary>
    public void Remove()
    {
        if (Directory.Exists(Folder)) Directory.Delete(Folder);
    }

    private string At(string file) => Path.Combine(Folder, file);

    private static long Field(string file, string name)
    {
        var line = File.ReadLines(file).FirstOrDefault(x => x.StartsWith(name + " ", StringComparison.Ordinal)) ?? throw new IOException($"{file} has no {name}");
        return long.Parse(line[(name.Length + 1)..], CultureInfo.InvariantCulture);
    }
}
