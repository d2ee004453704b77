namespace Guardian.Actors.Blacklisting;

/// <summary>A ban in force on a principal.</summary>
/// <param name="Principal">Who.</param>
/// <param name="Until">It lapses then, UTC, for display.</param>
/// <param name="Deadline">The same as a monotonic timestamp of the node's <see cref="TimeProvider"/>; this one decides.</param>
/// <param name="Reason">Why.</param>
/// <param name="Owner">The strictest lease's owner.</param>
internal sealed record ActiveBan(string Principal, DateTimeOffset Until, long Deadline, string Reason, string Owner);

/// <summary>
/// What the bus asks before anything else, from any thread: is this principal banned now?
/// The snapshot is immutable and swapped whole by the Blacklist actor; a ban ends at its deadline even when nobody looks.
/// </summary>
internal sealed class BanView(TimeProvider time)
{
    private volatile IBanSnapshot _current = EmptyBans.Instance;

    /// <summary>Bans in the snapshot, lapsed ones included.</summary>
    public int Count => _current.Count;

    /// <summary>Replaces the snapshot. Called by the Blacklist actor alone.</summary>
    public void Swap(IBanSnapshot snapshot) => _current = snapshot;

    /// <summary>The ban on <paramref name="principal"/> in force now.</summary>
    public bool TryGet(string principal, out ActiveBan ban) =>
        _current.TryGet(principal, out ban) && ban.Deadline > time.GetTimestamp();
}

/// <summary>An immutable set of bans.</summary>
internal interface IBanSnapshot
{
    int Count { get; }

    bool TryGet(string principal, out ActiveBan ban);
}

internal sealed class EmptyBans : IBanSnapshot
{
    public static readonly EmptyBans Instance = new();

    public int Count => 0;

    public bool TryGet(string principal, out ActiveBan ban)
    {
        ban = null!;
        return false;
    }
}
