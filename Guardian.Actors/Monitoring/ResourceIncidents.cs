using System.Text.Json;
using System.Text.Json.Nodes;
using Guardian.Actors.Incidents;
using Guardian.Actors.Resources;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Monitoring;

/// <summary>Incident types of resources, the keys that they define, and how a signal becomes an incident.</summary>
internal static class ResourceIncidents
{
    public const string Cpu = BuiltInIncidents.CpuPressure;
    public const string Memory = BuiltInIncidents.MemoryPressure;
    public const string Disk = BuiltInIncidents.DiskPressure;
    public const string SensorFailure = BuiltInIncidents.SensorFailure;

    /// <summary>Under pressure is announced here at once, before the incident is in the journal.</summary>
    public const string LoadShedding = "scheduler.load_shedding";

    private const int NameLength = 64; // evidence stays small whatever a process calls itself

    public static string CpuKey(string node) => $"resource/cpu/{node}";

    public static string MemoryKey(string node) => $"resource/memory/{node}";

    public static string DiskKey(string node, string mount) => $"resource/disk/{node}{(mount.StartsWith('/') ? "" : "/")}{mount}";

    /// <param name="node">Node.</param>
    /// <param name="sensor">sampler, or the resource's key without its first segment.</param>
    public static string SensorKey(string node, string sensor) => sensor.Contains('/', StringComparison.Ordinal) ? $"sensor/{sensor}" : $"sensor/{sensor}/{node}";

    /// <summary>What the incident's entity is told.</summary>
    public static IncidentRaised Raise(ResourceSignal signal, string node, ResourceSample? sample, IReadOnlyList<ProcessEvidence> processes) => new()
    {
        Key = signal.Key,
        Type = signal.Type,
        Node = node,
        At = signal.At,
        Subject = signal.Subject,
        Detection = signal.Number,
        Episode = signal.Episode,
        Severity = signal.Type == SensorFailure ? "medium" : "high",
        TellsEnd = true,
        Evidence = Evidence(signal, sample, processes),
    };

    /// <summary>The body of the announcement: entered, again or left.</summary>
    public static byte[] Announcement(ResourceSignal signal, string node) => JsonSerializer.SerializeToUtf8Bytes(new JsonObject
    {
        ["node"] = node,
        ["resource"] = signal.Resource,
        ["key"] = signal.Key,
        ["state"] = signal.Change.ToString().ToLowerInvariant(),
        ["value"] = Rounded(signal.Gauge.Value),
        ["at"] = signal.At.UtcDateTime.ToString("O"),
    });

    private static JsonElement Evidence(ResourceSignal signal, ResourceSample? sample, IReadOnlyList<ProcessEvidence> processes)
    {
        var json = new JsonObject { ["resource"] = signal.Resource, ["source"] = signal.Gauge.Source };
        if (signal.Type == SensorFailure)
        {
            json["reason"] = signal.Gauge.Unknown ?? $"the last value is of {signal.Gauge.At.UtcDateTime:O}";
        }
        else
        {
            json["value"] = Rounded(signal.Gauge.Value);
            json["enter"] = signal.Enter;
            json["leave"] = signal.Leave;
            json["sustained"] = Math.Round(signal.Sustained.TotalSeconds, 1);
            json["processes"] = new JsonArray([.. processes.Select(Json)]);
        }

        if (sample is not null) json["sample"] = Json(sample);
        using var document = JsonDocument.Parse(json.ToJsonString());
        return document.RootElement.Clone();
    }

    private static JsonObject Json(ResourceSample sample)
    {
        var json = new JsonObject { ["cores"] = sample.Cores, ["memoryBytes"] = sample.MemoryBytes };
        Add("cpu", sample.Cpu);
        Add("memory", sample.Memory);
        Add("hostCpu", sample.HostCpu);
        Add("hostMemory", sample.HostMemory);
        Add("cpuPressure", sample.CpuPressure);
        Add("memoryPressure", sample.MemoryPressure);
        Add("ioPressure", sample.IoPressure);
        foreach (var disk in sample.Disks) Add("disk " + disk.Mount, disk.Used);
        return json;

        void Add(string name, Gauge gauge) => json[name] = new JsonObject
        {
            ["value"] = Rounded(gauge.Value), ["source"] = gauge.Source, ["ageMs"] = (long)(sample.At - gauge.At).TotalMilliseconds, ["unknown"] = gauge.Unknown,
        };
    }

    private static JsonNode Json(ProcessEvidence x) => new JsonObject
    {
        ["pid"] = x.Use.Process.Pid,
        ["parent"] = x.Use.Process.ParentPid,
        ["name"] = x.Use.Process.Name.Length <= NameLength ? x.Use.Process.Name : x.Use.Process.Name[..NameLength],
        ["cpu"] = Rounded(x.Use.CpuPercent),
        ["treeCpu"] = Rounded(x.Use.TreePercent),
        ["memoryBytes"] = x.Use.Process.ResidentBytes,
        ["cgroup"] = x.Cgroup,
    };

    private static double? Rounded(double? value) => value is { } known ? Math.Round(known, 1) : null;
}

/// <summary>A process as evidence names it.</summary>
internal sealed record ProcessEvidence(ProcessUse Use, string? Cgroup);
