using System.Globalization;
using Guardian.Actors.Hosting;

namespace Guardian.Actors.Monitoring;

/// <summary>
/// Decides which violations are an attack, and whose. Works in event time, so that a recorded trace gives the same
/// incidents. A principal that reaches a rate alone is blamed; only what nobody is blamed for counts towards its topic:
/// a flood by A never bans B and is one incident, not two. A violation serves a rule once. Pure; not thread-safe.
/// </summary>
/// <param name="options">Thresholds and the size of the tables.</param>
/// <param name="episodePrefix">Unique per start of the monitor.</param>
internal sealed class AclDetector(AclMonitorOptions options, string episodePrefix)
{
    private const int PoliciesRemembered = 64; // one incident per policy; nobody swaps 64 within a guard time
    private const int ExemptionsRemembered = 10_000; // set by operators, one at a time

    private readonly LruTable<string, WatchedPrincipal> _principals = new(options.TableSize, comparer: StringComparer.Ordinal);
    private readonly LruTable<string, WatchedTopic> _topics = new(options.TableSize, comparer: StringComparer.Ordinal);
    private readonly LruTable<string, Episode> _regressions = new(PoliciesRemembered, comparer: StringComparer.Ordinal);
    private readonly LruTable<string, DateTimeOffset> _exempt = new(ExemptionsRemembered, comparer: StringComparer.Ordinal);
    private readonly List<Detection> _detections = [];
    private readonly Dictionary<string, Episode> _touched = new(StringComparer.Ordinal);
    private long _episodes;

    /// <summary>Rules that have fired.</summary>
    public long Detections { get; private set; }

    /// <summary>Principals and topics that fell out of a full table.</summary>
    public long FellOut => _principals.FellOut + _topics.FellOut;

    /// <summary>Principals and topics watched now.</summary>
    public int Subjects => _principals.Count + _topics.Count;

    /// <summary>Takes in what a digest added.</summary>
    public Observed Observe(IReadOnlyList<ViolationDelta> deltas, DateTimeOffset now)
    {
        _detections.Clear();
        _touched.Clear();
        foreach (var delta in deltas)
            if (delta.Row.AllowedBefore) Regression(delta, now);
        var events = deltas.Where(x => !x.Row.AllowedBefore && !IsExempt(x.Row.Principal, now))
            .SelectMany(x => ViolationEvent.Of(x, now)).OrderBy(x => x.At).ToList();

        // Principals first: what one of them is blamed for in this digest must not count towards a topic.
        // The total last: of a burst that came as one digest, the rule with the lower bound was reached first.
        foreach (var e in events) ByPrincipal(e);
        foreach (var e in events) ByTotal(e);
        foreach (var delta in deltas) OfBanned(delta, now);
        foreach (var e in events) ByTopic(e);
        return new Observed(
            [.. _detections.Select(x => x with { Violations = _touched[x.Key].Violations, Topic = x.Topic ?? _touched[x.Key].TopTopic })],
            [.. _touched.Values.Where(x => x.Blamed).Select(x => new EpisodeGrew(x.Key, x.Id, x.Violations))]);
    }

    /// <summary>The incident is over: trouble that follows is a new episode and is judged from zero.</summary>
    public void Over(string key, string episode)
    {
        foreach (var (kind, remove) in new (string, Action<string>)[] { (AclIncidents.PrincipalKey(""), x => ForgetPrincipal(x, episode)), (AclIncidents.TopicKey(""), x => ForgetTopic(x, episode)) })
            if (key.StartsWith(kind, StringComparison.Ordinal))
                remove(key[kind.Length..]);
        if (_regressions.TryPeek(key, out var regression) && regression.Id == episode) regression.IncidentOver ??= regression.LastAttempt;
    }

    /// <summary>An operator set the principal free: nothing it does is held against it until then. Null ends the exemption.</summary>
    public void Exempt(string principal, DateTimeOffset? until)
    {
        ForgetPrincipal(principal, null);
        if (until is { } end) _exempt.Set(principal, end);
        else _exempt.Remove(principal);
    }

    private bool IsExempt(string principal, DateTimeOffset now) => _exempt.TryPeek(principal, out var until) && until > now;

    private void ByPrincipal(ViolationEvent e)
    {
        if (!_principals.TryUse(e.Principal, out var principal)) _principals.Set(e.Principal, principal = new(options));
        var episode = principal.Episode = Current(principal.Episode, AclIncidents.PrincipalKey(e.Principal), e.At);
        episode.Count(e.At, e.Weight, e.Topic);
        var at = e.At.UtcTicks;
        if (e.Delta.Row.Control && principal.Control(e.Topic) is var control && control.Add(at, 0) && episode.TryFire(AclIncidents.ControlTopicFlood, at))
        {
            control.Clear();
            Fire(e, episode, AclIncidents.ControlTopicFlood, e.Principal, e.Topic, Words(options.ControlTopicViolations, options.ControlTopicWindow, "on one control topic by one principal"));
        }

        if (principal.Spam.Add(at, 0) && episode.TryFire(AclIncidents.SpamAttack, at))
        {
            principal.Spam.Clear();
            Fire(e, episode, AclIncidents.SpamAttack, e.Principal, null, Words(options.SpamViolations, options.SpamWindow, "by one principal"));
        }
    }

