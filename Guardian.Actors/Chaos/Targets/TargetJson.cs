using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Guardian.Actors.Chaos.Targets;

/// <summary>Reads a node's answers by the promised names alone, so that a node may add fields freely.</summary>
internal static class TargetJson
{
    private static readonly string[] KernelCounts = ["running", "wanted", "restarts", "percent"];
    private static readonly string[] JobCounts = ["failed", "requeued"];
    private static readonly string[] HealthCounts = ["restarts", "parked", "queued"];

    /// <summary>Items of a list: the array itself, or the first array in an envelope.</summary>
    public static IReadOnlyList<JsonElement> Items(JsonElement answer) => answer.ValueKind switch
    {
        JsonValueKind.Array => [.. answer.EnumerateArray()],
        JsonValueKind.Object => [.. answer.EnumerateObject().Where(x => x.Value.ValueKind == JsonValueKind.Array).Take(1).SelectMany(x => x.Value.EnumerateArray())],
        _ => [],
    };

    public static string Text(JsonElement item, string name) =>
        item.ValueKind == JsonValueKind.Object && item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    public static long? Number(JsonElement item, string name) =>
        item.ValueKind == JsonValueKind.Object && item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : null;

    private static DateTimeOffset? Time(JsonElement item, string name) =>
        DateTimeOffset.TryParse(Text(item, name), System.Globalization.CultureInfo.InvariantCulture, out var at) ? at : null;

    public static TargetIncident Incident(JsonElement item)
    {
        // The subject is the blamed principal, or what it is about where nobody is.
        string[] names = ["subject", "principal", "topic"];
        var subject = names.Select(x => Text(item, x)).FirstOrDefault(x => x.Length > 0) ?? "";
        return new TargetIncident(Text(item, "id"), Text(item, "key"), Text(item, "type"), subject, Number(item, "violations"), Text(item, "state"),
            Time(item, "openedAt") ?? default,
            Texts(item, "rules"), Texts(item, "runs"));
    }

    public static TargetRun Run(JsonElement item)
    {
        var steps = item.TryGetProperty("steps", out var list) && list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray().Select(x => (Text(x, "id"), Text(x, "state"))).ToList()
            : [];
        return new TargetRun(Text(item, "id"), Text(item, "playbook"), Text(item, "incident"), Text(item, "state"), steps) { EndedAt = Time(item, "endedAt") };
    }

    /// <summary>The bus part of a status; a status that the node gives at all is an answer of its bus.</summary>
    public static JsonElement BusHealth(JsonElement status)
    {
        var bus = status.TryGetProperty("bus", out var found) && found.ValueKind == JsonValueKind.Object ? found : status;
        var healthy = !bus.TryGetProperty("healthy", out var value) || value.ValueKind == JsonValueKind.True;
        return Object(x =>
        {
            x.WriteBoolean("healthy", healthy);
            foreach (var name in HealthCounts) x.WriteNumber(name, Number(bus, name) ?? 0);
            var refused = bus.TryGetProperty("refused", out var counts) && counts.ValueKind == JsonValueKind.Object ? counts : default(JsonElement?);
            x.WriteNumber("queueFull", refused is { } full ? Number(full, "queueFull") ?? 0 : 0);
            x.WriteNumber("denied", refused is { } denied ? Number(denied, "aclDenied") ?? 0 : 0);
        });
    }

    /// <summary>Akka.Management's view of the members.</summary>
    public static JsonElement Members(JsonElement view)
    {
        int Count(string name, string? status = null) => view.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray().Count(x => status is null || Text(x, "status") == status)
            : 0;
        return Object(x =>
        {
            x.WriteNumber("up", Count("members", "Up"));
            x.WriteNumber("total", Count("members"));
            x.WriteNumber("unreachable", Count("unreachable"));
        });
    }

    /// <summary>A kernel's answer, as <c>kernels.status</c> measures it.</summary>
    /// <param name="kernel">As the node shows it.</param>
    /// <param name="now">UTC, of the same machine.</param>
    public static JsonElement Kernel(JsonElement kernel, DateTimeOffset now) => Object(x =>
    {
        x.WriteString("state", Text(kernel, "state"));
        foreach (var name in KernelCounts) x.WriteNumber(name, Number(kernel, name) ?? 0);
        foreach (var name in JobCounts) x.WriteNumber(name, kernel.TryGetProperty("jobs", out var jobs) ? Number(jobs, name) ?? 0 : 0);
        if (kernel.TryGetProperty("lastHeartbeat", out var beat) && beat.ValueKind == JsonValueKind.String) x.WriteNumber("silentMs", (now - beat.GetDateTimeOffset()).TotalMilliseconds);
    });

    public static JsonElement Object(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(128);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        using var document = JsonDocument.Parse(buffer.WrittenMemory);
        return document.RootElement.Clone();
    }

    /// <summary>A message of the event stream: body as text, or base64 where it was no text.</summary>
    public static ChaosMessage? Message(string data)
    {
        try
        {
            using var document = JsonDocument.Parse(data);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object) return null;
            return new ChaosMessage(Text(root, "topic"), Text(root, "principal"), Body(root));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Body(JsonElement message)
    {
        var body = Text(message, "body");
        if (Text(message, "encoding") != "base64") return body;
        var bytes = new byte[body.Length];
        return Convert.TryFromBase64String(body, bytes, out var written) ? Encoding.UTF8.GetString(bytes, 0, written) : "";
    }

    private static List<string> Texts(JsonElement item, string name) =>
        item.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array
            ? [.. list.EnumerateArray().Select(x => x.ValueKind == JsonValueKind.String ? x.GetString()! : Text(x, "id"))]
            : [];
}
