using System.Text.Json.Serialization;
using Guardian.Actors.Serialization;

namespace Guardian.Actors.Notifications;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Deliver))]
[JsonSerializable(typeof(OutboxAccepted))]
[JsonSerializable(typeof(AskDelivery))]
[JsonSerializable(typeof(GetOutboxStatus))]
[JsonSerializable(typeof(OutboxStatus))]
[JsonSerializable(typeof(DeliveryAccepted))]
[JsonSerializable(typeof(DeliveryDone))]
[JsonSerializable(typeof(DeliveryPartlyDone))]
[JsonSerializable(typeof(DeliveryDead))]
[JsonSerializable(typeof(DeliveryCollected))]
[JsonSerializable(typeof(DeliveryMuted))]
[JsonSerializable(typeof(TellResolved))]
[JsonSerializable(typeof(OutboxSnapshot))]
[JsonSerializable(typeof(TaskRecord))]
[JsonSerializable(typeof(NotificationData))]
[JsonSerializable(typeof(IReadOnlyList<Alert>), TypeInfoPropertyName = "Alerts")]
internal sealed partial class OutboxJson : JsonSerializerContext
{
    public static SerializedRoom Room => new(Default,
    [
        (typeof(Deliver), "deliver:v1"),
        (typeof(OutboxAccepted), "outbox-accepted:v1"),
        (typeof(AskDelivery), "ask-delivery:v1"),
        (typeof(GetOutboxStatus), "get-outbox-status:v1"),
        (typeof(OutboxStatus), "outbox-status:v1"),
        (typeof(DeliveryAccepted), "delivery-accepted:v1"),
        (typeof(DeliveryDone), "delivery-done:v1"),
        (typeof(DeliveryPartlyDone), "delivery-partly-done:v1"),
        (typeof(DeliveryDead), "delivery-dead:v1"),
        (typeof(DeliveryCollected), "delivery-collected:v1"),
        (typeof(DeliveryMuted), "delivery-muted:v1"),
        (typeof(TellResolved), "tell-resolved:v1"),
        (typeof(OutboxSnapshot), "outbox-snapshot:v1"),
    ]);
}
