using Akka.Actor;
using Guardian.Actors.Bus;
using Guardian.Actors.Hosting;
using Guardian.Host.Hosting;
using Guardian.Host.Http.Security;

namespace Guardian.Host.Http;

/// <summary>What every route needs; made once by <see cref="GuardianEndpoints.MapGuardian"/>.</summary>
internal sealed class ApiContext
{
    /// <summary>Longest wait for an actor's answer before 503.</summary>
    public static readonly TimeSpan AskTimeout = TimeSpan.FromSeconds(5);

    public required IGuardianAccess Access { get; init; }

    public required Gate Gate { get; init; }

    public required IBusClients Bus { get; init; }

    public required TimeProvider Time { get; init; }

    public required ILogger Log { get; init; }

    /// <summary>Set when the process is going down: streams end.</summary>
    public required CancellationToken Stopping { get; init; }

    /// <summary>Where the routes are mapped, e.g. <c>/guardian</c>; empty at the root.</summary>
    public required string Prefix { get; init; }
}

/// <summary>The bus as HTTP clients use it: by principal, since the gate has vouched for it.</summary>
internal interface IBusClients
{
    PublishResult Publish(GuardianSystem guardian, string principal, string topic, ReadOnlyMemory<byte> body, string? contentType);

    (PublishResult Result, BusStream? Stream) OpenStream(GuardianSystem guardian, string principal, string pattern);

    /// <summary>Whether a stream would be opened now; asking is nobody's violation.</summary>
    bool MayHear(GuardianSystem guardian, string principal, string pattern);
}

/// <summary>Through the ports that the bus keeps for HTTP clients.</summary>
internal sealed class PortBusClients : IBusClients
{
    public PublishResult Publish(GuardianSystem guardian, string principal, string topic, ReadOnlyMemory<byte> body, string? contentType) =>
        guardian.Parts.ClientPort(principal).Publish(topic, body, contentType);

    public (PublishResult Result, BusStream? Stream) OpenStream(GuardianSystem guardian, string principal, string pattern) =>
        guardian.Parts.ClientPort(principal).OpenStream(pattern);

    public bool MayHear(GuardianSystem guardian, string principal, string pattern) => guardian.Parts.ClientPort(principal).MayHear(pattern);
}
