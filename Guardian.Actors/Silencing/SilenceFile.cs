using System.Text.Json;

namespace Guardian.Actors.Silencing;

/// <summary>The silences in the data directory, so that they survive a restart of the only node.</summary>
internal sealed class SilenceFile(string dataDirectory)
{
    public string Path { get; } = System.IO.Path.Combine(dataDirectory, "silences.json");

    /// <summary>Null where there never was one.</summary>
    /// <exception cref="JsonException">Not what was written.</exception>
    /// <exception cref="IOException">Cannot be read.</exception>
    public SharedSilences? Read() =>
        File.Exists(Path) ? JsonSerializer.Deserialize(File.ReadAllText(Path), SilencingJson.Default.SharedSilences) : null;

    /// <summary>Replaces the file whole: a crash leaves the old one or the new one.</summary>
    public async Task WriteAsync(SharedSilences silences)
    {
        var next = Path + ".new";
        await using (var stream = new FileStream(next, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            await JsonSerializer.SerializeAsync(stream, silences, SilencingJson.Default.SharedSilences);
            stream.Flush(flushToDisk: true);
        }

        File.Move(next, Path, overwrite: true);
    }
}
