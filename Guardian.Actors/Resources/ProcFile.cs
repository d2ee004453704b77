using Microsoft.Win32.SafeHandles;

namespace Guardian.Actors.Resources;

/// <summary>
/// A small file of the kernel that is read again and again. It stays open, since each read from the start makes the kernel
/// write it anew; opening costs more than reading. Not thread-safe.
/// </summary>
internal sealed class ProcFile(string path) : IDisposable
{
    private SafeFileHandle? _handle;

    public string Path => path;

    /// <summary>Its text, as far as the buffer reaches; false with the reason where it cannot be read.</summary>
    public bool TryRead(byte[] buffer, out ReadOnlySpan<byte> text, out string? why)
    {
        text = default;
        why = null;
        for (var attempt = 0; attempt < 2; attempt++)
        {
            try
            {
                // Looked for first: what is missing for good (PSI, a quota) must not cost an exception each second.
                if (_handle is null && !File.Exists(path))
                {
                    why = $"{path} is not there";
                    return false;
                }

                _handle ??= File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                text = buffer.AsSpan(0, RandomAccess.Read(_handle, buffer, 0));
                if (text.Length > 0) return true;
                why = $"{path} is empty";
                return false;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // A control group that was removed and made again has the same path and another file.
                why = $"{path}: {e.Message}";
                Dispose();
            }
        }

        return false;
    }

    public void Dispose()
    {
        _handle?.Dispose();
        _handle = null;
    }
}
