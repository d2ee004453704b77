using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Guardian.Actors.Kernels;

/// <summary>
/// How many replicas were asked for by command, in one small file that outlives the node. A kernel whose definition changed begins anew with what it
/// declares. Thread-safe.
/// </summary>
internal sealed class KernelScales
{
    private readonly string? _file;
    private readonly Dictionary<string, KeptScale> _scales;
    private readonly Lock _gate = new();
    private Task _writing = Task.CompletedTask;

    private KernelScales(string? file, Dictionary<string, KeptScale> scales) => (_file, _scales) = (file, scales);

    /// <summary>Kept in memory only.</summary>
    public static KernelScales InMemory() => new(null, []);

    /// <summary>As it was left; a file that cannot be read is said and begun anew.</summary>
    /// <param name="folder">The node's folder of kernels.</param>
    /// <param name="warn">Takes what is wrong.</param>
    public static KernelScales Load(string folder, Action<string> warn)
    {
        var file = Path.Combine(folder, "scales.json");
        try
        {
            if (File.Exists(file)) return new KernelScales(file, JsonSerializer.Deserialize(File.ReadAllText(file), ScalesJson.Default.DictionaryStringKeptScale) ?? []);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            warn($"{file} cannot be read, every kernel begins with the replicas that it declares: {e.Message}");
        }

        return new KernelScales(file, []);
    }

    /// <summary>Replicas to begin with.</summary>
    public int Of(KernelDefinition kernel)
    {
        lock (_gate) return _scales.TryGetValue(kernel.Name, out var kept) && kept.Definition == Hash(kernel) ? kept.Wanted : kernel.Replicas.Count;
    }

    /// <summary>What was changed and may be taken back.</summary>
    public IReadOnlyList<ScaleChange> ChangesOf(KernelDefinition kernel)
    {
        lock (_gate) return _scales.TryGetValue(kernel.Name, out var kept) && kept.Definition == Hash(kernel) ? kept.Changes ?? [] : [];
    }

    /// <summary>Completes once it is on disk; the newest wins.</summary>
    /// <exception cref="IOException">The disk does not take it.</exception>
    public Task KeepAsync(KernelDefinition kernel, int wanted, IReadOnlyList<ScaleChange> changes)
    {
        lock (_gate)
        {
            var before = _scales.GetValueOrDefault(kernel.Name);
            if (wanted == kernel.Replicas.Count && changes.Count == 0) _scales.Remove(kernel.Name);
            else _scales[kernel.Name] = new KeptScale(wanted, Hash(kernel), changes.Count == 0 ? null : changes);
            if (_file is not { } file || before == _scales.GetValueOrDefault(kernel.Name)) return Task.CompletedTask;
            var text = JsonSerializer.Serialize(_scales, ScalesJson.Default.DictionaryStringKeptScale);
            return _writing = _writing.ContinueWith(_ => Write(file, text), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    private static void Write(string file, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file + ".new", text);
        File.Move(file + ".new", file, overwrite: true);
    }

    private static string Hash(KernelDefinition kernel) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(kernel.Signature)));
}

/// <summary>Replicas wanted of a kernel, the hash of the definition that they belong to, and what of it may be taken back, the oldest first.</summary>
internal sealed record KeptScale(int Wanted, string Definition, IReadOnlyList<ScaleChange>? Changes = null);

/// <summary>A change of replicas that was asked for under a key.</summary>
internal sealed record ScaleChange(string Key, int Before, int After);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Dictionary<string, KeptScale>))]
internal sealed partial class ScalesJson : JsonSerializerContext;
