using System.Collections.Frozen;
using System.Runtime.Serialization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Akka.Actor;
using Akka.Event;
using Akka.Serialization;
using Guardian.Actors.Hosting;

namespace Guardian.Actors.Serialization;

/// <summary>
/// The one serializer of Guardian's messages and events: source-generated JSON under explicit, versioned manifests,
/// so that the journal can be read with a SQL client and a rename of a class changes nothing on disk.
/// </summary>
public sealed class GuardianSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    /// <summary>Chosen once, in the range Akka leaves to applications; it is in every journal row.</summary>
    public const int SerializerId = 8558;

    private static readonly FrozenDictionary<Type, (string Manifest, JsonTypeInfo Json)> ByType = SerializedRooms.All
        .SelectMany(room => room.Types.Select(x => (x.Type, x.Manifest, Json: room.Context.GetTypeInfo(x.Type)
            ?? throw new InvalidOperationException($"{room.Context.GetType().Name} does not know {x.Type.Name}; add [JsonSerializable]"))))
        .ToFrozenDictionary(x => x.Type, x => (x.Manifest, x.Json));

    private static readonly FrozenDictionary<string, JsonTypeInfo> ByManifest =
        ByType.Values.ToFrozenDictionary(x => x.Manifest, x => x.Json, StringComparer.Ordinal);

    /// <summary>Every type that may leave the process or enter the journal, with its manifest.</summary>
    internal static IEnumerable<(Type Type, string Manifest)> Known => ByType.Select(x => (x.Key, x.Value.Manifest));

    /// <summary>Whether this version reads it.</summary>
    internal static bool Knows(string manifest) => ByManifest.ContainsKey(manifest);

    /// <summary>How a known type is written.</summary>
    internal static JsonTypeInfo JsonOf(Type type) => ByType[type].Json;

    /// <inheritdoc/>
    public override int Identifier => SerializerId;

    /// <inheritdoc/>
    public override string Manifest(object o) => o is UnreadableMessage x ? x.Manifest : Of(o).Manifest;

    /// <inheritdoc/>
    public override byte[] ToBinary(object obj) => obj is UnreadableMessage x ? x.Bytes : JsonSerializer.SerializeToUtf8Bytes(obj, Of(obj).Json);

    /// <summary>
    /// Never throws: what this version cannot read becomes an <see cref="UnreadableMessage"/>. A journal's replay and its stream of
    /// events would fail on an exception and be tried again for ever.
    /// </summary>
    public override object FromBinary(byte[] bytes, string manifest)
    {
        if (!ByManifest.TryGetValue(manifest, out var json)) return Unreadable(manifest, bytes, "not known to this version of Guardian");
        try
        {
            return JsonSerializer.Deserialize(bytes, json) ?? Unreadable(manifest, bytes, "holds null");
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or ArgumentException or FormatException)
        {
            return Unreadable(manifest, bytes, e.Message);
        }
    }

    private UnreadableMessage Unreadable(string manifest, byte[] bytes, string reason)
    {
        if (system is not null && GuardianSystem.Access(system).Unreadable.Count(manifest))
            system.Log.Warning("Messages or events '{0}' cannot be read by this version: {1}. They are counted and left alone; update this node, or look at the one that wrote them", manifest, reason);
        return new UnreadableMessage(manifest, bytes, reason);
    }

    private static (string Manifest, JsonTypeInfo Json) Of(object o) => ByType.TryGetValue(o.GetType(), out var known)
        ? known
        : throw new SerializationException($"{o.GetType()} has no manifest; add it to its room's SerializedRoom");
}
