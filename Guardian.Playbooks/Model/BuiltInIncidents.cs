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
        new(SpamAttack, [Principal, Topic, Violations]),
        new(ActorBlacklist, [Principal, Topic, Violations]),
        new(ControlTopicFlood, [Principal, Topic, Violations]),
        new(PolicyRegression, [Principal, Topic, Violations, new("policyHash", FieldType.String, true, "SHA-256 of the policy that denies now.")]),
    ];
}
