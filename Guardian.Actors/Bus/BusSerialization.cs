using System.Text.Json.Serialization;
using Guardian.Actors.Serialization;

namespace Guardian.Actors.Bus;

/// <summary>What the bus sends to other nodes.</summary>
internal static class BusSerialization
{
    public static SerializedRoom Room { get; } = new(BusJson.Default, [(typeof(ViolationDigest), "violation-digest:v1")]);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ViolationDigest))]
internal sealed partial class BusJson : JsonSerializerContext;
