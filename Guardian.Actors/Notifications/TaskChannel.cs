using System.Text.Json;

namespace Guardian.Actors.Notifications;

/// <summary>
/// Work items to a file, an HTTP endpoint, an issue tracker, or several: an item is delivered when every configured place has it. Each is tried,
/// whatever becomes of the others, and none gets again what it has. The file decides whether it is a new item or a comment; a repeat
/// finds its own line there and posts the same content.
/// </summary>
internal sealed class TaskChannel(TaskFile? file, HttpDelivery http, Uri? target, IssueTracker? issues = null) : INotificationChannel
{
    private const string Webhook = "webhook";
    private const string Issues = "issues";

    private TaskBook _withoutFile = new();

    public async Task<ChannelResult> SendAsync(Sending sending, CancellationToken cancellation)
    {
        var item = sending.Item;
        var earlier = sending.Ends ?? [];
        var (record, written) = Written(item);
        var ended = new List<ReceiverEnd>();
        var results = new List<ChannelResult> { written };
        if (target is not null && record is not null && !Has(Webhook))
        {
            var body = JsonSerializer.SerializeToUtf8Bytes(record, OutboxJson.Default.TaskRecord);
            Took(Webhook, await http.PostAsync(target, body, "application/json", item.Key, [], cancellation).ConfigureAwait(false));
        }

        if (issues is not null && !Has(Issues)) Took(Issues, await issues.SendAsync(sending, cancellation).ConfigureAwait(false));
        var together = Together([.. earlier, .. ended], results);
        return together is ChannelResult.Delivered ? together : together with { Ended = ended };

        bool Has(string receiver) => earlier.Any(x => x.Receiver == receiver);

        void Took(string receiver, ChannelResult result)
        {
            results.Add(result);
            if (result is ChannelResult.Delivered done) ended.Add(new ReceiverEnd(receiver, done.Reference));
            if (result is ChannelResult.Refused refused) ended.Add(new ReceiverEnd(receiver, Refused: refused.Reason));
        }
    }

    /// <summary>Whoever can still take it decides that it is tried again; else one refusal is the item's.</summary>
    private static ChannelResult Together(IReadOnlyList<ReceiverEnd> ends, List<ChannelResult> results)
    {
        var retries = results.OfType<ChannelResult.Retry>().ToList();
        if (retries.Count > 0) return new ChannelResult.Retry(string.Join("; ", retries.Select(x => x.Reason)), retries.Max(x => x.After));
        var refusals = ends.Select(x => x.Refused).OfType<string>().Union(results.OfType<ChannelResult.Refused>().Select(x => x.Reason)).ToList();
        return refusals.Count > 0
            ? new ChannelResult.Refused(string.Join("; ", refusals))
            : new ChannelResult.Delivered(ends.Select(x => x.Reference).FirstOrDefault(x => x is not null));
    }

    /// <summary>The item's line, and whether the file has it. The others get the line also while the file cannot be written.</summary>
    private (TaskRecord? Record, ChannelResult Result) Written(Deliver item)
    {
        if (file is null) return (InMemory(item), ChannelResult.Ok);
        try
        {
            return (file.Write(item), ChannelResult.Ok);
        }
        catch (TaskFileFullException e)
        {
            return (file.Planned(item), new ChannelResult.Refused(e.Message));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (file.Planned(item), new ChannelResult.Retry($"task file cannot be written (Guardian:Tasks:File): {e.Message}"));
        }
    }

    // Without a file the receiver keeps the book; this only keeps repeats of one process alike.
    private TaskRecord? InMemory(Deliver item)
    {
        if (_withoutFile.IsFull) _withoutFile = new TaskBook();
        var (record, isNew) = _withoutFile.Plan(item);
        if (isNew) _withoutFile.Add(record!);
        return record;
    }
}
