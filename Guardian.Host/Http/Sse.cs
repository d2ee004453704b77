using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Threading.Channels;

namespace Guardian.Host.Http;

/// <summary>Writes server-sent events whose data is one line of JSON. Reused over a stream's life; one writer at a time.</summary>
internal sealed class SseWriter(IBufferWriter<byte> output) : IDisposable
{
    // Control characters are still escaped, so that data stays on one line.
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public Utf8JsonWriter Json { get; } = new(output, Plain);

    /// <summary>Begins an event; its data is then written to <see cref="Json"/>.</summary>
    public void Begin(string id, string? type)
    {
        Text("id: ");
        Text(id);
        if (type is not null)
        {
            Text("\nevent: ");
            Text(type);
        }

        Text("\ndata: ");
        Json.Reset();
    }

    public void End()
    {
        Json.Flush();
        Text("\n\n");
    }

    /// <summary>A comment keeps connection and proxies awake.</summary>
    public void Comment(string text)
    {
        Text(": ");
        Text(text);
        Text("\n\n");
    }

    public void Dispose() => Json.Dispose();

    private void Text(string text) => Encoding.UTF8.GetBytes(text, output);
}

/// <summary>A response that stays open.</summary>
internal sealed class SseResponse(HttpContext http, TimeProvider time)
{
    /// <summary>Proxies close what is silent for 15 s and more.</summary>
    public static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(10);

    /// <summary>Events per flush, so that a fast source does not hold back the first.</summary>
    private const int Batch = 64;

    /// <summary>
    /// Pumps until the channel completes, the client goes, the token ends it, or, asked at each keep-alive, the caller may no
    /// longer have it.
    /// </summary>
    public async Task PumpAsync<T>(ChannelReader<T> source, Action<SseWriter, T> write, Func<bool> stillMay, CancellationToken ends)
    {
        var body = await StartAsync(ends);
        using var sse = new SseWriter(body);
        using var timer = new PeriodicTimer(KeepAlive, time);
        sse.Comment("open");
        await body.FlushAsync(ends);
        var tick = timer.WaitForNextTickAsync(ends).AsTask();
        try
        {
            while (true)
            {
                var waiting = source.WaitToReadAsync(ends).AsTask();
                while (tick.IsCompleted || (!waiting.IsCompleted && await Task.WhenAny(waiting, tick) == tick)) // also of a source that never rests
                {
                    await tick;
                    if (!stillMay()) return;
                    sse.Comment("alive");
                    await body.FlushAsync(ends);
                    tick = timer.WaitForNextTickAsync(ends).AsTask();
                }

                if (!await waiting) return;
                for (var i = 0; i < Batch && source.TryRead(out var item); i++) write(sse, item);
                if ((await body.FlushAsync(ends)).IsCompleted) return;
            }
        }
        catch (OperationCanceledException) when (ends.IsCancellationRequested)
        {
            // The client has gone, or the node is going down.
        }
    }

    private async Task<PipeWriter> StartAsync(CancellationToken ends)
    {
        http.Response.ContentType = "text/event-stream";
        http.Response.Headers.CacheControl = "no-cache";
        http.Response.Headers["X-Accel-Buffering"] = "no";
        await http.Response.StartAsync(ends);
        return http.Response.BodyWriter;
    }
}

/// <summary>Streams that are open at once, at most so many.</summary>
internal sealed class StreamCount(int max)
{
    private int _open;

    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _open) <= max) return true;
        Leave();
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _open);
}
