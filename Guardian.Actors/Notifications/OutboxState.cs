namespace Guardian.Actors.Notifications;

/// <summary>
/// A channel's outbox as its events tell it: what waits, in the order of acceptance, and the keys that came to an end; what the
/// rate and the digest need; the incidents and work items that the receiver knows of. Owned by one actor; the fold takes its
/// time from the events.
/// </summary>
internal sealed class OutboxState(string channel)
{
    /// <summary>Ended keys remembered. A step repeats its request for minutes at most; 10,000 keys outlive that at any rate a node reaches.</summary>
    public const int MaxEnded = 10_000;

    /// <summary>An ended key older than this is forgotten: longer than any run lasts.</summary>
    public static readonly TimeSpan EndedAge = TimeSpan.FromDays(7);

    /// <summary>Greatest rate that an option may ask for.</summary>
    public const int MaxSent = 1_000;

    /// <summary>Titles that a digest lists; who wants more looks at the incidents.</summary>
    public const int DigestTitles = 20;

    /// <summary>Twice the incidents that may be open at once by default; the oldest falls out and gets no resolved notice.</summary>
    public const int MaxTold = 2_000;

    /// <summary>Notices remembered per incident; an incident that runs many times keeps the latest.</summary>
    public const int MaxNotices = 50;

    /// <summary>Work items whose name at the receiver is remembered; for older ones the receiver is searched.</summary>
    public const int MaxItems = 2_000;

    private readonly LinkedList<DeliveryAccepted> _pending = new();
    private readonly Dictionary<string, LinkedListNode<DeliveryAccepted>> _waiting = new(StringComparer.Ordinal);
    private readonly Queue<EndedKey> _ended = new();
    private readonly HashSet<string> _endedKeys = new(StringComparer.Ordinal);
    private readonly Queue<DateTimeOffset> _sent = new();
    private readonly OrderedDictionary<string, ToldIncident> _told = new(StringComparer.Ordinal);
    private readonly OrderedDictionary<string, OpenItem> _items = new(StringComparer.Ordinal);
    private DeliveryPartlyDone? _partly; // of the item in front: no other is attempted before it has ended

    /// <summary>The channel's name.</summary>
    public string Channel => channel;

    /// <summary>Items that wait.</summary>
    public int Pending => _waiting.Count;

    /// <summary>The next one to deliver.</summary>
    public DeliveryAccepted? Head => _pending.First?.Value;

    public long Delivered { get; private set; }

    public long Dead { get; private set; }

    public long Digested { get; private set; }

    public long Muted { get; private set; }

    /// <summary>What waits for the next digest; null where nothing does.</summary>
    public CollectedItems? Collected { get; private set; }

    /// <summary>When the latest digest was made.</summary>
    public DateTimeOffset? LastDigest { get; private set; }

    /// <summary>Ended keys remembered now.</summary>
    public int Remembered => _ended.Count;

    /// <summary>True where the key waits or came to an end.</summary>
    public bool Knows(string key) => _waiting.ContainsKey(key) || _endedKeys.Contains(key);

    /// <summary>What the channel was told of the incident.</summary>
    public IReadOnlyList<ToldNotice> Told(string incidentId) => _told.TryGetValue(incidentId, out var told) ? told.Notices : [];

    /// <summary>The work item as the receiver knows it.</summary>
    public OpenItem? Item(string itemKey) => _items.TryGetValue(itemKey, out var item) ? item : null;

    /// <summary>The receivers that are through with the item.</summary>
    public IReadOnlyList<ReceiverEnd> Ends(string key) => _partly?.Key == key ? _partly.Ends : [];

    /// <summary>Items of the rate delivered after <paramref name="since"/>.</summary>
    public int SentSince(DateTimeOffset since) => _sent.Count(x => x > since);

    public void Apply(OutboxEvent e)
    {
        switch (e)
        {
            case DeliveryAccepted accepted:
                Accept(accepted);
                break;
            case DeliveryDone done when End(done.Key, done.At) is { } item:
                Delivered++;
                if (OutboxLogic.CountsTowardsRate(item)) Enqueue(done.At);
                if (item is { Kind: ItemKind.Task, ItemKey: { } key }) Keep(key, done.Reference, item.CommentOnly);
                break;
            case DeliveryPartlyDone partly when _waiting.ContainsKey(partly.Key):
                _partly = partly with { Ends = [.. Ends(partly.Key), .. partly.Ends] };
                break;
            case DeliveryDead dead when End(dead.Key, dead.At) is { } item:
                Dead++;
                Untell(item.IncidentId, dead.Key);
                // One receiver refused it for good; another may have opened it.
                if (item is { Kind: ItemKind.Task, ItemKey: { } of } && Ends(dead.Key).FirstOrDefault(x => x.Reference is not null) is { } opened) Keep(of, opened.Reference, item.CommentOnly);
                break;
            case DeliveryMuted muted when End(muted.Key, muted.At) is { } item:
                Muted++;
                Untell(item.IncidentId, muted.Key);
                break;
            case DeliveryCollected collected when End(collected.Key, collected.At) is { } item:
                Digested++;
                Collect(item, collected.At);
                break;
        }
    }