    private void ByTotal(ViolationEvent e)
    {
        if (!_principals.TryUse(e.Principal, out var principal) || principal.Episode is not { } episode) return;
        var at = e.At.UtcTicks;
        if (principal.Total.Add(at, e.Weight, options.BlacklistViolations, options.BlacklistWindow) && episode.TryFire(AclIncidents.ActorBlacklist, at))
        {
            principal.Total.Clear();
            Fire(e, episode, AclIncidents.ActorBlacklist, e.Principal, null, Words(options.BlacklistViolations, options.BlacklistWindow, "by one principal, leaking"));
        }
    }

    /// <summary>Attempts of the banned belong to the episode that they prolong and raise nothing.</summary>
    private void OfBanned(ViolationDelta delta, DateTimeOffset now)
    {
        if (delta.Blacklisted == 0 || !_principals.TryUse(delta.Row.Principal, out var principal) || principal.Episode is not { } episode || episode.IsOver(now)) return;
        episode.Count(now, delta.Blacklisted, delta.Row.Topic);
        _touched[episode.Key] = episode;
    }

    private void ByTopic(ViolationEvent e)
    {
        if (IsBlamed(e.Principal)) return;
        if (!_topics.TryUse(e.Topic, out var topic)) _topics.Set(e.Topic, topic = new(options));
        topic.Forget(IsBlamed);
        var episode = topic.Episode = Current(topic.Episode, AclIncidents.TopicKey(e.Topic), e.At);
        episode.Count(e.At, e.Weight, e.Topic);
        var at = e.At.UtcTicks;
        if (e.Delta.Row.Control && topic.Control.Add(at, e.Principal) && episode.TryFire(AclIncidents.ControlTopicFlood, at))
        {
            topic.Control.Clear();
            Fire(e, episode, AclIncidents.ControlTopicFlood, null, e.Topic, Words(options.ControlTopicViolations, options.ControlTopicWindow, "on one control topic by several principals"));
        }

        if (topic.Spam.Add(at, e.Principal) && episode.TryFire(AclIncidents.SpamAttack, at))
        {
            topic.Spam.Clear();
            Fire(e, episode, AclIncidents.SpamAttack, null, e.Topic, Words(options.SpamViolations, options.SpamWindow, "on one topic by several principals"));
        }
    }

    /// <summary>
    /// What the policy before the last swap allowed is the policy's fault: one incident per policy, nobody blamed. A policy that was brought out again
    /// after it was quiet is a new episode.
    /// </summary>
    private void Regression(ViolationDelta delta, DateTimeOffset now)
    {
        if (delta.Denied == 0) return;
        var (row, at) = (delta.Row, delta.Times.Count > 0 ? delta.Times[^1] : now);
        var key = AclIncidents.RegressionKey(row.PolicyHash);
        if (!_regressions.TryUse(key, out var episode) || IsEnded(episode, at)) _regressions.Set(key, episode = Begin(key));
        _touched[episode.Key] = episode;
        episode.Count(at, delta.Denied, row.Topic);
        if (episode.Blamed) return;
        episode.TryFire(AclIncidents.PolicyRegression, at.UtcTicks);
        Fire(new(delta, at, delta.Denied), episode, AclIncidents.PolicyRegression, null, row.Topic, $"denied '{row.Principal}' on '{row.Topic}', which the policy before allowed");
    }

    /// <summary>
    /// Denials are a regression only for the guard time after a swap: after a longer silence they are those of another swap. Where the incident ended before,
    /// what outlasts it or follows it is raised again, but not each second.
    /// </summary>
    private bool IsEnded(Episode regression, DateTimeOffset at) =>
        at - regression.LastAttempt > options.PolicySwapGuard.Value || (regression.IncidentOver is { } over && at - over >= OutlastingTrouble.Pause);

    private bool IsBlamed(string principal) => _principals.TryPeek(principal, out var known) && known.Blamed;

    private Episode Current(Episode? episode, string key, DateTimeOffset at)
    {
        if (episode is null || episode.IsOver(at)) episode = Begin(key);
        return _touched[key] = episode;
    }

    private Episode Begin(string key) => new($"{episodePrefix}-{++_episodes}", key);

    private void Fire(ViolationEvent e, Episode episode, string type, string? principal, string? topic, string rule) => _detections.Add(new Detection
    {
        Key = episode.Key,
        Type = type,
        Node = e.Delta.Node,
        Subject = type == AclIncidents.PolicyRegression ? $"policy {e.Delta.Row.PolicyHash[..Math.Min(12, e.Delta.Row.PolicyHash.Length)]}" : principal ?? e.Topic,
        Principal = principal,
        Topic = topic,
        At = e.At,
        Number = ++Detections,
        Episode = episode.Id,
        Violations = episode.Violations,
        Severity = type == AclIncidents.ActorBlacklist ? "medium" : "high", // a slow total is no emergency
        Rule = rule,
        RuleId = e.Delta.Row.RuleId,
        PolicyHash = e.Delta.Row.PolicyHash,
    });

    private static string Words(int count, TimeSpan window, string who) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} violations within {window.TotalSeconds:0.###} s {who}");

    private void ForgetPrincipal(string name, string? episode)
    {
        if (!_principals.TryPeek(name, out var principal) || (episode is not null && principal.Episode?.Id != episode)) return;
        foreach (var topic in principal.Episode?.Topics ?? [])
            if (_topics.TryPeek(topic, out var watched))
                watched.Forget(x => x == name);
        _principals.Remove(name);
    }

    private void ForgetTopic(string name, string episode)
    {
        if (_topics.TryPeek(name, out var topic) && topic.Episode?.Id == episode) _topics.Remove(name);
    }
}
