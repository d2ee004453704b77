namespace Guardian.Actors.Monitoring;

/// <summary>
/// A stretch of trouble with one subject: from its first violation until it has been quiet for <see cref="Quiet"/>, or
/// until its incident is over. Counts every attempt, those of the banned included.
/// </summary>
internal sealed class Episode(string id, string key)
{
    /// <summary>Without any attempt for so long, trouble that comes back is new trouble.</summary>
    public static readonly TimeSpan Quiet = TimeSpan.FromSeconds(60);

    /// <summary>
    /// A rule that has fired does so again in the same episode after this long at the earliest: longer than a provisional
    /// ban, so that a flood which outlives it is contained anew, and rare enough for the journal under a hold.
    /// </summary>
    public static readonly TimeSpan RefireAfter = TimeSpan.FromSeconds(10);

    private const int TopicsRemembered = 16; // evidence only

    private readonly HashSet<string> _fired = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _topics = new(StringComparer.Ordinal);
    private long _lastFired;

    public string Id { get; } = id;

    public string Key { get; } = key;

    public long Violations { get; private set; }

    public DateTimeOffset LastAttempt { get; private set; }

    /// <summary>True once a rule has fired: somebody or something is blamed.</summary>
    public bool Blamed => _fired.Count > 0;

    /// <summary>Its last attempt when its incident ended; null before. Only where the episode is not forgotten then.</summary>
    public DateTimeOffset? IncidentOver { get; set; }

    public string? TopTopic => _topics.Count == 0 ? null : _topics.MaxBy(x => x.Value).Key;

    public IEnumerable<string> Topics => _topics.Keys;

    public bool IsOver(DateTimeOffset at) => at - LastAttempt > Quiet;

    public void Count(DateTimeOffset at, long violations, string topic)
    {
        Violations += violations;
        if (at > LastAttempt) LastAttempt = at;
        if (_topics.TryGetValue(topic, out var seen)) _topics[topic] = seen + violations;
        else if (_topics.Count < TopicsRemembered) _topics[topic] = violations;
    }

    /// <summary>False where the rule fired lately in this episode.</summary>
    public bool TryFire(string rule, long at)
    {
        if (_fired.Contains(rule) && at - _lastFired < RefireAfter.Ticks) return false;
        _fired.Add(rule);
        _lastFired = Math.Max(_lastFired, at);
        return true;
    }
}
