using Akka.Actor;
using Guardian.Actors.Access;
using Guardian.Actors.Relay;

namespace Guardian.Actors.Bus;

/// <summary>
/// Who wants what: patterns to subscribers. Every change raises <see cref="Version"/>; topics keep their resolved subscribers
/// until it, or the policy, has changed. Thread-safe.
/// </summary>
internal sealed class SubscriptionTable(int max)
{
    private readonly Lock _lock = new();
    private readonly PatternTrie<Subscriber> _patterns = new();
    private readonly Dictionary<Subscriber, HashSet<string>> _bySubscriber = [];
    private readonly Dictionary<(BusPort Port, IActorRef Target), ActorSubscriber> _actors = [];
    private readonly Dictionary<string, int> _wanted = new(StringComparer.Ordinal);
    private readonly PatternTrie<Subscriber> _peerPatterns = new();
    private readonly Dictionary<Subscriber, IReadOnlyList<string>> _peers = [];
    private long _version;
    private long _interestVersion;
    private int _count;

    /// <summary>Called when this node's subscribers want another pattern, or one less; from any thread, under a lock: only tell somebody.</summary>
    public Action? InterestChanged { get; set; }

    /// <summary>Raised by every change of <see cref="Interest"/>.</summary>
    public long InterestVersion => Volatile.Read(ref _interestVersion);

    /// <summary>Raised by every change.</summary>
    public long Version => Volatile.Read(ref _version);

    /// <summary>Subscriptions, that is pairs of pattern and subscriber.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Subscribes an actor; false when the table is full. Subscribing twice to a pattern is once.</summary>
    public bool TryAddActor(BusPort port, string pattern, IActorRef target)
    {
        lock (_lock)
        {
            if (_actors.TryGetValue((port, target), out var known)) return TryAdd(known, pattern);
            var subscriber = new ActorSubscriber(port, target);
            if (!TryAdd(subscriber, pattern)) return false;
            _actors[(port, target)] = subscriber;
            return true;
        }
    }

    /// <summary>Subscribes; false when the table is full.</summary>
    public bool TryAdd(Subscriber subscriber, string pattern)
    {
        lock (_lock)
        {
            if (_bySubscriber.TryGetValue(subscriber, out var patterns) && patterns.Contains(pattern)) return true;
            if (_count >= max) return false;
            if (patterns is null) _bySubscriber[subscriber] = patterns = new HashSet<string>(StringComparer.Ordinal);
            patterns.Add(pattern);
            _patterns.Add(pattern, subscriber);
            Want(pattern);
            _count++;
            Volatile.Write(ref _version, _version + 1);
            return true;
        }
    }

    /// <summary>Ends one subscription of an actor.</summary>
    public void RemoveActor(BusPort port, string pattern, IActorRef target)
    {
        lock (_lock)
        {
            if (!_actors.TryGetValue((port, target), out var subscriber) || !_bySubscriber[subscriber].Contains(pattern)) return;
            if (_bySubscriber[subscriber].Count == 1)
            {
                Remove(subscriber);
                return;
            }

            _bySubscriber[subscriber].Remove(pattern);
            _patterns.Remove(pattern, subscriber);
            Unwant(pattern);
            _count--;
            Volatile.Write(ref _version, _version + 1);
        }
    }

    /// <summary>Ends every subscription of a terminated actor, whatever its principal.</summary>
    public void RemoveTarget(IActorRef target) => RemoveWhere(x => x is ActorSubscriber actor && actor.Target.Equals(target));

    /// <summary>Ends every subscription made through a port.</summary>
    public void RemovePort(BusPort port) => RemoveWhere(x => ReferenceEquals(x.Port, port));

    /// <summary>Ends the subscriptions of those subscribers.</summary>
    public void RemoveWhere(Func<Subscriber, bool> which)
    {
        lock (_lock)
        {
            foreach (var subscriber in _bySubscriber.Keys.Where(which).ToList()) Remove(subscriber);
        }
    }

    /// <summary>Ends every subscription of the subscriber and closes it.</summary>
    public void Remove(Subscriber subscriber)
    {
        lock (_lock)
        {
            subscriber.Close();
            if (!_bySubscriber.Remove(subscriber, out var patterns)) return;
            foreach (var pattern in patterns)
            {
                _patterns.Remove(pattern, subscriber);
                Unwant(pattern);
            }

            if (subscriber is ActorSubscriber actor) _actors.Remove((actor.Port!, actor.Target));
            _count -= patterns.Count;
            Volatile.Write(ref _version, _version + 1);
        }
    }

    /// <summary>Who gets messages of a concrete topic now: subscribed, and allowed by the policy on this very topic; other nodes, too, where not <paramref name="local"/>.</summary>
    public Audience Resolve(string topic, AccessPolicy policy, bool local = false)
    {
        lock (_lock)
        {
            var found = new HashSet<Subscriber>();
            _patterns.Collect(topic, found);
            if (!local && _peers.Count > 0 && !RelayScope.StaysHere(topic)) _peerPatterns.Collect(topic, found);
            return new Audience(_version, policy, [.. found.Where(x => x.Allows(policy, topic))]);
        }
    }

    /// <summary>Distinct patterns of this node's own subscribers.</summary>
    public IReadOnlyCollection<string> Interest()
    {
        lock (_lock) return [.. _wanted.Keys.Where(x => !RelayScope.StaysHere(x))];
    }

    /// <summary>What another node wants; empty: nothing.</summary>
    public void SetPeer(Subscriber peer, IReadOnlyList<string> patterns)
    {
        lock (_lock)
        {
            if (_peers.Remove(peer, out var before))
            {
                foreach (var pattern in before) _peerPatterns.Remove(pattern, peer);
            }

            if (patterns.Count > 0) _peers[peer] = patterns;
            foreach (var pattern in patterns) _peerPatterns.Add(pattern, peer);
            Volatile.Write(ref _version, _version + 1);
        }
    }

    private void Want(string pattern)
    {
        _wanted[pattern] = _wanted.GetValueOrDefault(pattern) + 1;
        if (_wanted[pattern] == 1) Changed();
    }

    private void Unwant(string pattern)
    {
        if (--_wanted[pattern] > 0) return;
        _wanted.Remove(pattern);
        Changed();
    }

    private void Changed()
    {
        Volatile.Write(ref _interestVersion, _interestVersion + 1);
        InterestChanged?.Invoke();
    }
}

/// <summary>A topic's subscribers under one version of the table and one policy.</summary>
internal sealed record Audience(long Version, AccessPolicy Policy, Subscriber[] Subscribers)
{
    /// <summary>Claims room at each, or at none.</summary>
    public bool TryReserve(int bound)
    {
        var subscribers = Subscribers; // one look at the field: this is each publisher's way
        for (var i = 0; i < subscribers.Length; i++)
        {
            if (subscribers[i].TryReserve(bound)) continue;
            Release(i);
            return false;
        }

        return true;
    }

    /// <summary>Gives the room at all of them back.</summary>
    public void Release() => Release(Subscribers.Length);

    private void Release(int count)
    {
        for (var i = 0; i < count; i++) Subscribers[i].Release();
    }
}
