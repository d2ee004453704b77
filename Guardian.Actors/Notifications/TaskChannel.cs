using System.Text.Json;

namespace Guardian.Actors.Notifications;

/// <summary>
/// Work items to a file, an HTTP endpoint, an issue tracker, or several: an item is delivered when every configured place has it. The file comes
/// first and decides whether it is a new item or a comment; a repeat finds its own line there and posts the same content.
/// </summary>
internal sealed class TaskChannel(TaskFile? file, HttpDelivery http, Uri? target, IssueTracker? issues = null) : INotificationChannel
{
    private readonly TaskBook _withoutFile = new();
    private int _remembered;

    public async Task<ChannelResult> SendAsync(Sending sending, CancellationToken cancellation)
    {
        var item = sending.Item;
        TaskRecord? record;
        try
        {
            record = file is null ? InMemory(item) : file.Write(item);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new ChannelResult.Retry($"task file cannot be written (Guardian:Tasks:File): {e.Message}");
        }

        if (target is not null && record is not null)
        {
            var body = JsonSerializer.SerializeToUtf8Bytes(record, OutboxJson.Default.TaskRecord);
            var posted = await http.PostAsync(target, body, "application/json", item.Key, [], cancellation).ConfigureAwait(false);
            if (posted is not ChannelResult.Delivered) return posted;
        }

        return issues is null ? ChannelResult.Ok : await issues.SendAsync(sending, cancellation).ConfigureAwait(false);
    }

    // Without a file the receiver keeps the book; this only keeps repeats of one process alike.
    private TaskRecord? InMemory(Deliver item)
    {
        var (record, isNew) = _withoutFile.Plan(item);
        if (isNew && _remembered++ < OutboxState.MaxEnded) _withoutFile.Add(record!);
        return record;
    }
}
