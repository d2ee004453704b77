using System.Text.Json;
using System.Text.Json.Nodes;
using Guardian.Actors.Incidents;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Monitoring;

/// <summary>Incident types of this room and the keys that they define.</summary>
internal static class AclIncidents
{
    public const string SpamAttack = BuiltInIncidents.SpamAttack;
    public const string ActorBlacklist = BuiltInIncidents.ActorBlacklist;
    public const string ControlTopicFlood = BuiltInIncidents.ControlTopicFlood;
    public const string PolicyRegression = BuiltInIncidents.PolicyRegression;

    public static string PrincipalKey(string principal) => BuiltInIncidents.PrincipalKey(principal);

    public static string TopicKey(string topic) => BuiltInIncidents.TopicKey(topic);

    public static string RegressionKey(string policyHash) => BuiltInIncidents.RegressionKey(policyHash);

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
