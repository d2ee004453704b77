using System.Diagnostics.CodeAnalysis;

namespace Guardian.Actors.Monitoring;

/// <summary>A bounded dictionary from which the least recently used falls out, counted. Not thread-safe.</summary>
internal sealed class LruTable<TKey, TValue>(int capacity, Action<TKey, TValue>? onFallOut = null, IEqualityComparer<TKey>? comparer = null)
    where TKey : notnull
{
    private readonly Dictionary<TKey, LinkedListNode<(TKey Key, TValue Value)>> _nodes = new(comparer);
    private readonly LinkedList<(TKey Key, TValue Value)> _order = [];

    public int Count => _nodes.Count;

    /// <summary>Entries that fell out because the table was full.</summary>
    public long FellOut { get; private set; }

    public IEnumerable<TValue> Values => _order.Select(x => x.Value);

    /// <summary>Looks up without touching the order of use.</summary>
    public bool TryPeek(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        var found = _nodes.TryGetValue(key, out var node);
        value = found ? node!.Value.Value : default;
        return found;
    }

    /// <summary>Looks up and makes it the most recently used.</summary>
    public bool TryUse(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        if (!TryPeek(key, out value)) return false;
        var node = _nodes[key];
        if (node.Next is null) return true;
        _order.Remove(node);
        _order.AddLast(node);
        return true;
    }

    /// <summary>Adds or replaces, as the most recently used.</summary>
    public void Set(TKey key, TValue value)
    {
        if (_nodes.TryGetValue(key, out var node))
        {
            node.Value = (key, value);
            TryUse(key, out _);
            return;
        }

        if (_nodes.Count >= capacity) DropOldest();
        _nodes[key] = _order.AddLast((key, value));
    }

    public bool Remove(TKey key)
    {
        if (!_nodes.Remove(key, out var node)) return false;
        _order.Remove(node);
        return true;
    }

    private void DropOldest()
    {
        var (key, value) = _order.First!.Value;
        _order.RemoveFirst();
        _nodes.Remove(key);
        FellOut++;
        onFallOut?.Invoke(key, value);
    }
}
