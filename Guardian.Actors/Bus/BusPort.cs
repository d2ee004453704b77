using System.Threading.Channels;
using Akka.Actor;

namespace Guardian.Actors.Bus;

/// <summary>
/// The right to use the bus as one principal: a capability, handed out at registration, revoked when its owner
/// terminates. Ban, policy and limit are checked on the caller's thread; thread-safe.
/// </summary>
public sealed class BusPort
{
    internal BusPort(string principal) => Principal = principal;

    /// <summary>Who this port speaks for.</summary>
    public string Principal { get; }

    /// <summary>Publishes. Never blocks, never throws for a refusal.</summary>
    public PublishResult Publish(string topic, ReadOnlyMemory<byte> body, string? contentType = null) => throw new NotImplementedException();

    /// <summary>Delivers matching messages to an actor as <see cref="BusMessage"/>, in order per principal and topic.</summary>
    public PublishResult Subscribe(string pattern, IActorRef subscriber) => throw new NotImplementedException();

    /// <summary>Ends the actor's subscription to the pattern.</summary>
    public void Unsubscribe(string pattern, IActorRef subscriber) => throw new NotImplementedException();

    /// <summary>Delivers matching messages to a bounded stream; dispose it to unsubscribe. Stream is null where refused.</summary>
    public (PublishResult Result, BusStream? Stream) OpenStream(string pattern) => throw new NotImplementedException();
}

/// <summary>A bounded stream of messages; its reader completes when the port is revoked or the bus stops.</summary>
public sealed class BusStream(ChannelReader<BusMessage> reader, Action close) : IDisposable
{
    /// <summary>The messages.</summary>
    public ChannelReader<BusMessage> Reader { get; } = reader;

    /// <summary>Unsubscribes.</summary>
    public void Dispose() => close();
}
