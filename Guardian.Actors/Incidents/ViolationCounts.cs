using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Guardian.Actors.Incidents;

/// <summary>An episode of a node's monitor.</summary>
internal sealed record EpisodeName(string Node, string Episode);

/// <summary>What an episode has counted.</summary>
internal sealed record EpisodeCount(string Node, string Episode, long Violations);

/// <summary>
/// How often an incident's subject violated: per episode the maximum (a repeated or overtaken report does no harm), per node the sum
/// of its episodes, over nodes the maximum: monitors on several nodes watch the same violations and must not multiply them.
/// </summary>
internal sealed record ViolationCounts
{
    /// <summary>Episodes told apart; a monitor that restarts more often within one incident has the smallest ones merged.</summary>
    private const int MaxEpisodes = 64;

    public static ViolationCounts None { get; } = new();

    private ImmutableDictionary<(string Node, string Episode), long> Episodes { get; init; } = ImmutableDictionary<(string, string), long>.Empty;

    private (string Node, string Episode)? Last { get; init; }

    /// <summary>All episodes that counted, for a snapshot.</summary>
    public IReadOnlyList<EpisodeCount> Counted
    {
        get => [.. Episodes.Select(x => new EpisodeCount(x.Key.Node, x.Key.Episode, x.Value))];
        init => Episodes = value.ToImmutableDictionary(x => (x.Node, x.Episode), x => x.Violations);
    }

    /// <summary>The episode that was reported last, for a snapshot.</summary>
    public EpisodeName? LastReported
    {
        get => Last is { } last ? new EpisodeName(last.Node, last.Episode) : null;
        init => Last = value is null ? null : (value.Node, value.Episode);
    }

    /// <summary>Null where nothing was ever counted.</summary>
    [JsonIgnore]
    public long? Total => Episodes.IsEmpty ? null : Episodes.GroupBy(x => x.Key.Node).Max(x => x.Sum(y => y.Value));

    /// <summary>A report of an episode's count so far.</summary>
    public ViolationCounts Seen(string node, string episode, long? violations)
    {
        var key = (node, episode);
        if (violations is not { } count) return this with { Last = key };
        var all = Episodes.SetItem(key, Math.Max(count, Episodes.GetValueOrDefault(key)));
        if (all.Count > MaxEpisodes)
        {
            var smallest = all.Where(x => x.Key != key && x.Key.Episode.Length > 0).MinBy(x => x.Value);
            var merged = (smallest.Key.Node, "");
            all = all.Remove(smallest.Key).SetItem(merged, all.GetValueOrDefault(merged) + smallest.Value);
        }

        return this with { Episodes = all, Last = key };
    }

    /// <summary>The journal knows this total; what it is more than the episodes tell belongs to the last one's node.</summary>
    public ViolationCounts AtLeast(long? total)
    {
        if (total is not { } known || Last is not { } last) return this;
        if (known <= (Total ?? 0)) return this;
        var more = known - Episodes.Where(x => x.Key.Node == last.Node).Sum(x => x.Value);
        return this with { Episodes = Episodes.SetItem(last, Episodes.GetValueOrDefault(last) + more) };
    }
}
