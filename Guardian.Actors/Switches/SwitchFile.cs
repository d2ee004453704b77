using System.Text.Json;
using System.Text.Json.Serialization;
using Guardian.Actors.Serialization;

namespace Guardian.Actors.Switches;

/// <summary>Operators' words on playbooks in the data directory, so that they survive a restart of the only node.</summary>
internal sealed class SwitchFile(string dataDirectory)
{
    public string Path { get; } = System.IO.Path.Combine(dataDirectory, "playbooks.json");

    /// <summary>Empty where nothing was ever said.</summary>
    /// <exception cref="JsonException">Not what was written.</exception>
    /// <exception cref="IOException">Cannot be read.</exception>
    public IReadOnlyList<PlaybookSwitch> Read() =>
        File.Exists(Path) ? JsonSerializer.Deserialize(File.ReadAllText(Path), SwitchJson.Default.Words) ?? [] : [];

    /// <summary>Replaces the file whole: a crash leaves the old one or the new one.</summary>
    public async Task WriteAsync(IReadOnlyList<PlaybookSwitch> words)
    {
        var next = Path + ".new";
        await using (var stream = new FileStream(next, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            await JsonSerializer.SerializeAsync(stream, words, SwitchJson.Default.Words);
            stream.Flush(flushToDisk: true);
        }

        File.Move(next, Path, overwrite: true);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PlaybookSwitch))]
[JsonSerializable(typeof(IReadOnlyList<PlaybookSwitch>), TypeInfoPropertyName = "Words")]
internal sealed partial class SwitchJson : JsonSerializerContext
{
    public static SerializedRoom Room => new(Default, [(typeof(PlaybookSwitch), "playbook-switch:v1")]);
}
