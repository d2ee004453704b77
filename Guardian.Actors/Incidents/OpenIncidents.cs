namespace Guardian.Actors.Incidents;

/// <summary>
/// Incidents open on this node. At the cap, or at the share of its kind, a raise is not accepted: its monitor repeats it until there is room.
/// Known incidents that are restored after a restart always count, also above both. Thread-safe.
/// </summary>
internal sealed class OpenIncidents(int limit)
{
    /// <summary>
    /// What keys of one kind may hold. Principals can be invented, so that one attacker opens as many incidents as there is room for; a quarter is
    /// enough for the resources, kernels and nodes of a cluster. Nobody should have to change it: with MaxOpen it grows.
    /// </summary>
    private readonly int _share = Math.Max(1, (int)(limit * 3L / 4));

    private readonly HashSet<string> _keys = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _kinds = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private long _refused;

    public int Count
    {
        get
        {
            lock (_gate) return _keys.Count;
        }
    }

    /// <summary>Raises that were not accepted, repeats included.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Room for a new incident of this key.</summary>
    public bool TryEnter(string key)
    {
        lock (_gate)
        {
            if (_keys.Contains(key)) return true;
            if (_keys.Count < limit && OfKind(key) < _share)
            {
                Add(key);
                return true;
            }
        }

        Interlocked.Increment(ref _refused);
        return false;
    }

    /// <summary>An incident from the journal.</summary>
    public void Restore(string key)
    {
        lock (_gate) Add(key);
    }

    public void Leave(string key)
    {
        lock (_gate)
        {
            if (!_keys.Remove(key)) return;
            var kind = IncidentKeys.Kind(key);
            if (--_kinds[kind] == 0) _kinds.Remove(kind);
        }
    }

    /// <summary>Why there is no room for the key, for people.</summary>
    public string Full(string key)
    {
        lock (_gate) return $"{_keys.Count} incidents are open, {OfKind(key)} of them of the kind '{IncidentKeys.Kind(key)}', which may hold {_share}; close some, or raise Guardian:Incidents:MaxOpen";
    }

    private int OfKind(string key) => _kinds.GetValueOrDefault(IncidentKeys.Kind(key));

    private void Add(string key)
    {
        if (_keys.Add(key)) _kinds[IncidentKeys.Kind(key)] = OfKind(key) + 1;
    }
}
