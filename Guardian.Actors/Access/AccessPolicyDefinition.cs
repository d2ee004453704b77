using Guardian.Playbooks.Model;

namespace Guardian.Actors.Access;

/// <summary>A policy file as written, valid, before it is compiled.</summary>
internal sealed record AccessPolicyDefinition
{
    public IReadOnlyList<string> ControlTopics { get; init; } = [];

    public IReadOnlyDictionary<string, RuleDefinition> Roles { get; init; } = new Dictionary<string, RuleDefinition>();

    public IReadOnlyDictionary<string, PrincipalDefinition> Principals { get; init; } = new Dictionary<string, PrincipalDefinition>();

    /// <summary>The first that matches a topic holds.</summary>
    public IReadOnlyList<TopicSettings> Topics { get; init; } = [];

    public IReadOnlyList<string> Protected { get; init; } = [];
}

/// <summary>Patterns allowed and denied.</summary>
internal record RuleDefinition
{
    public IReadOnlyList<string> PublishAllow { get; init; } = [];

    public IReadOnlyList<string> PublishDeny { get; init; } = [];

    public IReadOnlyList<string> SubscribeAllow { get; init; } = [];

    public IReadOnlyList<string> SubscribeDeny { get; init; } = [];
}

/// <summary>A declared principal.</summary>
internal sealed record PrincipalDefinition : RuleDefinition
{
    public IReadOnlyList<string> Roles { get; init; } = [];

    /// <summary>Of all that the principal publishes; null: no limit.</summary>
    public Rate? RateLimit { get; init; }
}

/// <summary>What to do with a message when a queue is full.</summary>
internal enum OnFull
{
    /// <summary>The publish is refused; nothing accepted is lost.</summary>
    Refuse,

    /// <summary>The oldest undelivered message is dropped and counted.</summary>
    DropOldest,
}

/// <summary>Limits of the topics that match.</summary>
/// <param name="Index">Position in the file, from 0.</param>
/// <param name="Match">Pattern.</param>
/// <param name="RateLimit">Of all topics that match together; null: no limit.</param>
/// <param name="Queue">Messages waiting per topic and per subscriber; null: the node's default.</param>
/// <param name="OnFull">At that bound.</param>
internal sealed record TopicSettings(int Index, string Match, Rate? RateLimit, int? Queue, OnFull OnFull);
