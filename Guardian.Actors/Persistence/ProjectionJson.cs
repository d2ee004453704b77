using System.Text.Json.Serialization;

namespace Guardian.Actors.Persistence;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(IncidentView))]
[JsonSerializable(typeof(RunDetail))]
[JsonSerializable(typeof(string))]
internal sealed partial class ProjectionJson : JsonSerializerContext;
