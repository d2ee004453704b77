using Guardian.Playbooks.Validation;
using Guardian.Playbooks.Yaml;

namespace Guardian.Actors.Access;

/// <summary>Reads <c>policies/access.yaml</c> and reports everything that is wrong with it in one pass.</summary>
internal sealed class AccessPolicyReader
{
    /// <summary>Largest policy file: 100,000 rules of some 100 bytes fit. Not an option: beyond it reloading would no longer be quick.</summary>
    public const int MaxBytes = 16 * 1024 * 1024;

    private const int MaxNodes = 1_000_000;
    private const int MaxQueue = 1_000_000;

    private readonly ErrorSink _sink;

    private AccessPolicyReader(ErrorSink sink) => _sink = sink;

    /// <summary>The definition, or null where there are errors; then all of them.</summary>
    public static (AccessPolicyDefinition? Definition, IReadOnlyList<FileError> Errors) Read(string file, string text)
    {
        var sink = new ErrorSink(file);
        var root = YamlReader.Read(text, sink, MaxBytes, MaxNodes);
        var definition = root is null ? null : new AccessPolicyReader(sink).Policy(root);
        return sink.Count == 0 ? (definition, []) : (null, sink.Errors);
    }

    private AccessPolicyDefinition? Policy(YamlNode root)
    {
        if (MapReader.Of(root, _sink, "the policy") is not { } map) return null;
        MustBe(map, "apiVersion", "guardian/v1");
        MustBe(map, "kind", "AccessPolicy");
        var control = Patterns(map.List("controlTopics"), "controlTopics");
        var roles = Roles(map.Take("roles"));
        var principals = Principals(map.Take("principals"), roles.Keys);
        var topics = Topics(map.List("topics"));
        var guarded = Protected(map.List("protected"), principals.Keys);
        map.Finish();
        return new AccessPolicyDefinition { ControlTopics = control, Roles = roles, Principals = principals, Topics = topics, Protected = guarded };
    }

    private void MustBe(MapReader map, string key, string expected)
    {
        if (map.Require(key) is { } node && YamlValues.Text(node, _sink, key) is { } text && text != expected)
            _sink.Add(node, $"'{key}' must be {expected}, not '{text}'");
    }

    private Dictionary<string, RuleDefinition> Roles(YamlNode? node)
    {
        var roles = new Dictionary<string, RuleDefinition>(StringComparer.Ordinal);
        foreach (var (key, map) in Named(node, "roles", "role"))
        {
            roles[key] = Rules(map, new RuleDefinition());
            map.Finish();
        }

        return roles;
    }

    private Dictionary<string, PrincipalDefinition> Principals(YamlNode? node, IReadOnlyCollection<string> roles)
    {
        var principals = new Dictionary<string, PrincipalDefinition>(StringComparer.Ordinal);
        foreach (var (key, map) in Named(node, "principals", "principal"))
        {
            var own = new List<string>();
            foreach (var item in map.List("roles"))
            {
                if (YamlValues.Text(item, _sink, "roles") is not { } role) continue;
                if (!roles.Contains(role)) _sink.Add(item, $"there is no role '{role}'{Spelling.Hint(role, roles)}");
                else if (own.Contains(role)) _sink.Add(item, $"role '{role}' is given twice");
                else own.Add(role);
            }

            principals[key] = (PrincipalDefinition)Rules(map, new PrincipalDefinition { Roles = own, RateLimit = map.Rate("rateLimit") });
            map.Finish();
        }

        return principals;
    }

    private IEnumerable<(string Key, MapReader Map)> Named(YamlNode? node, string section, string what)
    {
        if (node is null) yield break;
        if (node.Kind != YamlKind.Map)
        {
            _sink.Add(node, $"'{section}' must be a map of names, not {node.Describe()}");
            yield break;
        }

        foreach (var entry in node.Entries)
        {
            if (!TopicNames.IsPrincipal(entry.Key))
                _sink.Add(entry.KeyNode, $"'{entry.Key}' is no name for a {what}: 1 to {TopicNames.MaxPrincipal} characters, no control characters, no blank at either end");
            if (MapReader.Of(entry.Value, _sink, $"{what} '{entry.Key}'") is { } map) yield return (entry.Key, map);
        }
    }

    private RuleDefinition Rules(MapReader map, RuleDefinition into)
    {
        var (publishAllow, publishDeny) = Operation(map, "publish");
        var (subscribeAllow, subscribeDeny) = Operation(map, "subscribe");
        return into with { PublishAllow = publishAllow, PublishDeny = publishDeny, SubscribeAllow = subscribeAllow, SubscribeDeny = subscribeDeny };
    }

    private (List<string> Allow, List<string> Deny) Operation(MapReader rules, string operation)
    {
        if (rules.Map(operation) is not { } map) return ([], []);
        var allow = Patterns(map.List("allow"), "allow");
        var deny = Patterns(map.List("deny"), "deny", allow.ToHashSet(StringComparer.Ordinal));
        map.Finish();
        return (allow, deny);
    }

    private List<string> Patterns(IEnumerable<YamlNode> items, string key, HashSet<string>? contradicts = null)
    {
        var patterns = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in items)
        {
            if (Pattern(item, key) is not { } pattern) continue;
            if (!seen.Add(pattern)) _sink.Add(item, $"'{pattern}' is in '{key}' twice");
            else if (contradicts?.Contains(pattern) == true) _sink.Add(item, $"'{pattern}' is both allowed and denied here; deny wins, so remove the one that is not meant");
            else patterns.Add(pattern);
        }

        return patterns;
    }

    private string? Pattern(YamlNode node, string key)
    {
        if (YamlValues.Text(node, _sink, key) is not { } pattern) return null;
        if (TopicNames.IsPattern(pattern, out var problem)) return pattern;
        _sink.Add(node, $"pattern '{pattern}' {problem}");
        return null;
    }

    private List<TopicSettings> Topics(IReadOnlyList<YamlNode> items)
    {
        var topics = new List<TopicSettings>();
        var before = new PatternTrie<string>();
        foreach (var item in items)
        {
            if (MapReader.Of(item, _sink, "topic") is not { } map) continue;
            var match = map.Require("match") is { } node ? Pattern(node, "match") : null;
            var rate = map.Rate("rateLimit");
            var queue = map.Take("queue") is null ? (int?)null : map.Int("queue", 1, 1, MaxQueue);
            var onFull = map.Enum("onFull", OnFull.Refuse);
            map.Finish();
            if (match is null) continue;
            if (before.TryFirst(match, out var earlier)) _sink.Add(map.Node.Get("match")!, $"'{match}' is never used: '{earlier}' above matches the same topics, and the first match holds; put the narrower one first");
            before.Add(match, match);
            topics.Add(new TopicSettings(topics.Count, match, rate, queue, onFull));
        }

        return topics;
    }

    private List<string> Protected(IReadOnlyList<YamlNode> items, IReadOnlyCollection<string> principals)
    {
        var names = new List<string>();
        foreach (var item in items)
        {
            if (YamlValues.Text(item, _sink, "protected") is not { } name) continue;
            if (name != AccessPolicy.GuardianPrincipal && !principals.Contains(name))
                _sink.Add(item, $"'{name}' is protected but not declared under principals{Spelling.Hint(name, principals)}");
            else if (names.Contains(name)) _sink.Add(item, $"'{name}' is protected twice");
            else names.Add(name);
        }

        return names;
    }
}
