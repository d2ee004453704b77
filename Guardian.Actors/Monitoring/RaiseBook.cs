using Guardian.Actors.Incidents;

namespace Guardian.Actors.Monitoring;

/// <summary>
/// Which incidents must be told, and told again: each detection until it is accepted, with back-off; and the count of
/// its episode whenever it grew, at most every <see cref="GrowthInterval"/>, until the last count is accepted. Pure.
/// </summary>
internal sealed class RaiseBook
{
    public static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(100);
    public static readonly TimeSpan MaxBackoff = TimeSpan.FromSeconds(2);
    public static readonly TimeSpan GrowthInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>Repeated at once; as many incidents as may be open. Further keys wait their turn.</summary>
    public const int MaxActive = 1_000;

    /// <summary>Keys remembered, those that wait included; then new ones are dropped, counted, and raised again by their next detection.</summary>
    public const int MaxKeys = 10_000;

    private const int DetectionsPerKey = 8; // three rules, and what a long outage of the journal adds; the oldest stay

    private readonly LruTable<string, Entry> _settled = new(MaxKeys, comparer: StringComparer.Ordinal);
    private readonly Dictionary<string, LinkedListNode<Entry>> _pending = new(StringComparer.Ordinal);
    private readonly LinkedList<Entry> _order = [];

    /// <summary>Keys with something not yet accepted.</summary>
    public int Pending => _pending.Count;

    public long Dropped { get; private set; }

    /// <summary>
    /// True until the episode's detections are accepted. Its end must not be told before: an incident that is not open confirms it
    /// at once, and the trouble would never have been known.
    /// </summary>
    public bool Awaits(string key, string episode) => _pending.TryGetValue(key, out var node) && node.Value.Episode == episode && node.Value.Queue.Count > 0;

    public void Detected(IncidentRaised raised)
    {
        var entry = Find(raised.Key);
        if (entry is null || entry.Episode != raised.Episode)
        {
            if (entry is null && _pending.Count >= MaxKeys)
            {
                Dropped++;
                return;
            }

            Forget(raised.Key);
            entry = new Entry { Key = raised.Key, Episode = raised.Episode };
        }

        if (entry.Queue.Count < DetectionsPerKey) entry.Queue.Add(raised);
        else Dropped++;
        entry.Violations = Math.Max(entry.Violations, raised.Violations ?? 0);
        Enlist(entry);
    }

    public void Grew(EpisodeGrew grew)
    {
        if (Find(grew.Key) is not { } entry || entry.Episode != grew.Episode || grew.Violations <= entry.Violations) return;
        entry.Violations = grew.Violations;
        if (!_pending.ContainsKey(entry.Key)) entry.NextSend = entry.LastSent + GrowthInterval;
        Enlist(entry);
    }

    /// <summary>What must be sent now.</summary>
    public IReadOnlyList<IncidentRaised> Due(DateTimeOffset now)
    {
        var due = new List<IncidentRaised>();
        foreach (var entry in _order.Take(MaxActive))
        {
            if (entry.NextSend > now) continue;
            due.AddRange(entry.Send(now));
        }

        return due;
    }

    /// <summary>When something is due next; null when nothing is pending.</summary>
    public DateTimeOffset? NextDue() => _order.Count == 0 ? null : _order.Take(MaxActive).Min(x => x.NextSend);

    public void Accepted(IncidentAccepted accepted, DateTimeOffset now)
    {
        if (!_pending.TryGetValue(accepted.Key, out var node) || node.Value.Episode != accepted.Episode) return;
        var entry = node.Value;
        entry.Accept(accepted.Detection, accepted.Violations, now);
        if (!entry.Settled) return;
        _pending.Remove(entry.Key);
        _order.Remove(node);
        _settled.Set(entry.Key, entry);
    }

    public void Over(string key, string episode)
    {
        if (Find(key)?.Episode == episode) Forget(key);
    }

    private Entry? Find(string key) =>
        _pending.TryGetValue(key, out var node) ? node.Value : _settled.TryPeek(key, out var entry) ? entry : null;

    private void Enlist(Entry entry)
    {
        _settled.Remove(entry.Key);
        if (!_pending.ContainsKey(entry.Key)) _pending[entry.Key] = _order.AddLast(entry);
        if (entry.Queue.Any(x => x.Detection > entry.SentUpTo)) entry.NextSend = default; // a detection never waits
    }

    private void Forget(string key)
    {
        _settled.Remove(key);
        if (_pending.Remove(key, out var node)) _order.Remove(node);
    }

    private sealed class Entry
    {
        private TimeSpan _backoff = FirstBackoff;
        private long? _firstUnacknowledged;
        private long _acceptedViolations;
        private IncidentRaised? _latest;

        public required string Key { get; init; }
        public required string Episode { get; init; }
        public List<IncidentRaised> Queue { get; } = [];
        public long Violations { get; set; }
        public long SentUpTo { get; private set; }
        public DateTimeOffset LastSent { get; private set; }
        public DateTimeOffset NextSend { get; set; }

        public bool Settled => Queue.Count == 0 && _acceptedViolations >= Violations;

        public List<IncidentRaised> Send(DateTimeOffset now)
        {
            var messages = Queue.Count > 0 ? Queue : [_latest!];
            List<IncidentRaised> sent = [.. messages.Select(x => x.Violations is null ? x : x with { Violations = Violations })];
            _firstUnacknowledged ??= Violations;
            SentUpTo = Math.Max(SentUpTo, sent[^1].Detection);
            LastSent = now;
            NextSend = now + _backoff;
            _backoff = _backoff + _backoff < MaxBackoff ? _backoff + _backoff : MaxBackoff;
            return sent;
        }

        /// <summary>An answer without a count does not say which repeat it answers, so it covers the count of the first one only.</summary>
        public void Accept(long detection, long? violations, DateTimeOffset now)
        {
            if (detection > SentUpTo) return;
            if (Queue.Count > 0) _latest = Queue.LastOrDefault(x => x.Detection <= detection) ?? _latest;
            Queue.RemoveAll(x => x.Detection <= detection);
            if ((violations ?? _firstUnacknowledged) is { } covered) _acceptedViolations = Math.Max(_acceptedViolations, covered);
            _firstUnacknowledged = null;
            _backoff = FirstBackoff;
            NextSend = Later(LastSent + GrowthInterval, now);
        }

        private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;
    }
}