    public OutboxSnapshot ToSnapshot() => new()
    {
        Pending = [.. _pending],
        Ended = [.. _ended],
        Delivered = Delivered,
        Dead = Dead,
        Digested = Digested,
        Muted = Muted,
        Sent = [.. _sent],
        Collected = Collected,
        LastDigest = LastDigest,
        Told = [.. _told.Values],
        Items = [.. _items.Values],
        Partly = _partly is { } partly && _waiting.ContainsKey(partly.Key) ? partly : null,
    };

    public static OutboxState From(string channel, OutboxSnapshot snapshot)
    {
        var state = new OutboxState(channel)
        {
            Delivered = snapshot.Delivered, Dead = snapshot.Dead, Digested = snapshot.Digested, Muted = snapshot.Muted,
            Collected = snapshot.Collected, LastDigest = snapshot.LastDigest, _partly = snapshot.Partly,
        };
        foreach (var ended in snapshot.Ended) state.Remember(ended);
        foreach (var accepted in snapshot.Pending) state.Wait(accepted);
        foreach (var at in snapshot.Sent ?? []) state.Enqueue(at);
        foreach (var told in snapshot.Told ?? []) state._told[told.IncidentId] = told;
        foreach (var item in snapshot.Items ?? []) state._items[item.ItemKey] = item;
        return state;
    }

    private void Accept(DeliveryAccepted accepted)
    {
        var item = accepted.Item;
        if (Knows(item.Key)) return;
        Wait(accepted);
        switch (item)
        {
            case { Kind: ItemKind.Notification, IncidentId: { } incident }:
                var notice = new ToldNotice { Key = item.Key, Severity = item.Severity, Playbook = item.Playbook, IncidentType = item.IncidentType, At = item.At };
                _told[incident] = new ToldIncident(incident, [.. Told(incident).TakeLast(MaxNotices - 1), notice]);
                if (_told.Count > MaxTold) _told.RemoveAt(0);
                break;
            case { Kind: ItemKind.Resolved, IncidentId: { } incident }:
                foreach (var over in item.Resolves ?? []) Untell(incident, over.Key);
                break;
            case { Kind: ItemKind.Digest }:
                (Collected, LastDigest) = (null, accepted.At);
                break;
        }
    }

    private void Wait(DeliveryAccepted accepted) => _waiting[accepted.Item.Key] = _pending.AddLast(accepted);

    private void Untell(string? incidentId, string key)
    {
        if (incidentId is null || !_told.TryGetValue(incidentId, out var told)) return;
        IReadOnlyList<ToldNotice> left = [.. told.Notices.Where(x => x.Key != key)];
        if (left.Count == 0) _told.Remove(incidentId);
        else _told[incidentId] = told with { Notices = left };
    }

    private void Enqueue(DateTimeOffset at)
    {
        _sent.Enqueue(at);
        if (_sent.Count > MaxSent) _sent.Dequeue();
    }

    private void Collect(Deliver item, DateTimeOffset at) => Collected = Collected is { } so
        ? so with
        {
            Count = so.Count + 1, Severity = OutboxLogic.Worse(so.Severity, item.Severity),
            Titles = so.Titles.Count < DigestTitles ? [.. so.Titles, item.Title] : so.Titles,
        }
        : new CollectedItems { Count = 1, Since = at, Severity = item.Severity, Titles = [item.Title] };

    private void Keep(string itemKey, string? reference, bool commentOnly)
    {
        var known = Item(itemKey);
        if (known is null && commentOnly) return;
        // Another reference is another item: the one before was closed by people.
        var occurrences = known is not null && (reference is null || known.Reference == reference) ? known.Occurrences + (commentOnly ? 0 : 1) : 1;
        _items[itemKey] = new OpenItem(itemKey, reference ?? known?.Reference, occurrences);
        if (_items.Count > MaxItems) _items.RemoveAt(0);
    }

    private Deliver? End(string key, DateTimeOffset at)
    {
        if (!_waiting.Remove(key, out var node)) return null;
        _pending.Remove(node);
        Remember(new EndedKey(key, at));
        while (_ended.Count > MaxEnded || (_ended.TryPeek(out var oldest) && oldest.At < at - EndedAge))
            _endedKeys.Remove(_ended.Dequeue().Key);
        return node.Value.Item;
    }

    private void Remember(EndedKey ended)
    {
        if (_endedKeys.Add(ended.Key)) _ended.Enqueue(ended);
    }
}
