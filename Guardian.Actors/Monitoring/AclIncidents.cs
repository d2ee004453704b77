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
}
