namespace Guardian.Actors.Leasekeeping;

/// <summary>Why a lease is undone.</summary>
internal enum UndoCause
{
    /// <summary>Its owner gave it back.</summary>
    Released,

    /// <summary>Its time is over.</summary>
    Deadline,

    /// <summary>The node died or ended.</summary>
    NodeGone,
}

/// <summary>
/// Which leases there are and which are due. Moments are offsets on the keeper's monotonic clock. An undo that failed is due
/// again after a pause that doubles. Renewing what is being undone is refused: its effect is already going.
/// </summary>
internal sealed class LeaseBook
{
    /// <summary>A node has at most some hundred processes to restrict; more is a mistake of its caller.</summary>
    public const int MaxLeases = 1_000;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private bool _nodeGone;

    /// <summary>All leases.</summary>
    public IReadOnlyCollection<OsLease> Leases => [.. _entries.Values.Select(x => x.Lease)];

    /// <summary>Why <see cref="Take"/> would refuse this id now; null where it would not.</summary>
    public string? Refusal(string id)
    {
        if (_nodeGone) return "the node is gone";
        if (_entries.TryGetValue(id, out var known) && known.UnderWay) return $"lease '{id}' is being undone";
        return known is null && _entries.Count >= MaxLeases ? $"{MaxLeases} leases are held already" : null;
    }

    /// <summary>Null where it was taken; else why not.</summary>
    public string? Take(OsLease lease, TimeSpan deadline)
    {
        if (Refusal(lease.Id) is { } refusal) return refusal;
        _entries[lease.Id] = new Entry(lease, deadline);
        return null;
    }

    /// <summary>The lease with its new end; null where it is not held or already being undone.</summary>
    public OsLease? Renew(string id, TimeSpan length, DateTimeOffset until, TimeSpan deadline)
    {
        if (_nodeGone || !_entries.TryGetValue(id, out var entry) || entry.Cause is not null) return null;
        var lease = entry.Lease with { For = length, Until = until };
        _entries[id] = new Entry(lease, deadline);
        return lease;
    }

    /// <summary>Due at once; false where it is not held.</summary>
    public bool Release(string id)
    {
        if (!_entries.TryGetValue(id, out var entry)) return false;
        entry.Cause ??= UndoCause.Released;
        return true;
    }

    /// <summary>Takes it out without undo.</summary>
    public bool Forget(string id) => _entries.Remove(id);

    /// <summary>Everything is due.</summary>
    public void NodeGone()
    {
        _nodeGone = true;
        foreach (var entry in _entries.Values)
        {
            entry.Cause ??= UndoCause.NodeGone;
            entry.NotBefore = TimeSpan.Zero; // what waits out a pause is tried at once
        }
    }

    /// <summary>What is to be undone now; each is under way until <see cref="Undone"/> or <see cref="Failed"/>.</summary>
    public IReadOnlyList<(OsLease Lease, UndoCause Cause)> Due(TimeSpan now)
    {
        var due = new List<(OsLease, UndoCause)>();
        foreach (var entry in _entries.Values)
        {
            if (entry.UnderWay || now < entry.NotBefore) continue;
            if (entry.Cause is null && now >= entry.Deadline) entry.Cause = UndoCause.Deadline;
            if (entry.Cause is not { } cause) continue;
            entry.UnderWay = true;
            due.Add((entry.Lease, cause));
        }

        return due;
    }

    public void Undone(string id) => _entries.Remove(id);

    /// <summary>How often it has failed by now.</summary>
    public int Failed(string id, TimeSpan now)
    {
        if (!_entries.TryGetValue(id, out var entry)) return 0;
        entry.UnderWay = false;
        entry.NotBefore = now + Pause(entry.Failures++);
        return entry.Failures;
    }

    /// <summary>When <see cref="Due"/> has something next; null where nothing waits for time to pass.</summary>
    public TimeSpan? Next()
    {
        TimeSpan? next = null;
        foreach (var entry in _entries.Values)
        {
            if (entry.UnderWay) continue;
            var at = entry.Cause is null ? entry.Deadline : entry.NotBefore;
            if (next is null || at < next) next = at;
        }

        return next;
    }

    private static TimeSpan Pause(int failures)
    {
        var pause = FirstPause * Math.Pow(2, Math.Min(failures, 10));
        return pause < LongestPause ? pause : LongestPause;
    }

    private sealed class Entry(OsLease lease, TimeSpan deadline)
    {
        public OsLease Lease { get; } = lease;
        public TimeSpan Deadline { get; } = deadline;
        public UndoCause? Cause { get; set; }
        public bool UnderWay { get; set; }
        public int Failures { get; set; }
        public TimeSpan NotBefore { get; set; }
    }
}
