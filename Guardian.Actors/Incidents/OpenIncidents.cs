using System.Collections.Concurrent;

namespace Guardian.Actors.Incidents;

/// <summary>
/// Incidents open on this node. At the cap a raise is not accepted: its monitor repeats it until there is room. Known incidents
/// that are restored after a restart always count, also above the cap.
/// </summary>
internal sealed class OpenIncidents(int limit)
{
    private readonly ConcurrentDictionary<string, byte> _keys = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private long _refused;

    public int Count => _keys.Count;

    /// <summary>Raises that were not accepted, repeats included.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Room for a new incident of this key.</summary>
    public bool TryEnter(string key)
    {
        lock (_gate)
        {
            if (_keys.ContainsKey(key)) return true;
            if (_keys.Count < limit) return _keys.TryAdd(key, 0);
        }

        Interlocked.Increment(ref _refused);
        return false;
    }

    /// <summary>An incident from the journal.</summary>
    public void Restore(string key) => _keys.TryAdd(key, 0);

    public void Leave(string key) => _keys.TryRemove(key, out _);
}
