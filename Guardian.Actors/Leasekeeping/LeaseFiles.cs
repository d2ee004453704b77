using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Guardian.Actors.Leasekeeping;

/// <summary>The leases on disk, one file each, readable by their owner alone. What <see cref="Write"/> returned from survives a crash of everything.</summary>
internal sealed class LeaseFiles
{
    private const string Extension = ".lease.json";
    private readonly string _folder;

    /// <exception cref="IOException">The folder cannot be made.</exception>
    public LeaseFiles(string folder)
    {
        _folder = folder;
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public void Write(OsLease lease)
    {
        var path = PathOf(lease.Id);
        var draft = path + ".new";
        using (var stream = new FileStream(draft, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            JsonSerializer.Serialize(stream, lease, LeasekeepingJson.Default.OsLease);
            stream.Flush(flushToDisk: true);
        }

        File.Move(draft, path, overwrite: true);
        Posix.SyncFolder(_folder);
    }

    public void Remove(string id) => File.Delete(PathOf(id));

    /// <summary>All leases. One that cannot be read is put aside as <c>*.damaged</c> and named.</summary>
    public (IReadOnlyList<OsLease> Leases, IReadOnlyList<string> Damaged) Read()
    {
        var leases = new List<OsLease>();
        var damaged = new List<string>();
        foreach (var path in Directory.EnumerateFiles(_folder, "*" + Extension))
        {
            try
            {
                using var stream = File.OpenRead(path);
                leases.Add(JsonSerializer.Deserialize(stream, LeasekeepingJson.Default.OsLease) ?? throw new JsonException("empty"));
            }
            catch (JsonException e)
            {
                File.Move(path, path + ".damaged", overwrite: true);
                damaged.Add($"{path}.damaged: {e.Message}");
            }
        }

        return (leases, damaged);
    }

    private string PathOf(string id) => Path.Combine(_folder, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)))[..32] + Extension);
}
