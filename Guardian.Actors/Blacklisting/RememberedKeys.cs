namespace Guardian.Actors.Blacklisting;

/// <summary>The latest keys of commands, up to a bound; the oldest falls out. Not thread-safe.</summary>
/// <param name="max">Keys kept, at least 1.</param>
internal sealed class RememberedKeys(int max)
{
    private readonly HashSet<string> _keys = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = [];

    /// <summary>Oldest first.</summary>
    public IReadOnlyList<string> All => [.. _order];

    public bool Contains(string key) => _keys.Contains(key);

    public void Add(string key)
    {
        if (!_keys.Add(key)) return;
        _order.Enqueue(key);
        if (_order.Count > max) _keys.Remove(_order.Dequeue());
    }

    /// <summary>These, and nothing that was before.</summary>
    public void Replace(IEnumerable<string> keys)
    {
        _keys.Clear();
        _order.Clear();
        foreach (var key in keys) Add(key);
    }
}
