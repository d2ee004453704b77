using System.Text.Json;
using System.Text.Json.Nodes;
using Guardian.Actors.Incidents;

namespace Guardian.Actors.Monitoring;

/// <summary>Incident types of this room and the keys that they define.</summary>
internal static class AclIncidents
{
    public const string SpamAttack = "message_bus.acl_violation.spam_attack";
    public const string ActorBlacklist = "message_bus.acl_violation.actor_blacklist";
    public const string ControlTopicFlood = "message_bus.acl_violation.control_topic_flood";
    public const string PolicyRegression = "policy.regression";

    public static string PrincipalKey(string principal) => $"acl/principal/{principal}";

    public static string TopicKey(string topic) => $"acl/topic/{topic}";

    public static string RegressionKey(string policyHash) => $"policy/regression/{policyHash[..Math.Min(12, policyHash.Length)]}";

    /// <summary>What the incident's entity is told.</summary>
    public static IncidentRaised Raise(Detection d) => new()
    {
        Key = d.Key,
        Type = d.Type,
        Node = d.Node,
        At = d.At,
        Subject = d.Subject,
        Principal = d.Principal,
        Topic = d.Topic,
        Detection = d.Number,
        Episode = d.Episode,
        Violations = d.Violations,
        Severity = d.Severity,
        Evidence = Evidence(d),
    };

    private static JsonElement Evidence(Detection d)
    {
        using var document = JsonDocument.Parse(new JsonObject { ["rule"] = d.Rule, ["ruleId"] = d.RuleId, ["policyHash"] = d.PolicyHash }.ToJsonString());
        return document.RootElement.Clone();
    }
}
