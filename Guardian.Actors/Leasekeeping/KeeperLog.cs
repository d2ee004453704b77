using System.Globalization;

namespace Guardian.Actors.Leasekeeping;

/// <summary>What the keeper did, beside the leases: after the node's death nobody else listens. The two latest files are kept.</summary>
internal sealed class KeeperLog(string path)
{
    private const int MaxBytes = 256 * 1024; // some thousand undos

    public void Write(DateTimeOffset at, string what)
    {
        try
        {
            if (File.Exists(path) && new FileInfo(path).Length > MaxBytes) File.Move(path, path + ".old", overwrite: true);
            File.AppendAllText(path, string.Create(CultureInfo.InvariantCulture, $"{at.UtcDateTime:O} {what}\n"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A full disk must not keep the keeper from undoing.
        }
    }
}
