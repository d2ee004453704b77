using System.Text.Json;
using Guardian.Actors.Chaos.Targets;

namespace Guardian.Actors.Chaos.Drills;

/// <summary>What happened in the drills of a run, one JSON object a line. What must survive the runner's death is flushed to disk before it goes on. Thread-safe.</summary>
internal sealed class DrillLog : IDisposable
{
    private readonly Stream? _stream;
    private readonly Lock _gate;
    private readonly string? _drill;

    /// <param name="stream">Where to; null: nowhere.</param>
    public DrillLog(Stream? stream)
        : this(stream, new Lock(), null)
    {
    }

    private DrillLog(Stream? stream, Lock gate, string? drill) => (_stream, _gate, _drill) = (stream, gate, drill);

    /// <summary>Keeps nothing.</summary>
    public static DrillLog None { get; } = new(null);

    /// <summary>The same log; each line names the drill.</summary>
    public DrillLog Of(string drill) => new(_stream, _gate, drill);

    public void Write(TimeSpan at, string kind, Action<Utf8JsonWriter>? fields = null, bool durable = false)
    {
        if (_stream is null) return;
        var line = TargetJson.Object(x =>
        {
            x.WriteNumber("ms", Math.Round(at.TotalMilliseconds, 3));
            x.WriteString("kind", kind);
            if (_drill is not null) x.WriteString("drill", _drill);
            fields?.Invoke(x);
        });
        lock (_gate)
        {
            using (var writer = new Utf8JsonWriter(_stream)) line.WriteTo(writer);
            _stream.WriteByte((byte)'\n');
            if (durable && _stream is FileStream file) file.Flush(flushToDisk: true);
        }
    }

    /// <summary>The whole history of the load, when it is complete.</summary>
    public void WriteHistory(DrillRecord record)
    {
        if (_stream is null) return;
        foreach (var operation in record.Operations)
        {
            Write(operation.SentAt, "operation", x =>
            {
                x.WriteString("id", operation.Id);
                x.WriteString("principal", operation.Principal);
                x.WriteString("topic", operation.Topic);
                x.WriteString("outcome", operation.Outcome.ToString().ToLowerInvariant());
                x.WriteString("answer", operation.Answer);
                if (operation.Node.Length > 0) x.WriteString("node", operation.Node);
                x.WriteNumber("latencyMs", Math.Round(operation.Latency.TotalMilliseconds, 3));
            });
        }

        foreach (var window in record.Windows)
        {
            Write(window.From, "latency-window", x =>
            {
                x.WriteBoolean("flooded", window.Flooded);
                x.WriteNumber("untilMs", Math.Round(window.To.TotalMilliseconds, 3));
            });
        }

        foreach (var delivery in record.Deliveries) Write(delivery.At, "delivery", x => x.WriteString("id", delivery.OperationId));
    }

    public void Dispose() => _stream?.Dispose();
}
