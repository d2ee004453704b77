using Guardian.Actors.Actions;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Hosting;

/// <summary>All options of Guardian: section <c>Guardian</c>. Each has a default and is validated at start.</summary>
public sealed class GuardianOptions
{
    /// <summary>Who this node is and where it keeps its data.</summary>
    public NodeOptions Node { get; set; } = new();

    /// <summary>Used by Guardian.Host; an embedding application configures its cluster itself.</summary>
    public ClusterOptions Cluster { get; set; } = new();

    /// <summary>The journal.</summary>
    public PersistenceOptions Persistence { get; set; } = new();

    /// <summary>The HTTP API.</summary>
    public HttpOptions Http { get; set; } = new();

    /// <summary>Policy, playbooks, scenarios.</summary>
    public FileOptions Files { get; set; } = new();

    /// <summary>How far Guardian may act by itself. The strictest of mode, class, playbook and kernel wins.</summary>
    public OperatingMode Mode { get; set; } = OperatingMode.Enforce;

    /// <summary>Autonomy by risk class.</summary>
    public AutonomyOptions Autonomy { get; set; } = new();

    /// <summary>Detection.</summary>
    public MonitorOptions Monitors { get; set; } = new();

    /// <summary>The bus.</summary>
    public BusOptions Bus { get; set; } = new();

    /// <summary>Bans.</summary>
    public BlacklistOptions Blacklist { get; set; } = new();

    /// <summary>Incidents and runs.</summary>
    public IncidentOptions Incidents { get; set; } = new();

    /// <summary>Where notifications go.</summary>
    public NotificationOptions Notifications { get; set; } = new();

    /// <summary>Where tickets go.</summary>
    public TaskOptions Tasks { get; set; } = new();

    /// <summary>Chaos on a running node.</summary>
    public ChaosOptions Chaos { get; set; } = new();

    /// <summary>Actions that the application adds; set in code. Playbooks may name them at once.</summary>
    public IList<IGuardianAction> Actions { get; } = [];

    /// <summary>Probes that the application adds; set in code.</summary>
    public IList<IGuardianProbe> Probes { get; } = [];

    /// <summary>Kinds of incident that the application raises; set in code.</summary>
    public IList<IncidentType> IncidentTypes { get; } = [];
}

/// <summary><c>Guardian:Node</c>.</summary>
public sealed class NodeOptions
{
    /// <summary>Unique in the cluster, letters, digits, dot, dash, underscore, at most 64; empty: made at first start and kept in the data directory.</summary>
    public string Name { get; set; } = "";

    /// <summary>Created where missing. Relative to the working directory.</summary>
    public string DataDirectory { get; set; } = "data";
}

/// <summary><c>Guardian:Cluster</c>.</summary>
public sealed class ClusterOptions
{
    /// <summary>The actor system's name.</summary>
    public string SystemName { get; set; } = "guardian";

    /// <summary>Address that other nodes reach this one by.</summary>
    public string Hostname { get; set; } = "127.0.0.1";

    /// <summary>0: any free port, for a single node.</summary>
    public int Port { get; set; }

    /// <summary>Empty: a single node that joins itself.</summary>
    public IList<string> SeedNodes { get; set; } = [];

    /// <summary>Roles besides <c>guardian</c>.</summary>
    public IList<string> Roles { get; set; } = [];
}

/// <summary><c>Guardian:Persistence</c>.</summary>
public sealed class PersistenceOptions
{
    /// <summary><c>sqlite</c> (one node) or <c>postgres</c>.</summary>
    public string Provider { get; set; } = "sqlite";

    /// <summary>Empty with sqlite: files in the data directory. Required with postgres.</summary>
    public string ConnectionString { get; set; } = "";
}

/// <summary><c>Guardian:Http</c>.</summary>
public sealed class HttpOptions
{
    /// <summary>Where the API listens. Beyond loopback it needs keys, and TLS or <see cref="BehindTlsProxy"/>.</summary>
    public string Url { get; set; } = "http://127.0.0.1:8558";

    /// <summary>Keys; none: loopback only, reads open.</summary>
    public IList<ApiKeyOptions> ApiKeys { get; set; } = [];

    /// <summary>TLS in front of Guardian is somebody else's.</summary>
    public bool BehindTlsProxy { get; set; }

