using System.Text.Json;

namespace Guardian.Playbooks.Model;

/// <summary>The kinds of incident that Guardian raises by itself.</summary>
public static class BuiltInIncidents
{
    /// <summary>10 violations within a second (options may change the numbers), by one principal or on one topic.</summary>
    public const string SpamAttack = "message_bus.acl_violation.spam_attack";

    /// <summary>20 violations by one principal, leaking over 10 minutes.</summary>
    public const string ActorBlacklist = "message_bus.acl_violation.actor_blacklist";

    /// <summary>5 violations on one control topic within 60 seconds.</summary>
    public const string ControlTopicFlood = "message_bus.acl_violation.control_topic_flood";

    /// <summary>A new policy denies what the one before allowed.</summary>
    public const string PolicyRegression = "policy.regression";

    private static readonly FieldSpec Principal = new("principal", FieldType.String, false, "The blamed principal; missing where nobody is blamed.");
    private static readonly FieldSpec Topic = new("topic", FieldType.String, true, "The topic of most violations.");
    private static readonly FieldSpec Violations = new("violations", FieldType.Int, true, "Violations so far; grows while the incident is open.");

    /// <summary>All of them.</summary>
    public static IReadOnlyList<IncidentType> All { get; } =
    [
        new(SpamAttack, [Principal, Topic, Violations]) { Key = AclKey },
        new(ActorBlacklist, [Principal, Topic, Violations]) { Key = AclKey },
        new(ControlTopicFlood, [Principal, Topic, Violations]) { Key = AclKey },
        new(PolicyRegression, [Principal, Topic, Violations, new("policyHash", FieldType.String, true, "SHA-256 of the policy that denies now.")]) { Key = RegressionKey },
    ];

    /// <summary>Of who is blamed, else of the topic.</summary>
    public static string PrincipalKey(string principal) => $"acl/principal/{principal}";

    /// <summary>Of a topic where nobody is blamed.</summary>
    public static string TopicKey(string topic) => $"acl/topic/{topic}";

    /// <summary>Of a policy that denies what the one before allowed.</summary>
    public static string RegressionKey(string policyHash) => $"policy/regression/{policyHash[..Math.Min(12, policyHash.Length)]}";

    private static string? AclKey(JsonElement incident) =>
        Text(incident, "principal") is { } principal ? PrincipalKey(principal) : Text(incident, "topic") is { } topic ? TopicKey(topic) : null;

    private static string? RegressionKey(JsonElement incident) => Text(incident, "policyHash") is { } hash ? RegressionKey(hash) : null;

    private static string? Text(JsonElement incident, string name) =>
        incident.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
