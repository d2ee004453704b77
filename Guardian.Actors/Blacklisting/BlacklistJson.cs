using System.Text.Json.Serialization;
using Guardian.Actors.Serialization;

namespace Guardian.Actors.Blacklisting;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(BanPrincipal))]
[JsonSerializable(typeof(LiftBan))]
[JsonSerializable(typeof(BanResult))]
[JsonSerializable(typeof(BanEntry))]
[JsonSerializable(typeof(AwaitBans))]
[JsonSerializable(typeof(BansWritten))]
[JsonSerializable(typeof(BanBucket))]
[JsonSerializable(typeof(BanSet))]
[JsonSerializable(typeof(BanLifted))]
[JsonSerializable(typeof(ExemptionGranted))]
[JsonSerializable(typeof(BanBookSnapshot))]
internal sealed partial class BlacklistJson : JsonSerializerContext
{
    public static SerializedRoom Room => new(Default,
    [
        (typeof(BanPrincipal), "ban-principal:v1"),
        (typeof(LiftBan), "lift-ban:v1"),
        (typeof(BanResult), "ban-result:v1"),
        (typeof(BanEntry), "ban-entry:v1"),
        (typeof(AwaitBans), "await-bans:v1"),
        (typeof(BansWritten), "bans-written:v1"),
        (typeof(BanBucket), "ban-bucket:v1"),
        (typeof(BanSet), "ban-set:v1"),
        (typeof(BanLifted), "ban-lifted:v1"),
        (typeof(ExemptionGranted), "ban-exemption-granted:v1"),
        (typeof(BanBookSnapshot), "ban-book:v1"),
    ]);
}
