using System.Collections.Concurrent;
using Akka.Actor;
using Guardian.Actors.Hosting;

namespace Guardian.Actors.Persistence;

/// <summary>
/// Persistent entities of this node whose journal holds what this version cannot read. They write nothing and act on nothing, since
/// their state is not known; the node is degraded while there is one. Thread-safe; bounded by the entities of the node.
/// </summary>
internal sealed class ParkedEntities
{
    private readonly ConcurrentDictionary<string, string> _entities = new(StringComparer.Ordinal);

    /// <summary>One line each: persistence id and reason.</summary>
    public IReadOnlyList<string> All => [.. _entities.OrderBy(x => x.Key, StringComparer.Ordinal).Select(x => $"{x.Key}: {x.Value}")];

    public bool Any => !_entities.IsEmpty;

    /// <summary>The ones of this actor system.</summary>
    public static ParkedEntities Of(ActorSystem system) => GuardianSystem.Access(system).Parked;

    public void Add(string persistenceId, string reason) => _entities[persistenceId] = reason;

    public void Remove(string persistenceId) => _entities.TryRemove(persistenceId, out _);
}
