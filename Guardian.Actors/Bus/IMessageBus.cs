using Akka.Actor;

namespace Guardian.Actors.Bus;

/// <summary>The node's bus as an application sees it.</summary>
public interface IMessageBus
{
    /// <summary>
    /// Registers a principal and hands out its port, once the node knows its bans; the port is revoked when
    /// <paramref name="owner"/> terminates.
    /// </summary>
    Task<BusPort> RegisterAsync(string principal, IActorRef owner, CancellationToken cancellation = default);
}
