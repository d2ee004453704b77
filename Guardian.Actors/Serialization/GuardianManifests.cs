using System.Text.Json.Serialization;

namespace Guardian.Actors.Serialization;

/// <summary>
/// The wire and journal types of one room: explicit manifests such as <c>run-started:v1</c> and the source-generated
/// context that writes them. Each room has one; <see cref="GuardianSerializer"/> joins them.
/// </summary>
/// <param name="Context">Source-generated JSON of all <paramref name="Types"/>.</param>
/// <param name="Types">Type and its manifest, never a CLR name.</param>
internal sealed record SerializedRoom(JsonSerializerContext Context, IReadOnlyList<(Type Type, string Manifest)> Types);
