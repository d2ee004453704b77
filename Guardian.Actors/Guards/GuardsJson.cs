using System.Text.Json.Serialization;
using Guardian.Actors.Serialization;

namespace Guardian.Actors.Guards;

/// <summary>Messages, events and the snapshot of guards.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(AskGuard))]
[JsonSerializable(typeof(ReserveTargets))]
[JsonSerializable(typeof(ReleaseGuard))]
[JsonSerializable(typeof(ResetBreaker))]
[JsonSerializable(typeof(GetGuard))]
[JsonSerializable(typeof(GuardAnswer))]
[JsonSerializable(typeof(TargetsAnswer))]
[JsonSerializable(typeof(GuardReleased))]
[JsonSerializable(typeof(BreakerAnswer))]
[JsonSerializable(typeof(GuardStatus))]
[JsonSerializable(typeof(GuardGranted))]
[JsonSerializable(typeof(GuardLeft))]
[JsonSerializable(typeof(TargetsReserved))]
[JsonSerializable(typeof(BreakerOpened))]
[JsonSerializable(typeof(BreakerReset))]
[JsonSerializable(typeof(GuardState))]
internal sealed partial class GuardsJson : JsonSerializerContext
{
    public static SerializedRoom Room => new(Default,
    [
        (typeof(AskGuard), "ask-guard:v1"),
        (typeof(ReserveTargets), "reserve-targets:v1"),
        (typeof(ReleaseGuard), "release-guard:v1"),
        (typeof(ResetBreaker), "reset-breaker:v1"),
        (typeof(GetGuard), "get-guard:v1"),
        (typeof(GuardAnswer), "guard-answer:v1"),
        (typeof(TargetsAnswer), "targets-answer:v1"),
        (typeof(GuardReleased), "guard-released:v1"),
        (typeof(BreakerAnswer), "breaker-answer:v1"),
        (typeof(GuardStatus), "guard-status:v1"),
        (typeof(GuardGranted), "guard-granted:v1"),
        (typeof(GuardLeft), "guard-left:v1"),
        (typeof(TargetsReserved), "targets-reserved:v1"),
        (typeof(BreakerOpened), "breaker-opened:v1"),
        (typeof(BreakerReset), "breaker-reset:v1"),
        (typeof(GuardState), "guard-state:v1"),
    ]);
}
