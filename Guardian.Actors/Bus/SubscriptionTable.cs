using Akka.Actor;
using Guardian.Actors.Access;

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
    private long _version;
    private int _count;

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
            foreach (var pattern in patterns) _patterns.Remove(pattern, subscriber);
            if (subscriber is ActorSubscriber actor) _actors.Remove((actor.Port!, actor.Target));
            _count -= patterns.Count;
            Volatile.Write(ref _version, _version + 1);
        }
    }

    /// <summary>Who gets messages of a concrete topic now: subscribed, and allowed by the policy on this very topic.</summary>
    public Audience Resolve(string topic, AccessPolicy policy)
    {
        lock (_lock)
        {
            var found = new HashSet<Subscriber>();
            _patterns.Collect(topic, found);
            return new Audience(_version, policy, [.. found.Where(x => policy.Decide(x.Principal, topic, BusOperation.Subscribe).Allowed)]);
        }
    }
}

/// <summary>A topic's subscribers under one version of the table and one policy.</summary>
internal sealed record Audience(long Version, AccessPolicy Policy, Subscriber[] Subscribers);
