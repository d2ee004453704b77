using System.Text.Json;
using Guardian.Actors.Chaos.Targets;

namespace Guardian.Actors.Chaos.Drills;

/// <summary>What happened in a drill, one JSON object a line. What must survive the runner's death is flushed to disk before it goes on.</summary>
internal sealed class DrillLog(Stream? stream) : IDisposable
{
    private readonly Lock _gate = new();

    /// <summary>Keeps nothing.</summary>
    public static DrillLog None { get; } = new(null);

    public void Write(TimeSpan at, string kind, Action<Utf8JsonWriter>? fields = null, bool durable = false)
    {
        if (stream is null) return;
        var line = TargetJson.Object(x =>
        {
            x.WriteNumber("ms", Math.Round(at.TotalMilliseconds, 3));
            x.WriteString("kind", kind);
            fields?.Invoke(x);
        });
        lock (_gate)
        {
            using (var writer = new Utf8JsonWriter(stream)) line.WriteTo(writer);
            stream.WriteByte((byte)'\n');
            if (durable && stream is FileStream file) file.Flush(flushToDisk: true);
        }
    }

    /// <summary>The whole history of the load, when it is complete.</summary>
    public void WriteHistory(DrillRecord record)
    {
        if (stream is null) return;
        foreach (var operation in record.Operations)
        {
            Write(operation.SentAt, "operation", x =>
            {
                x.WriteString("id", operation.Id);
                x.WriteString("principal", operation.Principal);
                x.WriteString("topic", operation.Topic);
                x.WriteString("outcome", operation.Outcome.ToString().ToLowerInvariant());
                x.WriteString("answer", operation.Answer);
                x.WriteNumber("latencyMs", Math.Round(operation.Latency.TotalMilliseconds, 3));
            });
        }

        foreach (var delivery in record.Deliveries) Write(delivery.At, "delivery", x => x.WriteString("id", delivery.OperationId));
    }

    public void Dispose() => stream?.Dispose();
}
