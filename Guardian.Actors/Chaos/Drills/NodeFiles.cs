using System.Text.Json;
using Guardian.Actors.Chaos.Faults;
using Guardian.Actors.Chaos.Targets;
using Guardian.Actors.Kernels.Processes;

namespace Guardian.Actors.Chaos.Drills;

/// <summary>What is measured in the node's own files, past everything that is under test.</summary>
internal static class NodeFiles
{
    private const string Tickets = "tasks.jsonl"; // the default of Guardian:Tasks:File; a throw-away node has defaults

    /// <summary>
    /// Work items about a subject. In one file each line counts. With several nodes each has a file of its own, and a request that was
    /// taken over may stand in two of them, under one key, as outside of Guardian it may arrive twice under one key.
    /// </summary>
    public static JsonElement Tasks(DrillTools tools, string subject)
    {
        var lines = Directories(tools).Select(x => Keys(Path.Combine(x, Tickets), subject)).ToList();
        var doubled = lines.Sum(x => x.Count - x.Distinct().Count());
        var count = lines.SelectMany(x => x).Distinct().Count() + doubled;
        return TargetJson.Object(x => x.WriteNumber("count", count));
    }

    private static List<string> Keys(string path, string subject)
    {
        var keys = new List<string>();
        try
        {
            foreach (var line in File.Exists(path) ? File.ReadAllLines(path) : [])
            {
                using var task = JsonDocument.Parse(line);
                if (TargetJson.Text(task.RootElement, "itemKey").EndsWith(subject, StringComparison.Ordinal)) keys.Add(TargetJson.Text(task.RootElement, "key"));
            }
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            throw new ChaosTargetException($"{path} cannot be read: {e.Message}", e);
        }

        return keys;
    }

    private static IReadOnlyList<string> Directories(DrillTools tools) => tools.Nodes.Count > 0 ? [.. tools.Nodes.Select(x => x.DataDirectory)] : [Known(tools.DataDirectory)];

    /// <summary>Processes of this node's kernel, by what they bear in their environment.</summary>
    public static JsonElement KernelProcesses(string? dataDirectory, string kernel)
    {
        if (!OperatingSystem.IsLinux()) throw new ChaosTargetException("processes are looked at on Linux only");
        var folder = Path.Combine(InstanceFolder.Root(Known(dataDirectory)), kernel) + Path.DirectorySeparatorChar;
        var found = ProcessTable.WithEnvironment(ProcessInstance.FolderVariable, folder);
        var instances = found.GroupBy(x => x.Environment[ProcessInstance.FolderVariable]).Select(x => x.Select(y => y.Environment.GetValueOrDefault("GUARDIAN_EPOCH")).Distinct().Count());
        return TargetJson.Object(x =>
        {
            x.WriteNumber("processes", found.Count);
            x.WriteNumber("stopped", found.Count(y => y.Stat.Stopped));
            x.WriteNumber("instances", instances.DefaultIfEmpty().Max());
        });
    }

    public static JsonElement Disk(string? dataDirectory)
    {
        var percent = DiskFill.Used(Known(dataDirectory));
        return TargetJson.Object(x => x.WriteNumber("percent", percent));
    }

    private static string Known(string? dataDirectory) => dataDirectory ?? throw new ChaosTargetException("the node's data directory is not known here");
}
