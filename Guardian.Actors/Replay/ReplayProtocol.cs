using System.Text.Json;
using System.Text.Json.Serialization;
using Guardian.Actors.Bus;
using Guardian.Actors.Resources;

namespace Guardian.Actors.Replay;

/// <summary>One line of a trace: what one detector was told at that moment. Exactly one of the members after <see cref="At"/> is set.</summary>
internal sealed record TraceLine
{
    /// <summary>When it was recorded, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The node that recorded; in the first line of each file.</summary>
    public string? Node { get; init; }

    /// <summary>The machine.</summary>
    public ResourceSample? Resources { get; init; }

    /// <summary>Denials.</summary>
    public ViolationDigest? Violations { get; init; }

    /// <summary>Heartbeats.</summary>
    public HeartbeatLook? Heartbeats { get; init; }

    public string ToJson() => JsonSerializer.Serialize(this, ReplayJson.Default.TraceLine);

    /// <exception cref="JsonException">No line of a trace.</exception>
    public static TraceLine Parse(string json) => JsonSerializer.Deserialize(json, ReplayJson.Default.TraceLine) ?? throw new JsonException("the line is null");
}

/// <summary>An incident that the detectors would have raised.</summary>
internal sealed record ReplayedIncident
{
    public required DateTimeOffset At { get; init; }

    /// <summary>When it was over by itself; null where it was not, or where that is not for the detector to say.</summary>
    public DateTimeOffset? Over { get; init; }

    public required string Type { get; init; }
    public required string Key { get; init; }
    public required string Subject { get; init; }

    /// <summary>Detections of the same stretch of trouble.</summary>
    public required int Occurrences { get; init; }

    /// <summary>What was measured or counted.</summary>
    public required string Because { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(TraceLine))]
[JsonSerializable(typeof(ReplayedIncident))]
[JsonSerializable(typeof(IReadOnlyList<ReplayedIncident>))]
internal sealed partial class ReplayJson : JsonSerializerContext;
