using System.Security.Cryptography;
using Guardian.Actors.Hosting;

namespace Guardian.Host.Http.Security;

/// <summary>
/// <c>&lt;data&gt;/admin.key</c>: what keyless operators prove themselves with. Whoever can read the node's data directory
/// is its administrator. 256 random bits, mode 0600 from the moment it exists.
/// </summary>
internal static class AdminKeyFile
{
    public const string Name = "admin.key";

    public static string PathIn(string dataDirectory) => Path.Combine(dataDirectory, Name);

    /// <summary>The node's key, made at first start.</summary>
    /// <exception cref="IOException">The data directory cannot be read or written.</exception>
    public static string Ensure(string dataDirectory)
    {
        DataDirectory.Create(dataDirectory);
        var path = PathIn(dataDirectory);
        if (TryRead(path) is { } known) return known;

        // Written aside and linked into place, so that nobody ever reads half a key and of two starters one wins.
        var aside = Path.Combine(dataDirectory, $".{Name}.{Environment.ProcessId}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}");
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using (var stream = new FileStream(aside, options))
            {
                stream.Write(System.Text.Encoding.ASCII.GetBytes(NewKey() + "\n"));
                stream.Flush(flushToDisk: true);
            }

            File.Move(aside, path, overwrite: false);
        }
        catch (IOException) when (TryRead(path) is not null)
        {
            // Another starter was first; its key holds.
        }
        finally
        {
            File.Delete(aside);
        }

        return TryRead(path) ?? throw new IOException($"{path} holds no key; remove it, and the next start makes a new one");
    }

    /// <summary>The key in the file; null where there is none.</summary>
    public static string? TryRead(string path)
    {
        try
        {
            var text = File.ReadAllText(path).Trim();
            return text.Length >= 32 ? text : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>256 random bits in 43 URL-safe characters.</summary>
    public static string NewKey() => System.Buffers.Text.Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
}
