using System.Text.Json.Serialization;
using Guardian.Actors.Serialization;

namespace Guardian.Actors.Relay;

/// <summary>What relays send to each other.</summary>
internal static class RelaySerialization
{
    public static SerializedRoom Room { get; } = new(RelayJson.Default,
    [
        (typeof(BusInterest), "bus-interest:v1"),
        (typeof(GetBusInterest), "get-bus-interest:v1"),
        (typeof(RelayBatch), "relay-batch:v1"),
        (typeof(RelayAck), "relay-ack:v1"),
    ]);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(BusInterest))]
[JsonSerializable(typeof(GetBusInterest))]
[JsonSerializable(typeof(RelayBatch))]
[JsonSerializable(typeof(RelayAck))]
internal sealed partial class RelayJson : JsonSerializerContext;
