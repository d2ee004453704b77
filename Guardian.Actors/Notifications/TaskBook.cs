using System.Security.Cryptography;
using System.Text;

namespace Guardian.Actors.Notifications;

/// <summary>One line of the task file.</summary>
internal sealed record TaskRecord
{
    /// <summary>The work item; its comments and its end carry the same id.</summary>
    public required string Id { get; init; }

    /// <summary>What it is about: playbook and subject.</summary>
    public required string ItemKey { get; init; }

    public required string Title { get; init; }
    public required string Body { get; init; }

    /// <summary><c>open</c> opens an item, <c>comment</c> adds to it, <c>closed</c> (written by whoever did the work) ends it.</summary>
    public required string State { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Idempotency key of the request that made this line.</summary>
    public required string Key { get; init; }

    /// <summary>How often the item was asked for so far, this time included.</summary>
    public int? Occurrence { get; init; }

    public string? Severity { get; init; }
    public string? Incident { get; init; }
    public string? Run { get; init; }
}

/// <summary>
/// At most one open item per <see cref="TaskRecord.ItemKey"/>: a recurrence becomes a comment on it. One line per key. Pure.
/// </summary>
internal sealed class TaskBook
{
    /// <summary>Open items: more than people ever work through.</summary>
    public const int MaxOpen = 10_000;

    private readonly Dictionary<string, TaskRecord> _byKey = new(StringComparer.Ordinal);
    private readonly Queue<string> _keys = new(); // oldest first; the outbox itself asks for none that has fallen out
    private readonly Dictionary<string, OpenTask> _open = new(StringComparer.Ordinal);

    /// <summary>An open item: the line that opened it, and the latest one on it.</summary>
    private sealed record OpenTask(TaskRecord Opening, TaskRecord Latest, int Occurrences);

    /// <summary>Keys remembered, at most <see cref="OutboxState.MaxEnded"/>.</summary>
    public int Remembered => _byKey.Count;

    /// <summary>True where no further item should be opened.</summary>
    public bool IsFull => _open.Count >= MaxOpen;

    /// <summary>The lines that tell what is open and how often it was asked for.</summary>
    public IEnumerable<TaskRecord> OpenLines => _open.Values.SelectMany(x => x.Latest == x.Opening ? [x.Opening] : (TaskRecord[])[x.Opening, x.Latest with { Occurrence = x.Occurrences }]);

    /// <summary>Takes a line into account; the last one on an item tells whether it is open.</summary>
    public void Add(TaskRecord record)
    {
        if (record.Key.Length > 0 && _byKey.TryAdd(record.Key, record))
        {
            _keys.Enqueue(record.Key);
            if (_keys.Count > OutboxState.MaxEnded) _byKey.Remove(_keys.Dequeue());
        }

        if (record.State == "open") _open[record.ItemKey] = new OpenTask(record, record, record.Occurrence ?? 1);
        else if (!_open.TryGetValue(record.ItemKey, out var open) || open.Opening.Id != record.Id) return;
        else if (record.State == "closed") _open.Remove(record.ItemKey);
        else _open[record.ItemKey] = open with { Latest = record, Occurrences = Math.Max(open.Occurrences, record.Occurrence ?? (open.Occurrences + 1)) };
    }

    /// <summary>
    /// The line of a request: the one that its key made before, or a new one, which is not in the book until <see cref="Add"/>;
    /// null where it only adds to an item that nobody has open.
    /// </summary>
    public (TaskRecord? Record, bool IsNew) Plan(Deliver item)
    {
        if (_byKey.TryGetValue(item.Key, out var known)) return (known, false);
        var itemKey = string.IsNullOrEmpty(item.ItemKey) ? item.Key : item.ItemKey;
        var recurrence = _open.TryGetValue(itemKey, out var open);
        if (item.CommentOnly && !recurrence) return (null, false);
        return (new TaskRecord
        {
            Id = recurrence ? open!.Opening.Id : "task-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(item.Key)))[..12],
            ItemKey = itemKey,
            Title = item.Title,
            Body = item.Text,
            State = recurrence ? "comment" : "open",
            CreatedAt = item.At,
            Key = item.Key,
            Occurrence = recurrence ? open!.Occurrences + (item.CommentOnly ? 0 : 1) : 1,
            Severity = item.Severity,
            Incident = item.IncidentId,
            Run = item.RunId,
        }, true);
    }
}
