using System.Text.Json.Serialization;
using Guardian.Actors.Serialization;

namespace Guardian.Actors.Silencing;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SharedSilences))]
[JsonSerializable(typeof(Silence))]
internal sealed partial class SilencingJson : JsonSerializerContext
{
    public static SerializedRoom Room => new(Default, [(typeof(SharedSilences), "shared-silences:v1"), (typeof(Silence), "silence:v1")]);
}