    /// <summary>Certificate and key for TLS.</summary>
    public TlsOptions? Tls { get; set; }

    /// <summary>Failed authentications per remote address and minute before 429. 1 to 100,000.</summary>
    public int FailedAuthenticationsPerMinute { get; set; } = 60;
}

/// <summary>PEM files.</summary>
public sealed class TlsOptions
{
    /// <summary>Certificate chain, PEM.</summary>
    public string CertificatePath { get; set; } = "";

    /// <summary>Private key, PEM.</summary>
    public string KeyPath { get; set; } = "";
}

/// <summary>An API key; only its hash is kept.</summary>
public sealed class ApiKeyOptions
{
    /// <summary>Shown in logs and audits.</summary>
    public string Id { get; set; } = "";

    /// <summary>The principal on the bus, and the operator's name.</summary>
    public string Principal { get; set; } = "";

    /// <summary>SHA-256 of the key, 64 hex digits.</summary>
    public string KeySha256 { get; set; } = "";

    /// <summary>viewer, publisher, operator, admin.</summary>
    public IList<string> Roles { get; set; } = [];

    /// <summary>Not valid after; null: no end.</summary>
    public DateTimeOffset? Expires { get; set; }
}

/// <summary><c>Guardian:Files</c>. Relative paths are looked up in the working directory, then beside the executable.</summary>
public sealed class FileOptions
{
    /// <summary>The access policy.</summary>
    public string Policy { get; set; } = "policies/access.yaml";

    /// <summary>Folder of playbooks.</summary>
    public string Playbooks { get; set; } = "playbooks";

    /// <summary>Folder of scenarios.</summary>
    public string Scenarios { get; set; } = "scenarios";

    /// <summary>Reload when a file changes.</summary>
    public bool Watch { get; set; } = true;
}

/// <summary><c>Guardian:Autonomy</c>.</summary>
public sealed class AutonomyOptions
{
    /// <summary>Ban, limit, throttle, pause, mode.</summary>
    public OperatingMode Contain { get; set; } = OperatingMode.Enforce;

    /// <summary>Restart, scale, stop.</summary>
    public OperatingMode Disrupt { get; set; } = OperatingMode.Enforce;

    /// <summary>Kill, delete.</summary>
    public OperatingMode Destroy { get; set; } = OperatingMode.Propose;

    /// <summary>The mode of a class; <see cref="RiskClass.None"/> may always act.</summary>
    public OperatingMode For(RiskClass risk) => risk switch
    {
        RiskClass.Contain => Contain,
        RiskClass.Disrupt => Disrupt,
        RiskClass.Destroy => Destroy,
        _ => OperatingMode.Enforce,
    };
}

/// <summary><c>Guardian:Monitors</c>.</summary>
public sealed class MonitorOptions
{
    /// <summary>Bus violations.</summary>
    public AclMonitorOptions Acl { get; set; } = new();
}

/// <summary><c>Guardian:Monitors:Acl</c>.</summary>
public sealed class AclMonitorOptions
{
    /// <summary>Spam: so many violations within <see cref="SpamWindow"/>. 2 to 20 (a digest row carries 20 times).</summary>
    public int SpamViolations { get; set; } = 10;

