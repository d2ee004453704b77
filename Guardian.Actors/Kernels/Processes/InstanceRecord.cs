using System.Text.Json;
using System.Text.Json.Serialization;
using Guardian.Actors.Leasekeeping;

namespace Guardian.Actors.Kernels.Processes;

/// <summary>
/// What the disk knows of one replica's process, so that another Guardian finds it. Written before the process exists, with the token
/// that its environment will hold, and again with its identity.
/// </summary>
internal sealed record InstanceRecord
{
    public required string Kernel { get; init; }
    public required int Replica { get; init; }
    public required long Epoch { get; init; }

    /// <summary>Value of <see cref="ProcessInstance.TokenVariable"/> in the environment of the process and all that it starts.</summary>
    public required string Token { get; init; }

    /// <summary>The machine's start that the identity belongs to.</summary>
    public required string Boot { get; init; }

    /// <summary>The definition that it was started with.</summary>
    public required string Signature { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Between TERM and KILL, as it was declared; null in records of older versions.</summary>
    public TimeSpan? Grace { get; init; }

    /// <summary>Null while it was being started, and where the disk did not take it since: then the token alone finds it.</summary>
    public ProcessIdentity? Process { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(InstanceRecord))]
internal sealed partial class InstanceJson : JsonSerializerContext;

/// <summary>The folder of one replica: its record, its pipes and its output.</summary>
internal sealed class InstanceFolder
{
    private static readonly Lazy<string> CurrentBoot = new(() => File.Exists("/proc/sys/kernel/random/boot_id") ? File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim() : "");

    private readonly string _record;
    private readonly Action<string, string> _write;

    /// <param name="root">The node's folder of kernels.</param>
    /// <param name="kernel">A kernel's name, which is a file's name too.</param>
    /// <param name="replica">From 0.</param>
    /// <param name="write">Writes a text to a path; null: to the disk.</param>
    public InstanceFolder(string root, string kernel, int replica, Action<string, string>? write = null)
    {
        _write = write ?? File.WriteAllText;
        Full = Path.Combine(root, kernel, replica.ToString(System.Globalization.CultureInfo.InvariantCulture));
        _record = Path.Combine(Full, "instance.json");
    }

    public static string Boot => CurrentBoot.Value;

    /// <summary>Where a node keeps its kernels' folders.</summary>
    public static string Root(string dataDirectory) => Path.Combine(dataDirectory, "kernels");

    public string Full { get; }

    /// <summary>Living processes of the instance on record; none where there is no record.</summary>
    public IReadOnlyList<ProcessIdentity> Processes() => Read() is { } record ? ProcessTable.OfInstance(record.Token, record.Process) : [];

    /// <summary>Null where there is none, also where a crash of the machine left half of one: its processes are gone too.</summary>
    public InstanceRecord? Read()
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(_record), InstanceJson.Default.InstanceRecord);
        }
        catch (Exception e) when (e is JsonException or FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Replaces it whole. Not forced to the disk: it is needed after the death of a process, and a machine's death leaves no processes.</summary>
    public void Write(InstanceRecord record)
    {
        Directory.CreateDirectory(Full);
        _write(_record + ".new", JsonSerializer.Serialize(record, InstanceJson.Default.InstanceRecord));
        File.Move(_record + ".new", _record, overwrite: true);
    }

    public void Clear() => File.Delete(_record);

    /// <summary>Removes the record of this instance, and not that of a later one.</summary>
    public void Clear(string token)
    {
        if (Read()?.Token == token) Clear();
    }
}
