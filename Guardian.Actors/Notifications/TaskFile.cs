using System.Text;
using System.Text.Json;

namespace Guardian.Actors.Notifications;

/// <summary>
/// The JSON Lines file behind a <see cref="TaskBook"/>. People and tools may read it, and close items by editing or appending:
/// it is read again whenever it changed. Each line is on the disk before it counts. Not safe for two writers at once;
/// the outbox of its channel is the only one.
/// </summary>
internal sealed class TaskFile(string path)
{
    private TaskBook _book = new();
    private (long Length, DateTime Written) _seen = (-1, default);

    /// <summary>Lines that are not task records, as read last: torn by a crash or edited badly. They are left alone.</summary>
    public int Unreadable { get; private set; }

    /// <summary>The request's line, in the file when this returns; null where it only adds to an item that nobody has open.</summary>
    public TaskRecord? Write(Deliver item)
    {
        var endsWithNewLine = Refresh();
        var (record, isNew) = _book.Plan(item);
        if (!isNew || record is null) return record;

        var line = JsonSerializer.Serialize(record, OutboxJson.Default.TaskRecord) + "\n";
        using (var stream = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read))
        {
            // A line torn by a crash must not swallow the next one.
            stream.Write(Encoding.UTF8.GetBytes(endsWithNewLine ? line : "\n" + line));
            stream.Flush(flushToDisk: true);
        }

        _book.Add(record);
        _seen = Stamp();
        return record;
    }

    private bool Refresh()
    {
        var now = Stamp();
        if (now == _seen) return true;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var text = File.Exists(path) ? File.ReadAllText(path) : "";
        var book = new TaskBook();
        var unreadable = 0;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (line.IsWhiteSpace()) continue;
            try
            {
                if (JsonSerializer.Deserialize(line, OutboxJson.Default.TaskRecord) is { } record) book.Add(record);
            }
            catch (JsonException)
            {
                unreadable++;
            }
        }

        (_book, _seen, Unreadable) = (book, now, unreadable);
        var complete = text.Length == 0 || text.EndsWith('\n');
        if (!complete) _seen = (-1, default); // look again until it ends with a line
        return complete;
    }

    private (long Length, DateTime Written) Stamp()
    {
        var file = new FileInfo(path);
        return file.Exists ? (file.Length, file.LastWriteTimeUtc) : (0, default);
    }
}
