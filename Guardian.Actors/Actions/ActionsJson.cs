using System.Text.Json.Serialization;
using Guardian.Actors.Serialization;

namespace Guardian.Actors.Actions;

/// <summary>The wire form of the room's messages.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(DispatchAction))]
[JsonSerializable(typeof(ResolveAction))]
[JsonSerializable(typeof(CancelAction))]
[JsonSerializable(typeof(ActionOutcome))]
[JsonSerializable(typeof(RunProbe))]
[JsonSerializable(typeof(ProbeAnswer))]
internal sealed partial class ActionsJson : JsonSerializerContext;

/// <summary>Types of the room and their manifests.</summary>
internal static class ActionsRoom
{
    public static SerializedRoom Room { get; } = new(ActionsJson.Default,
    [
        (typeof(DispatchAction), "dispatch-action:v1"),
        (typeof(ResolveAction), "resolve-action:v1"),
        (typeof(CancelAction), "cancel-action:v1"),
        (typeof(ActionOutcome), "action-outcome:v1"),
        (typeof(RunProbe), "run-probe:v1"),
        (typeof(ProbeAnswer), "probe-answer:v1"),
    ]);
}
