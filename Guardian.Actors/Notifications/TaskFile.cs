using System.Text;
using System.Text.Json;

namespace Guardian.Actors.Notifications;

/// <summary>
/// The JSON Lines file behind a <see cref="TaskBook"/>. People and tools may read it, and close items by editing or appending:
/// it is read again whenever it changed. Each line is on the disk before it counts. Not safe for two writers at once;
/// the outbox of its channel is the only one. Past <see cref="MaxBytes"/> the lines of open items alone go on in a new file; the one before is kept as <c>*.old</c>.
/// </summary>
internal sealed class TaskFile(string path, long maxBytes = TaskFile.MaxBytes)
{
    /// <summary>Some ten thousand lines; reading them takes a fraction of a second.</summary>
    public const long MaxBytes = 16 * 1024 * 1024;

    private TaskBook _book = new();
    private long _kept; // bytes of what was open when the file was renewed last
    private (long Length, DateTime Written) _seen = (-1, default);

    /// <summary>Lines that are not task records, as read last: torn by a crash or edited badly. They are left alone.</summary>
    public int Unreadable { get; private set; }

    /// <summary>The request's line as the file was read last, without touching the file.</summary>
    public TaskRecord? Planned(Deliver item) => _book.Plan(item).Record;

    /// <summary>The request's line, in the file when this returns; null where it only adds to an item that nobody has open.</summary>
    /// <exception cref="TaskFileFullException">So many items are open that no other is opened.</exception>
    public TaskRecord? Write(Deliver item)
    {
        var endsWithNewLine = Refresh();
        var (record, isNew) = _book.Plan(item);
        if (!isNew || record is null) return record;
        if (record.State == "open" && _book.IsFull)
            throw new TaskFileFullException($"{TaskBook.MaxOpen} work items are open in {path} (Guardian:Tasks:File); close some: append their line with the state closed, or take their lines out");
        if (_seen.Length > Math.Max(maxBytes, 2 * _kept)) // where so much is open, not at every line
        {
            Renew();
            endsWithNewLine = true;
        }

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

    /// <summary>Keys of what is over are forgotten: the outbox asks for none of them again. A crash in between leaves the whole file.</summary>
    private void Renew()
    {
        var next = path + ".new";
        using (var stream = new FileStream(next, FileMode.Create, FileAccess.Write, FileShare.Read))
        {
            foreach (var record in _book.OpenLines) stream.Write(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(record, OutboxJson.Default.TaskRecord) + "\n"));
            stream.Flush(flushToDisk: true);
        }

        File.Copy(path, path + ".old", overwrite: true);
        File.Move(next, path, overwrite: true);
        Refresh();
        _kept = _seen.Length;
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

/// <summary>No further work item is opened in the file.</summary>
internal sealed class TaskFileFullException(string message) : Exception(message);
