using System.Text.Json.Serialization;
using Guardian.Actors.Serialization;

namespace Guardian.Actors.Autonomy;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ClusterMode))]
internal sealed partial class ModeJson : JsonSerializerContext
{
    public static SerializedRoom Room => new(Default, [(typeof(ClusterMode), "cluster-mode:v1")]);
}
