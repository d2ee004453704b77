using System.Globalization;

namespace Guardian.Actors.Kernels.Processes;

/// <summary>A file that never grows beyond its bound: it becomes <c>.1</c>, that <c>.2</c>, and the oldest is deleted. Not thread-safe.</summary>
internal sealed class OutputFile(string path, OutputSpec spec) : IDisposable
{
    private FileStream? _file;

    /// <summary>Bytes written since it was opened.</summary>
    public long Written { get; private set; }

    /// <exception cref="IOException">The disk does not take it.</exception>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            _file ??= Open();
            var room = spec.MaxBytes - _file.Length;
            if (room <= 0)
            {
                Rotate();
                continue;
            }

            var part = bytes[..(int)Math.Min(room, bytes.Length)];
            _file.Write(part);
            Written += part.Length;
            bytes = bytes[part.Length..];
        }
    }

    public void Dispose() => _file?.Dispose();

    private FileStream Open() => new(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);

    private void Rotate()
    {
        _file?.Dispose();
        _file = null;
        if (spec.Files == 1)
        {
            File.Delete(path);
            return;
        }

        for (var i = spec.Files - 1; i > 1; i--)
            if (File.Exists(Older(i - 1))) File.Move(Older(i - 1), Older(i), overwrite: true);
        File.Move(path, Older(1), overwrite: true);
    }

    private string Older(int i) => string.Create(CultureInfo.InvariantCulture, $"{path}.{i}");
}
