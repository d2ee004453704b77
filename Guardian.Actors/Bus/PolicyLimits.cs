using System.Collections.Frozen;
using Guardian.Actors.Access;

namespace Guardian.Actors.Bus;

/// <summary>The token buckets that one policy asks for: one per entry of <c>topics</c>, one per principal with a rate.</summary>
internal sealed class PolicyLimits(AccessPolicy policy, int defaultQueue)
{
    private readonly TokenBucket?[] _topics = [.. policy.Definition.Topics.Select(x => x.RateLimit is { } rate ? new TokenBucket(rate) : null)];

    private readonly FrozenDictionary<string, TokenBucket> _principals = policy.Definition.Principals
        .Where(x => x.Value.RateLimit is not null)
        .ToFrozenDictionary(x => x.Key, x => new TokenBucket(x.Value.RateLimit!.Value), StringComparer.Ordinal);

    public AccessPolicy Policy { get; } = policy;

    public TokenBucket? Of(string principal) => _principals.GetValueOrDefault(principal);

    public TopicRules RulesOf(string topic)
    {
        var settings = Policy.SettingsOf(topic);
        return new TopicRules(Policy, settings?.Queue ?? defaultQueue, settings?.OnFull ?? OnFull.Refuse,
            settings is null ? null : _topics[settings.Index], Policy.IsControlTopic(topic));
    }
}
