using System.Text.Json;
using System.Text.Json.Serialization;
using Guardian.Actors.Bus;
using Guardian.Actors.Scheduling;

namespace Guardian.Actors.Kernels;

/// <summary>A job as it is ordered on the bus.</summary>
internal sealed record JobOrder
{
    /// <summary>A declared command; not needed where the pool has one alone, or a handler.</summary>
    public string? Command { get; init; }

    /// <summary>Text as it is, anything else as JSON.</summary>
    public JsonElement? Payload { get; init; }

    /// <summary>0 to 9, or low, normal, high, critical.</summary>
    public JsonElement? Priority { get; init; }
}

/// <summary>What became of an order.</summary>
internal sealed record JobNews
{
    /// <summary>Id of the message with the order.</summary>
    public required string Request { get; init; }
    public required string Kernel { get; init; }

    /// <summary>Missing where it was refused.</summary>
    public string? Job { get; init; }

    /// <summary>refused, unknown, queued (it is in the journal), succeeded, failed or timed_out.</summary>
    public required string State { get; init; }
    public int? ExitCode { get; init; }
    public string? Reason { get; init; }
}

/// <summary>Reads orders: over the bus and HTTP alike. Pure.</summary>
internal static class JobOrders
{
    public const string PriorityHint = "'priority' is a number from 0 to 9, the higher the sooner, or low, normal, high, critical";

    private static readonly Dictionary<string, int> Names = new(StringComparer.Ordinal) { ["low"] = 2, ["normal"] = JobQueue.Usual, ["high"] = 8, ["critical"] = JobQueue.Highest };

    /// <summary>The job that a message orders, or what is wrong with it. The publisher owns it.</summary>
    public static (SubmitJob? Submit, string? Problem) Read(string kernel, BusMessage message)
    {
        JobOrder? order;
        try
        {
            order = message.Body.Length == 0 ? new JobOrder() : JsonSerializer.Deserialize(message.Body.Span, JobOrdersJson.Default.JobOrder);
        }
        catch (JsonException e)
        {
            return (null, $"the body must be an object with command, payload and priority: {e.Message}");
        }

        if (order is null || Priority(order.Priority) is not { } priority) return (null, PriorityHint);
        return (new SubmitJob { Kernel = kernel, Command = order.Command, Payload = Payload(order.Payload), Priority = priority, By = $"{JobsOverBus.Owner}{message.Principal}/{message.Id}" }, null);
    }

    /// <summary>Null where it is none.</summary>
    public static int? Priority(JsonElement? given) => given switch
    {
        null or { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined } => JobQueue.Usual,
        { ValueKind: JsonValueKind.Number } number => number.TryGetInt32(out var value) && value is >= JobQueue.Lowest and <= JobQueue.Highest ? value : null,
        { ValueKind: JsonValueKind.String } text => Names.TryGetValue(text.GetString() ?? "", out var named) ? named : null,
        _ => null,
    };

    /// <summary>Text as it is, anything else as JSON.</summary>
    public static string Payload(JsonElement? given) => given switch
    {
        null or { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined } => "",
        { ValueKind: JsonValueKind.String } text => text.GetString() ?? "",
        var json => json.Value.GetRawText(),
    };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(JobOrder))]
[JsonSerializable(typeof(JobNews))]
internal sealed partial class JobOrdersJson : JsonSerializerContext;
