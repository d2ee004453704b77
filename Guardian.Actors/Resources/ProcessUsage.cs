namespace Guardian.Actors.Resources;

/// <summary>What processes used between two snapshots, and their trees. Pure.</summary>
internal static class ProcessUsage
{
    /// <summary>Every process of the later snapshot. One that is not in the earlier one counts from its start.</summary>
    /// <param name="before">Earlier.</param>
    /// <param name="after">Later.</param>
    /// <param name="cores">Cores that 100 % stand for.</param>
    public static IReadOnlyList<ProcessUse> Between(ProcessSnapshot before, ProcessSnapshot after, double cores)
    {
        var seconds = (after.Clock - before.Clock).TotalSeconds;
        if (seconds <= 0 || cores <= 0) return [];
        var known = before.Processes.ToDictionary(x => (x.Pid, x.StartTicks), x => x.CpuTicks);
        var scale = 100 / (LinuxProcessReader.TicksPerSecond * seconds * cores);
        var own = new Dictionary<int, double>(after.Processes.Count);
        foreach (var x in after.Processes)
        {
            // A pid that appears for the first time is new: all it used it used since.
            var ticks = x.CpuTicks - known.GetValueOrDefault((x.Pid, x.StartTicks));
            own[x.Pid] = Math.Max(0, ticks * scale);
        }

        var trees = Trees(after.Processes, own);
        return [.. after.Processes.Select(x => new ProcessUse(x, own[x.Pid], trees[x.Pid].Cpu, trees[x.Pid].Bytes))];
    }

    /// <summary>The greatest users.</summary>
    public static IReadOnlyList<ProcessUse> Top(IEnumerable<ProcessUse> uses, int count, bool byMemory) =>
        [.. uses.OrderByDescending(x => byMemory ? x.Process.ResidentBytes : x.CpuPercent).ThenBy(x => x.Process.Pid).Take(count)];

    /// <summary>A process and all its descendants, parents before children; empty where it is not there.</summary>
    public static IReadOnlyList<ProcessEntry> Tree(IReadOnlyList<ProcessEntry> processes, int pid)
    {
        var children = processes.ToLookup(x => x.ParentPid);
        var tree = processes.Where(x => x.Pid == pid).ToList();
        var seen = new HashSet<int> { pid };
        for (var i = 0; i < tree.Count; i++)
            foreach (var child in children[tree[i].Pid])
                if (seen.Add(child.Pid)) tree.Add(child);
        return tree;
    }

    private static Dictionary<int, (double Cpu, long Bytes)> Trees(IReadOnlyList<ProcessEntry> processes, Dictionary<int, double> own)
    {
        var byPid = processes.ToDictionary(x => x.Pid);
        var sums = processes.ToDictionary(x => x.Pid, x => (Cpu: own[x.Pid], Bytes: x.ResidentBytes));
        foreach (var x in processes)
        {
            // Up to the root; the bound is against a loop in a snapshot that was not taken at one instant.
            var parent = x.ParentPid;
            for (var depth = 0; depth < 64 && byPid.TryGetValue(parent, out var up); depth++, parent = up.ParentPid)
            {
                var sum = sums[up.Pid];
                sums[up.Pid] = (sum.Cpu + own[x.Pid], sum.Bytes + x.ResidentBytes);
            }
        }

        return sums;
    }
}
