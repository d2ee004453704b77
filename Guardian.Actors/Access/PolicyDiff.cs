namespace Guardian.Actors.Access;

/// <summary>A decision that another policy takes differently.</summary>
/// <param name="Principal">Who.</param>
/// <param name="Operation">What.</param>
/// <param name="Topic">On which topic; for subscriptions also a pattern.</param>
/// <param name="Before">By the policy now.</param>
/// <param name="After">By the other one.</param>
internal sealed record ChangedDecision(string Principal, BusOperation Operation, string Topic, AccessDecision Before, AccessDecision After);

/// <summary>
/// What changes when one policy takes the place of another: for given traffic, or for one topic of each kind that the rules of the two
/// tell apart. A different rule with the same answer is no change. Pure.
/// </summary>
internal static class PolicyDiff
{
    /// <summary>Topics asked about for each principal; files with more kinds than these are compared on so many.</summary>
    public const int MaxTopics = 20_000;

    /// <summary>For what really happened.</summary>
    public static IReadOnlyList<ChangedDecision> Of(AccessPolicy before, AccessPolicy after, IEnumerable<(string Principal, BusOperation Operation, string Topic)> traffic) =>
    [
        .. traffic.Distinct()
            .Select(x => new ChangedDecision(x.Principal, x.Operation, x.Topic, before.Decide(x.Principal, x.Topic, x.Operation), after.Decide(x.Principal, x.Topic, x.Operation)))
            .Where(x => x.Before.Allowed != x.After.Allowed)
            .OrderBy(x => x.Principal, StringComparer.Ordinal).ThenBy(x => x.Operation).ThenBy(x => x.Topic, StringComparer.Ordinal),
    ];

    /// <summary>For everybody whom one of the two declares, on one topic of each kind.</summary>
    /// <param name="before">The policy now.</param>
    /// <param name="after">The other one.</param>
    /// <param name="complete">False where there are more kinds of topics than <see cref="MaxTopics"/>.</param>
    public static IReadOnlyList<ChangedDecision> Of(AccessPolicy before, AccessPolicy after, out bool complete)
    {
        var patterns = Patterns(before.Definition).Concat(Patterns(after.Definition)).Distinct(StringComparer.Ordinal).ToList();
        var (unused, depth) = (Unused(patterns), patterns.Select(x => x.Split('.').Length).DefaultIfEmpty().Max() + 1);
        // What two rules match together is decided like its most general topic, and a tail longer than every rule like one that is longer by one.
        var topics = patterns.Concat(from a in patterns from b in patterns where string.CompareOrdinal(a, b) < 0 && TopicNames.Overlap(a, b) select Both(a, b))
            .SelectMany(x => Topics(x, unused, depth)).Distinct(StringComparer.Ordinal).Take(MaxTopics + 1).ToList();
        complete = topics.Count <= MaxTopics;
        if (!complete) topics.RemoveAt(MaxTopics);
        var principals = before.Definition.Principals.Keys.Union(after.Definition.Principals.Keys, StringComparer.Ordinal);
        return Of(before, after, from principal in principals
                                 from operation in (BusOperation[])[BusOperation.Publish, BusOperation.Subscribe]
                                 from topic in topics
                                 select (principal, operation, topic));
    }

    private static IEnumerable<string> Patterns(AccessPolicyDefinition definition) =>
        definition.Roles.Values.Concat(definition.Principals.Values)
            .SelectMany(x => x.PublishAllow.Concat(x.PublishDeny).Concat(x.SubscribeAllow).Concat(x.SubscribeDeny));

    /// <summary>The pattern of the topics that match both, which overlap.</summary>
    private static string Both(string one, string other)
    {
        var (a, b) = (one.Split('.'), other.Split('.'));
        var merged = new List<string>();
        for (var i = 0; i < Math.Max(a.Length, b.Length); i++)
        {
            if (i < a.Length && a[i] == ">") return string.Join('.', merged.Concat(b[i..]));
            if (i < b.Length && b[i] == ">") return string.Join('.', merged.Concat(a[i..]));
            merged.Add(a[i] == "*" ? b[i] : a[i]);
        }

        return string.Join('.', merged);
    }

    /// <summary>A segment that no rule names, so that it stands for all others.</summary>
    private static string Unused(IEnumerable<string> patterns)
    {
        var named = patterns.SelectMany(x => x.Split('.')).ToHashSet(StringComparer.Ordinal);
        var segment = "any";
        while (named.Contains(segment)) segment += "-";
        return segment;
    }

    private static IEnumerable<string> Topics(string pattern, string unused, int depth)
    {
        var topic = string.Join('.', pattern.Split('.').Select(x => x is "*" or ">" ? unused : x));
        yield return topic;
        if (!pattern.EndsWith('>')) yield break;
        for (var length = topic.Split('.').Length; length < depth; length++) yield return topic += "." + unused;
    }
}
