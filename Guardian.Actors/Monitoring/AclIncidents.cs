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
}
