using System.Text.Json;
using Guardian.Actors.Chaos.Faults;
using Guardian.Actors.Chaos.Targets;
using Guardian.Actors.Kernels.Processes;
using Guardian.Actors.Persistence;

namespace Guardian.Actors.Chaos.Drills;

/// <summary>What is measured in the node's own files, past everything that is under test.</summary>
internal static class NodeFiles
{
    private const string Tickets = "tasks.jsonl"; // the default of Guardian:Tasks:File; a throw-away node has defaults

    public static async Task<JsonElement> JournalAsync(string? dataDirectory, TimeProvider time, CancellationToken cancellation)
    {
        var check = new JournalHealthCheck(JournalDatabase.From("sqlite", "", Known(dataDirectory)), time);
        var health = await Task.Run(() => check.CheckAsync(cancellation), cancellation).ConfigureAwait(false); // SQLite blocks
        return TargetJson.Object(x => x.WriteBoolean("writable", health.Healthy));
    }

    public static JsonElement Tasks(string? dataDirectory, string subject)
    {
        var path = Path.Combine(Known(dataDirectory), Tickets);
        var count = 0;
        try
        {
            foreach (var line in File.Exists(path) ? File.ReadAllLines(path) : [])
            {
                using var task = JsonDocument.Parse(line);
                if (TargetJson.Text(task.RootElement, "itemKey").EndsWith(subject, StringComparison.Ordinal)) count++;
            }
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            throw new ChaosTargetException($"{path} cannot be read: {e.Message}", e);
        }

        return TargetJson.Object(x => x.WriteNumber("count", count));
    }

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
