using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;
using Guardian.Actors.Persistence;
using Guardian.Host.Http.Security;

namespace Guardian.Host.Http;

/// <summary>Everything worth seeing, without payloads, resumable.</summary>
internal static class EventRoutes
{
    /// <summary>Read ahead of a slow client; beyond it the projection waits for the client, not in memory.</summary>
    private const int Ahead = 256;

    /// <summary>Streams at once on this node: whenever something happens, each of them asks the projection's file. Dashboards and operators are few.</summary>
    public const int MaxStreams = 100;

    public static void Map(ApiRoutes routes)
    {
        var open = new StreamCount(MaxStreams);
        routes.Map("GET", "/api/v1/events", Rights.Read, "Events from the journal, then live: server-sent events, resumable by Last-Event-ID",
            call => StreamAsync(routes.Api, call, open));
    }

    private static async Task StreamAsync(ApiContext api, ApiCall call, StreamCount open)
    {
        var text = call.Http.Request.Headers["Last-Event-ID"].ToString() is { Length: > 0 } header ? header : call.Query("after") ?? "0";
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var after))
        {
            await Problems.Invalid(call.Http, "Last-Event-ID (or 'after') is the id of the last event seen, a number");
            return;
        }

        if (!open.TryEnter())
        {
            await Problems.TooMany(call.Http, "too-many-streams", "Too many streams", $"at most {MaxStreams} of events at once on a node", null);
            return;
        }

        try
        {
            await StreamAsync(api, call, after);
        }
        finally
        {
            open.Leave();
        }
    }

    private static async Task StreamAsync(ApiContext api, ApiCall call, long after)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(call.Cancellation, api.Stopping);
        var channel = Channel.CreateBounded<EventView>(new BoundedChannelOptions(Ahead) { SingleReader = true, SingleWriter = true });
        var filling = FillAsync(call.Guardian.Parts.ReadModel.EventsAsync(after, ends.Token), channel.Writer, ends.Token);
        try
        {
            await new SseResponse(call.Http, api.Time).PumpAsync(channel.Reader, Write, () => api.Gate.StillAdmits(call.Http, call.Caller, Rights.Read), ends.Token);
        }
        finally
        {
            await ends.CancelAsync();
            await filling;
        }
    }

    private static async Task FillAsync(IAsyncEnumerable<EventView> events, ChannelWriter<EventView> writer, CancellationToken ends)
    {
        try
        {
            await foreach (var item in events.WithCancellation(ends)) await writer.WriteAsync(item, ends);
            writer.TryComplete();
        }
        catch (OperationCanceledException)
        {
            writer.TryComplete();
        }
        catch (Exception)
        {
            writer.TryComplete(); // the client resumes by its last id, when the journal is back
        }
    }

    private static void Write(SseWriter sse, EventView item)
    {
        sse.Begin(item.Offset.ToString(CultureInfo.InvariantCulture), item.Type);
        JsonSerializer.Serialize(sse.Json, item, ApiJson.Default.EventView);
        sse.End();
    }
}
