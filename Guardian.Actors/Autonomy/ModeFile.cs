using System.Text.Json;

namespace Guardian.Actors.Autonomy;

/// <summary>What operators have set, in the data directory, so that a hold survives a restart of the only node.</summary>
internal sealed class ModeFile(string dataDirectory)
{
    public string Path { get; } = System.IO.Path.Combine(dataDirectory, "mode.json");

    /// <summary>The file that holds this node while it exists.</summary>
    public string HoldPath { get; } = System.IO.Path.Combine(dataDirectory, "HOLD");

    public bool HoldExists => File.Exists(HoldPath);

    /// <summary>Null where nothing was ever set.</summary>
    /// <exception cref="JsonException">Not what was written.</exception>
    /// <exception cref="IOException">Cannot be read.</exception>
    public ClusterMode? Read() =>
        File.Exists(Path) ? JsonSerializer.Deserialize(File.ReadAllText(Path), ModeJson.Default.ClusterMode) : null;

    /// <summary>Replaces the file whole: a crash leaves the old one or the new one.</summary>
    public async Task WriteAsync(ClusterMode mode)
    {
        var next = Path + ".new";
        await using (var stream = new FileStream(next, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            await JsonSerializer.SerializeAsync(stream, mode, ModeJson.Default.ClusterMode);
            stream.Flush(flushToDisk: true);
        }

        File.Move(next, Path, overwrite: true);
    }
}
