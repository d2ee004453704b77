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

    /// <summary>The processor at its limit for a while.</summary>
    public const string CpuPressure = "resource.cpu_pressure";

    /// <summary>Memory at its limit for a while.</summary>
    public const string MemoryPressure = "resource.memory_pressure";

    /// <summary>A disk at its limit for a while.</summary>
    public const string DiskPressure = "resource.disk_pressure";

    /// <summary>A resource that cannot be measured any more.</summary>
    public const string SensorFailure = "sensor_failure";

    /// <summary>A kernel was not heard for longer than agreed.</summary>
    public const string HeartbeatMissed = "kernel.heartbeat_missed";

    /// <summary>A kernel reached its limit of restarts.</summary>
    public const string KernelCrashLoop = "kernel.crash_loop";

    /// <summary>A node that does not answer the others.</summary>
    public const string NodeUnreachable = "node_unreachable";

    /// <summary>Nodes whose policies or playbooks differ for longer than a change takes.</summary>
    public const string ConfigDrift = "config_drift";

    /// <summary>A node's bus that does not answer, does not move, or restarts again and again.</summary>
    public const string BusDegraded = "message_bus.degraded";

    private static readonly FieldSpec Principal = new("principal", FieldType.String, false, "The blamed principal; missing where nobody is blamed.");
    private static readonly FieldSpec Topic = new("topic", FieldType.String, true, "The topic of most violations.");
    private static readonly FieldSpec Violations = new("violations", FieldType.Int, true, "Violations so far; grows while the incident is open.") { Counted = true };

    private static readonly FieldSpec[] Pressure =
    [
        new("resource", FieldType.String, true, "cpu, memory or disk."),
        new("value", FieldType.Double, true, "Percent of what may be used, when it was detected."),
        new("enter", FieldType.Double, true, "The limit, percent."),
        new("leave", FieldType.Double, true, "Calm below this, percent."),
        new("sustained", FieldType.Double, true, "Seconds at the limit."),
        new("source", FieldType.String, true, "What was read; names the quota where there is one."),
        new("processes", FieldType.List, true, "The greatest users: pid, parent, name, cpu, treeCpu, memoryBytes, cgroup."),
    ];

    private static readonly FieldSpec[] Kernel =
    [
        new("kernel", FieldType.String, true, "The kernel's name."),
        new("class", FieldType.String, true, "Its workload class."),
        new("criticality", FieldType.String, true, "critical, normal or background."),
    ];

    /// <summary>All of them.</summary>
    public static IReadOnlyList<IncidentType> All { get; } =
    [
        new(SpamAttack, [Principal, Topic, Violations]) { Key = AclKey },
        new(ActorBlacklist, [Principal, Topic, Violations]) { Key = AclKey },
        new(ControlTopicFlood, [Principal, Topic, Violations]) { Key = AclKey },
        new(PolicyRegression, [Principal, Topic, Violations, new("policyHash", FieldType.String, true, "SHA-256 of the policy that denies now.")]) { Key = RegressionKey },
        new(HeartbeatMissed,
        [
            .. Kernel,
            new("replica", FieldType.Int, true, "Which of its replicas, from 0."),
            new("epoch", FieldType.Int, true, "Which instance of the replica."),
            new("silentMs", FieldType.Int, true, "Milliseconds without a beat when it was missed."),
            new("missAfterMs", FieldType.Int, true, "Milliseconds without a beat that are allowed."),
        ]) { Key = KernelKey },
        new(KernelCrashLoop,
        [
            .. Kernel,
            new("restarts", FieldType.Int, true, "Restarts since the node started."),
            new("reason", FieldType.String, true, "How it ended last."),
        ]) { Key = KernelKey },
        new(CpuPressure, Pressure) { Key = x => NodeKey("cpu", x) },
        new(MemoryPressure, Pressure) { Key = x => NodeKey("memory", x) },
        new(DiskPressure, Pressure),
        new(NodeUnreachable,
        [
            new("address", FieldType.String, true, "Its address."),
            new("reason", FieldType.String, true, "What was seen."),
        ]) { Key = x => Text(x, "subject") is { } node ? UnreachableKey(node) : null },
        new(ConfigDrift,
        [
            new("what", FieldType.String, true, "policy or playbooks."),
            new("hashes", FieldType.String, true, "Each node with the beginning of its hash."),
            new("reason", FieldType.String, true, "What was seen."),
        ]) { Key = x => Text(x, "what") is { } what ? DriftKey(what) : null },
        new(BusDegraded,
        [
            new("reason", FieldType.String, true, "What was seen."),
            new("restarts", FieldType.Int, true, "Restarts since the node started, as far as they are known."),
            new("parked", FieldType.Int, false, "Messages that crashed their handler; missing where the bus did not answer."),
            new("queued", FieldType.Int, false, "Messages accepted and not yet delivered; missing where the bus did not answer."),
        ]) { Key = x => Text(x, "node") is { } node ? BusKey(node) : null },
        new(SensorFailure,
        [
            new("resource", FieldType.String, true, "cpu, memory, disk or sampler."),
            new("source", FieldType.String, true, "What should be read."),
            new("reason", FieldType.String, true, "Why it is not known."),
        ]),
    ];

    /// <summary>Of who is blamed, else of the topic.</summary>
    public static string PrincipalKey(string principal) => $"acl/principal/{principal}";

    /// <summary>Of a topic where nobody is blamed.</summary>
    public static string TopicKey(string topic) => $"acl/topic/{topic}";

    /// <summary>Of a policy that denies what the one before allowed.</summary>
    public static string RegressionKey(string policyHash) => $"policy/regression/{policyHash[..Math.Min(12, policyHash.Length)]}";

    /// <summary>Of a node that does not answer.</summary>
    public static string UnreachableKey(string node) => $"cluster/node/{node}";

    /// <summary>Of files, policy or playbooks, that differ between nodes.</summary>
    public static string DriftKey(string what) => $"cluster/config/{what}";

    /// <summary>Of a node's bus.</summary>
    public static string BusKey(string node) => $"bus/{node}";

    /// <summary>Of a kernel on its node.</summary>
    public static string KernelKey(string node, string kernel) => $"kernel/{node}/{kernel}";

    private static string? KernelKey(JsonElement incident) =>
        Text(incident, "node") is { } node && Text(incident, "kernel") is { } kernel ? KernelKey(node, kernel) : null;

    private static string? AclKey(JsonElement incident) =>
        Text(incident, "principal") is { } principal ? PrincipalKey(principal) : Text(incident, "topic") is { } topic ? TopicKey(topic) : null;

    private static string? NodeKey(string resource, JsonElement incident) => Text(incident, "node") is { } node ? $"resource/{resource}/{node}" : null;

    private static string? RegressionKey(JsonElement incident) => Text(incident, "policyHash") is { } hash ? RegressionKey(hash) : null;

    private static string? Text(JsonElement incident, string name) =>
        incident.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
