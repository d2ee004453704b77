using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Serialization;

namespace Guardian.Host.Hosting;

/// <summary>
/// Stands in the place of Newtonsoft's serializer, whose bytes say themselves which type is made of them. Nothing of Guardian is written with
/// it, and strict serialization keeps a node from doing so; reading is by the number that the sender gives, and is refused here.
/// </summary>
#pragma warning disable CA1812 // made by Akka from its name in the configuration
internal sealed class RefusedJson : SerializerWithStringManifest
{
    /// <summary>As Akka makes it: Newtonsoft's serializer has settings.</summary>
    public RefusedJson(ExtendedActorSystem system, Config _)
        : base(system)
    {
    }

    /// <summary>Of Akka's <c>NewtonSoftJsonSerializer</c>.</summary>
    public override int Identifier => 1;

    public override string Manifest(object o) => throw Refusal();

    public override byte[] ToBinary(object obj) => throw Refusal();

    public override object FromBinary(byte[] bytes, string manifest) => throw Refusal();

    private static SerializationException Refusal() => new("a message of Newtonsoft's serializer is refused: it could make any type; bind a serializer to the message's type");
}
#pragma warning restore CA1812
