using System.Collections.Frozen;

namespace Guardian.Actors.Access;

/// <summary>
/// A compiled access policy, immutable: who may publish and subscribe where. Deny wins, no match is denied, and every answer
/// names its rule. A warm decision costs the same with ten rules and with a hundred thousand.
/// </summary>
internal sealed class AccessPolicy
{
    /// <summary>Where no rule matches.</summary>
    public const string DefaultRule = "default/deny";

    /// <summary>Guardian's own principal; protected whatever the file says.</summary>
    public const string GuardianPrincipal = "guardian";

    private static readonly AccessDecision DefaultDeny = new(false, DefaultRule);
    private static long _lastId;

    private readonly FrozenDictionary<string, PrincipalRules> _principals;
    private readonly FrozenSet<string> _protected;
    private readonly PatternTrie<TopicSettings> _topics = new();
    private readonly PatternTrie<string> _control = new();
    private readonly DecisionCache _cache;

    private AccessPolicy(AccessPolicyDefinition definition, string hash, int decisionCache)
    {
        Definition = definition;
        Hash = hash;
        _cache = new DecisionCache(decisionCache);
        var roles = definition.Roles.ToDictionary(x => x.Key, x => new RuleSet($"roles/{x.Key}", x.Value), StringComparer.Ordinal);
        _principals = definition.Principals.ToFrozenDictionary(
            x => x.Key,
            x => new PrincipalRules([new RuleSet($"principals/{x.Key}", x.Value), .. x.Value.Roles.Select(role => roles[role])]),
            StringComparer.Ordinal);
        _protected = definition.Protected.Append(GuardianPrincipal).ToFrozenSet(StringComparer.Ordinal);
        foreach (var topic in definition.Topics) _topics.Add(topic.Match, topic);
        foreach (var pattern in definition.ControlTopics) _control.Add(pattern, pattern);
    }

    /// <summary>Unique in the process; what was derived from a policy is kept under it.</summary>
    public long Id { get; } = Interlocked.Increment(ref _lastId);

    /// <summary>SHA-256 of the file's text, 64 hex digits.</summary>
    public string Hash { get; }

    public AccessPolicyDefinition Definition { get; }

    /// <summary>How many principals the file declares.</summary>
    public int DeclaredPrincipals => _principals.Count;

    /// <summary>Compiles a valid definition.</summary>
    /// <param name="definition">From <see cref="AccessPolicyReader"/>, or made in code.</param>
    /// <param name="hash">Of its text.</param>
    /// <param name="decisionCache">Decisions kept ready.</param>
    public static AccessPolicy Compile(AccessPolicyDefinition definition, string hash, int decisionCache = 65_536) => new(definition, hash, decisionCache);

    /// <summary>
    /// Whether <paramref name="principal"/> may do this. For a subscription <paramref name="topic"/> may be a pattern: it is allowed
    /// when one allow rule covers all of it and no deny rule does; a deny of a part is applied to each topic at delivery.
    /// </summary>
    public AccessDecision Decide(string principal, string topic, BusOperation operation)
    {
        if (_cache.TryGet(principal, topic, operation, out var decision)) return decision;

        // What nobody declared is never cached: a flood of invented names cannot push out a decision that is in use.
        if (!_principals.TryGetValue(principal, out var rules)) return DefaultDeny;
        decision = rules.Decide(topic, operation);
        _cache.Add(principal, topic, operation, decision);
        return decision;
    }

    public bool IsDeclared(string principal) => _principals.ContainsKey(principal);

    public bool IsProtected(string principal) => _protected.Contains(principal);

    /// <summary>True for a topic, or a pattern, that one control pattern covers.</summary>
    public bool IsControlTopic(string topic) => _control.TryFirst(topic, out _);

    /// <summary>True when the pattern matches some control topic.</summary>
    public bool TouchesControlTopics(string pattern) => Definition.ControlTopics.Any(x => TopicNames.Overlap(x, pattern));

    /// <summary>The first entry of <c>topics</c> that matches; null where none does.</summary>
    public TopicSettings? SettingsOf(string topic) => _topics.TryFirst(topic, out var settings) ? settings : null;

    private sealed class PrincipalRules(RuleSet[] sets)
    {
        public AccessDecision Decide(string topic, BusOperation operation)
        {
            foreach (var set in sets)
            {
                if (set.Deny(operation)?.TryFirst(topic, out var rule) == true) return new AccessDecision(false, rule);
            }

            foreach (var set in sets)
            {
                if (set.Allow(operation)?.TryFirst(topic, out var rule) == true) return new AccessDecision(true, rule);
            }

            return DefaultDeny;
        }
    }

    private sealed class RuleSet(string id, RuleDefinition rules)
    {
        private readonly PatternTrie<string>? _publishAllow = Trie(id, "publish/allow", rules.PublishAllow);
        private readonly PatternTrie<string>? _publishDeny = Trie(id, "publish/deny", rules.PublishDeny);
        private readonly PatternTrie<string>? _subscribeAllow = Trie(id, "subscribe/allow", rules.SubscribeAllow);
        private readonly PatternTrie<string>? _subscribeDeny = Trie(id, "subscribe/deny", rules.SubscribeDeny);

        public PatternTrie<string>? Allow(BusOperation operation) => operation == BusOperation.Publish ? _publishAllow : _subscribeAllow;

        public PatternTrie<string>? Deny(BusOperation operation) => operation == BusOperation.Publish ? _publishDeny : _subscribeDeny;

        private static PatternTrie<string>? Trie(string id, string kind, IReadOnlyList<string> patterns)
        {
            if (patterns.Count == 0) return null;
            var trie = new PatternTrie<string>();
            for (var i = 0; i < patterns.Count; i++) trie.Add(patterns[i], $"{id}/{kind}/{i}");
            return trie;
        }
    }
}
