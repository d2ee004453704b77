using System.Globalization;
using System.Security.Cryptography;
using Guardian.Actors.Persistence;

namespace Guardian.Actors.Hosting;

/// <summary>
/// The node's own folder: its name, its journal, its keys. Held by a lock file while the process lives, so that two
/// nodes never write one journal.
/// </summary>
internal sealed class DataDirectory : IDisposable
{
    private readonly FileStream _lock;

    private DataDirectory(string path, string nodeName, FileStream held)
    {
        (FullPath, NodeName, _lock) = (path, nodeName, held);
    }

    /// <summary>Absolute path.</summary>
    public string FullPath { get; }

    /// <summary>The node's name: configured, or made at first start and kept.</summary>
    public string NodeName { get; }

    /// <summary>Creates the folder where missing, takes the lock and settles the node's name.</summary>
    /// <exception cref="IOException">Another process holds the folder, or it cannot be written.</exception>
    public static DataDirectory Open(NodeOptions options)
    {
        var path = Path.GetFullPath(options.DataDirectory);
        FileStream held;
        try
        {
            Create(path);
            held = new FileStream(Path.Combine(path, "node.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"Guardian:Node:DataDirectory: {path} cannot be used ({e.Message}); is another node running on it?", e);
        }

        try
        {
            SettleVersion(path);
            return new DataDirectory(path, SettleName(path, options.Name), held);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Makes the folder, open to its owner alone, where it is missing: it holds keys and what jobs wrote. One that is there keeps its mode.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    public static void Create(string path)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();

    /// <summary>Notes the version of what the folder holds; a newer one's is refused.</summary>
    private static void SettleVersion(string path)
    {
        var file = Path.Combine(path, "schema");
        if (!File.Exists(file))
        {
            File.WriteAllText(file, string.Create(CultureInfo.InvariantCulture, $"{JournalMeta.SchemaVersion}\n"));
            return;
        }

        if (!int.TryParse(File.ReadAllText(file).Trim(), CultureInfo.InvariantCulture, out var version))
            throw new IOException($"Guardian:Node:DataDirectory: {file} does not hold a number; restore a backup");
        if (JournalMeta.Refusal(version, $"Guardian:Node:DataDirectory: {path}") is { } refusal) throw new IOException(refusal);
    }

    private static string SettleName(string path, string configured)
    {
        var file = Path.Combine(path, "node.name");
        var kept = File.Exists(file) ? File.ReadAllText(file).Trim() : "";
        if (configured.Length > 0 && kept.Length > 0 && kept != configured)
            throw new IOException($"Guardian:Node:Name: this data directory belongs to node '{kept}', not '{configured}'; use its own directory or remove {file}");
        if (kept.Length > 0) return kept;
        var name = configured.Length > 0
            ? configured
            : string.Create(CultureInfo.InvariantCulture, $"node-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(3))}");
        File.WriteAllText(file, name + "\n");
        return name;
    }
}
