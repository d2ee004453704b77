using Guardian.Actors.Bus;

namespace Guardian.Actors.Monitoring;

/// <summary>
/// Turns cumulative digests into what is new in them. It keeps the maximum per (node, incarnation, row), so that lost,
/// repeated and reordered digests do no harm: a state-based counter in the sense of Shapiro et al., "A comprehensive
/// study of convergent and commutative replicated data types" (2011). Pure; not thread-safe.
/// </summary>
/// <param name="rows">Rows remembered. The least recently changed falls out; when it comes back, only the denials whose
/// times lie after everything that fell out count as new, so nothing is counted twice. The totals are exact all the same.</param>
/// <param name="own">Incarnation of this node's bus: all of it is new.</param>
internal sealed class DigestLedger(int rows, long own = 0)
{
    /// <summary>In the first digest that is heard of a bus, denials up to this old are what it was sent for; older ones are a repeat, or were missed.</summary>
    private static readonly TimeSpan News = ViolationDigests.RepeatAfter / 2;

    /// <summary>Incarnations remembered: a cluster of 50 nodes, each started 20 times.</summary>
    private const int Incarnations = 1_000;

    private readonly LruTable<(string Node, long Incarnation), Incarnation> _incarnations = new(Incarnations);
    private LruTable<(string Node, long Incarnation, long Row), Known>? _rows;
    private DateTimeOffset? _since;

    private LruTable<(string Node, long Incarnation, long Row), Known> Rows => _rows ??= new(rows, OnFallOut);

    /// <summary>Digests taken in, repeated ones too.</summary>
    public long Digests { get; private set; }

    /// <summary>Policy denials of all nodes and incarnations.</summary>
    public long Denied { get; private set; }

    /// <summary>Attempts of banned principals of all nodes and incarnations.</summary>
    public long Blacklisted { get; private set; }

    /// <summary>Of both, those that their node could keep in no row.</summary>
    public long Overflow { get; private set; }

    /// <summary>Rows and incarnations that fell out.</summary>
    public long FellOut => Rows.FellOut + _incarnations.FellOut;

    /// <summary>Rows remembered now.</summary>
    public int Count => Rows.Count;

    /// <summary>
    /// The monitor listens from now on. What a bus that is older had counted before this monitor heard of it for the first time is history,
    /// which its own monitor and the others have judged: a node that starts again must not raise it a second time. That it listens is not
    /// enough, since the other nodes have to learn of it first. Without this call everything is new, as in a trace.
    /// </summary>
    public void Begin(DateTimeOffset now) => _since ??= now;

    private bool IsOlder(ViolationDigest digest) => digest.Incarnation != own && digest.Incarnation < _since?.UtcTicks;

    /// <summary>Takes a digest in; the answer holds one entry for each row with something new.</summary>
    public IReadOnlyList<ViolationDelta> Observe(ViolationDigest digest, DateTimeOffset now)
    {
        Digests++;
        var incarnation = Totals(digest, now);
        var deltas = new List<ViolationDelta>(digest.Rows.Count);
        foreach (var row in digest.Rows)
            if (Advance(digest.Node, digest.Incarnation, incarnation, row) is { } delta)
                deltas.Add(delta);
        return deltas;
    }

    private Incarnation Totals(ViolationDigest digest, DateTimeOffset now)
    {
        var key = (digest.Node, digest.Incarnation);
        if (!_incarnations.TryUse(key, out var known)) _incarnations.Set(key, known = new Incarnation { HistoryUpTo = digest.Sequence > 1 && IsOlder(digest) ? now - News : null });
        Denied += Grow(ref known.Denied, digest.Denied);
        Blacklisted += Grow(ref known.Blacklisted, digest.Blacklisted);
        Overflow += Grow(ref known.Overflow, digest.Overflow);
        return known;
    }

    private static long Grow(ref long known, long now)
    {
        var grown = Math.Max(0, now - known);
        known += grown;
        return grown;
    }

    private ViolationDelta? Advance(string node, long number, Incarnation incarnation, AclViolation row)
    {
        var key = (node, number, row.Row);
        if (!Rows.TryUse(key, out var known))
        {
            known = row.Row <= incarnation.HighestFallen ? After(incarnation.FallenUpTo, row) : incarnation.HistoryUpTo is { } history ? Before(history, row) : new Known();
            Rows.Set(key, known);
        }

        var denied = Grow(ref known.Denied, row.Denied);
        var blacklisted = Grow(ref known.Blacklisted, row.Blacklisted);
        if (row.Times.Count > 0 && row.Times[^1] > known.Last) known.Last = row.Times[^1];
        if (denied == 0 && blacklisted == 0) return null;
        var fresh = (int)Math.Min(denied, row.Times.Count);
        return new ViolationDelta(node, row, denied, blacklisted, fresh == row.Times.Count ? row.Times : [.. row.Times.Skip(row.Times.Count - fresh)]);
    }

    /// <summary>The row may have been counted before it fell out: only what happened since is taken as new.</summary>
    private static Known After(DateTimeOffset last, AclViolation row) => new()
    {
        Denied = row.Denied - Math.Min(row.Denied, row.Times.Count(x => x > last)),
        Blacklisted = row.Blacklisted,
    };

    /// <summary>A row whose every time is later may have begun later: then all of it is new.</summary>
    private static Known Before(DateTimeOffset start, AclViolation row) =>
        row.Times.Count > 0 && row.Times[0] > start ? new Known() : After(start, row);

    private void OnFallOut((string Node, long Incarnation, long Row) key, Known known)
    {
        if (!_incarnations.TryPeek((key.Node, key.Incarnation), out var incarnation)) return;
        incarnation.HighestFallen = Math.Max(incarnation.HighestFallen, key.Row);
        if (known.Last > incarnation.FallenUpTo) incarnation.FallenUpTo = known.Last;
    }

    private sealed class Incarnation
    {
        public long Denied;
        public long Blacklisted;
        public long Overflow;
        public long HighestFallen;
        public DateTimeOffset FallenUpTo;
        public DateTimeOffset? HistoryUpTo { get; init; }
    }

    private sealed class Known
    {
        public long Denied;
        public long Blacklisted;
        public DateTimeOffset Last;
    }
}
