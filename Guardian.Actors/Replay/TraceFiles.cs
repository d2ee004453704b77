using System.Globalization;
using System.Text;

namespace Guardian.Actors.Replay;

/// <summary>The files of a trace: <c>trace.jsonl</c> is written, <c>trace.1.jsonl</c> and on are older. Not thread-safe.</summary>
/// <param name="folder">Made where missing.</param>
/// <param name="node">Stands in the first line of each file.</param>
/// <param name="options">Bounds.</param>
/// <param name="time">Clock of the first lines.</param>
internal sealed class TraceFiles(string folder, string node, RecordOptions options, TimeProvider time) : IDisposable
{
    private FileStream? _current;

    public static string Current(string folder) => Path.Combine(folder, "trace.jsonl");

    /// <summary>Appends a line, in a new file where the current one is full.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Append(string line)
    {
        var bytes = Encoding.UTF8.GetBytes(line + "\n");
        if (_current is not null && _current.Length + bytes.Length > options.MaxBytes) Rotate();
        if (_current is null)
        {
            Directory.CreateDirectory(folder);
            Shift();
            _current = new FileStream(Current(folder), FileMode.Create, FileAccess.Write, FileShare.Read | FileShare.Delete);
            _current.Write(Encoding.UTF8.GetBytes(new TraceLine { At = time.GetUtcNow(), Node = node }.ToJson() + "\n"));
        }

        _current.Write(bytes);
    }

    public void Flush() => _current?.Flush();

    public void Dispose() => Rotate();

    private void Rotate()
    {
        _current?.Dispose();
        _current = null;
    }

    private void Shift()
    {
        File.Delete(Name(options.Files - 1)); // where one file is kept, that is the current one
        for (var n = options.Files - 2; n >= 0; n--)
            if (File.Exists(Name(n))) File.Move(Name(n), Name(n + 1), overwrite: true);
    }

    private string Name(int n) => n <= 0 ? Current(folder) : Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"trace.{n}.jsonl"));
}