    /// <summary>Sliding.</summary>
    public Duration SpamWindow { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Total by one principal, leaking evenly over <see cref="BlacklistWindow"/>. 2 to 100,000.</summary>
    public int BlacklistViolations { get; set; } = 20;

    /// <summary>Time in which a full bucket leaks empty.</summary>
    public Duration BlacklistWindow { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>On one control topic within <see cref="ControlTopicWindow"/>. 2 to 20.</summary>
    public int ControlTopicViolations { get; set; } = 5;

    /// <summary>Sliding.</summary>
    public Duration ControlTopicWindow { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Principals and topics watched at once, each; the least recently violating falls out and is counted. 1,000 to 1,000,000.</summary>
    public int TableSize { get; set; } = 20_000;

    /// <summary>Length of a monitor's local ban until the run's arrives. 1 s to 60 s.</summary>
    public Duration ProvisionalBan { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Provisional bans at once, as a share of the declared principals (at least 1). 0 to 100 %.</summary>
    public double ProvisionalBanCapPercent { get; set; } = 10;

    /// <summary>After a policy swap, denials of what was allowed before raise <c>policy.regression</c> and ban nobody for this long.</summary>
    public Duration PolicySwapGuard { get; set; } = TimeSpan.FromMinutes(10);
}

/// <summary><c>Guardian:Bus</c>.</summary>
public sealed class BusOptions
{
    /// <summary>Accepted messages waiting per topic and subscriber where the policy says nothing. 1 to 1,000,000.</summary>
    public int DefaultQueue { get; set; } = 1_000;

    /// <summary>Largest body in bytes. 1 to 262,144.</summary>
    public int MaxBodyBytes { get; set; } = 262_144;

    /// <summary>Decisions kept ready; the least recently used falls out. 1,000 to 10,000,000.</summary>
    public int DecisionCache { get; set; } = 65_536;

    /// <summary>Topics held in memory at once; idle ones fall out first. 1,000 to 1,000,000.</summary>
    public int MaxTopics { get; set; } = 100_000;

    /// <summary>Subscriptions at once; further ones are refused. 1 to 1,000,000.</summary>
    public int MaxSubscriptions { get; set; } = 100_000;

    /// <summary>Rows of violations held at the origin; when full the smallest falls out into the overflow count. 256 to 1,000,000.</summary>
    public int ViolationRows { get; set; } = 16_384;

    /// <summary>At most one restart on command within this time.</summary>
    public Duration RestartInterval { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Parked messages kept; the oldest falls out and is counted. 1 to 10,000.</summary>
    public int MaxParked { get; set; } = 100;
}

/// <summary><c>Guardian:Blacklist</c>.</summary>
public sealed class BlacklistOptions
{
    /// <summary>Longest ban after doubling.</summary>
    public Duration Cap { get; set; } = TimeSpan.FromHours(24);

    /// <summary>An offence is forgotten after this long without a ban.</summary>
    public Duration ForgetAfter { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Exemption after an operator's lift.</summary>
    public Duration Exemption { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Never banned by a playbook; an operator still may.</summary>
    public IList<AllowListEntry> AllowList { get; set; } = [];

    /// <summary>Bans at once; further ones are refused and counted. 1 to 1,000,000.</summary>
    public int MaxBans { get; set; } = 100_000;
}

/// <summary>A principal that playbooks may not ban.</summary>
public sealed class AllowListEntry
{
    /// <summary>Who.</summary>
    public string Principal { get; set; } = "";

    /// <summary>Until when; null: always.</summary>
    public DateTimeOffset? Until { get; set; }
}

/// <summary><c>Guardian:Incidents</c>.</summary>
public sealed class IncidentOptions
{
    /// <summary>Open at once; the excess is counted and retried by its monitor. 1 to 100,000.</summary>
    public int MaxOpen { get; set; } = 1_000;
}

/// <summary><c>Guardian:Notifications</c>.</summary>
public sealed class NotificationOptions
{
    /// <summary>Channels by name. <c>log</c> always exists. A channel that a playbook names and nobody configured goes to the log, and says so.</summary>
    public IDictionary<string, ChannelOptions> Channels { get; set; } = new Dictionary<string, ChannelOptions>();

    /// <summary>Items waiting per channel; further ones are refused to the step that asks. 1 to 100,000.</summary>
    public int MaxPending { get; set; } = 10_000;

    /// <summary>An item that could not be delivered for so long is dead.</summary>
    public Duration DeadAfter { get; set; } = TimeSpan.FromDays(1);
}

/// <summary>A channel.</summary>
public sealed class ChannelOptions
{
    /// <summary>An HTTP endpoint that takes CloudEvents; empty: the log.</summary>
    public string Webhook { get; set; } = "";

    /// <summary>Name of an environment variable that holds the HMAC-SHA256 secret; empty: unsigned.</summary>
    public string SecretFromEnvironment { get; set; } = "";
}

/// <summary><c>Guardian:Tasks</c>.</summary>
public sealed class TaskOptions
{
    /// <summary>JSON Lines file, relative to the data directory; empty: none.</summary>
    public string File { get; set; } = "tasks.jsonl";

    /// <summary>An HTTP endpoint that takes tickets; empty: none.</summary>
    public string Webhook { get; set; } = "";
}

/// <summary><c>Guardian:Chaos</c>.</summary>
public sealed class ChaosOptions
{
    /// <summary>Whether this node lets scenarios run against it.</summary>
    public bool Enabled { get; set; }
}
