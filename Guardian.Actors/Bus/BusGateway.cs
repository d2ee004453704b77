using System.Collections.Concurrent;
using Akka.Actor;
using Guardian.Actors.Access;

namespace Guardian.Actors.Bus;

/// <summary>The bus for those outside of the actor system: applications and the HTTP API.</summary>
internal sealed class BusGateway(BusState state, IActorRef bus) : IMessageBus
{
    private readonly ConcurrentDictionary<string, BusPort> _clients = new(StringComparer.Ordinal);

    /// <summary>What was sent, accepted, refused and delivered since the node started.</summary>
    public BusCounters Counters() => state.Counters();

    /// <inheritdoc/>
    public async Task<BusPort> RegisterAsync(string principal, IActorRef owner, CancellationToken cancellation = default)
    {
        MustBeName(principal);
        ArgumentNullException.ThrowIfNull(owner);
        await state.Opened.WaitAsync(cancellation).ConfigureAwait(false);
        var answer = await bus.Ask<BusRegistered>(new RegisterPrincipal(principal, owner), TimeSpan.FromSeconds(10), cancellation).ConfigureAwait(false);
        return answer.Port;
    }

    /// <summary>
    /// A port for a client outside of the process that was authenticated as this principal. One per declared principal is kept;
    /// an invented name gets one that is forgotten with the request.
    /// </summary>
    /// <exception cref="ArgumentException">No name for a principal.</exception>
    /// <exception cref="InvalidOperationException">The principal is protected: only usable from inside the process.</exception>
    public BusPort ClientPort(string principal)
    {
        if (_clients.TryGetValue(principal ?? "", out var known) && !state.Policies.Current.IsProtected(known.Principal)) return known;
        MustBeName(principal);
        var policy = state.Policies.Current;
        if (policy.IsProtected(principal!)) throw new InvalidOperationException($"'{principal}' is a protected principal; it can only be used from inside the process");
        if (!policy.IsDeclared(principal!)) return new BusPort(principal!, state);
        if (_clients.Count >= Math.Max(16, policy.DeclaredPrincipals)) _clients.Clear(); // names of policies long gone; ports hold nothing
        return _clients.GetOrAdd(principal!, static (name, bus) => new BusPort(name, bus), state);
    }

    private static void MustBeName(string? principal)
    {
        if (!TopicNames.IsPrincipal(principal))
            throw new ArgumentException($"a principal's name has 1 to {TopicNames.MaxPrincipal} characters, no control characters and no blank at either end", nameof(principal));
    }
}
