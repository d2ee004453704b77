using System.Text.Json.Serialization;
using Guardian.Playbooks.Execution;

namespace Guardian.Actors.Persistence;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(IncidentView))]
[JsonSerializable(typeof(RunDetail))]
[JsonSerializable(typeof(RunState))]
[JsonSerializable(typeof(string))]
internal sealed partial class ProjectionJson : JsonSerializerContext;
