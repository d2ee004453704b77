using System.Text.Json;
using System.Text.Json.Serialization;
using Guardian.Actors.Blacklisting;
using Guardian.Actors.Mitigations;
using Guardian.Actors.Persistence;
using Guardian.Actors.Silencing;

namespace Guardian.Host.Http;

// What the API answers and takes. Names and shapes are promises; add freely.

internal sealed record PublishAnswer(string Id, string Topic);

internal sealed record StatusView
{
    public required string Node { get; init; }
    public required string Version { get; init; }
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Seconds.</summary>
    public required double Uptime { get; init; }

    /// <summary>The node's clock, UTC.</summary>
    public required DateTimeOffset Now { get; init; }
    public required ClusterView Cluster { get; init; }

    /// <summary>observe, propose, enforce or hold.</summary>
    public required string Mode { get; init; }
    public required AutonomyView Autonomy { get; init; }
    public required HoldView Hold { get; init; }
    public required BusView Bus { get; init; }
    public required int Bans { get; init; }

    /// <summary>Left out where the projection does not answer: unknown is not zero.</summary>
    public int? OpenIncidents { get; init; }
    public required PolicyView Policy { get; init; }
    public required PlaybooksView Playbooks { get; init; }
    public required JournalView Journal { get; init; }

    /// <summary>What the monitors have seen of the whole cluster; left out where they do not answer.</summary>
    /// <summary>Entities whose journal this version cannot read.</summary>
    public IReadOnlyList<string> Parked { get; init; } = [];
    public MonitorsView? Monitors { get; init; }

    /// <summary>Messages and events that this version could not read, by what they claim to be.</summary>
    public IReadOnlyDictionary<string, long>? Unreadable { get; init; }

    /// <summary>Silences in force.</summary>
    public required IReadOnlyList<Silence> Silences { get; init; }

    /// <summary>The machine as it was measured last; left out where it is not watched.</summary>
    public PressureView? Pressure { get; init; }

    /// <summary>Channels of notifications and work items whose outbox lives on this node; one appears with its first item.</summary>
    public required IReadOnlyList<ChannelView> Channels { get; init; }

    /// <summary>How much the node begins: normal, reduced or critical_only.</summary>
    public required string Scheduler { get; init; }

    /// <summary>Whether scenarios may run against this node.</summary>
    public required ChaosView Chaos { get; init; }

    /// <summary>A line for every part that is not ready.</summary>
    public required IReadOnlyList<string> NotReady { get; init; }

    /// <summary>Milliseconds that each phase of the start took.</summary>
    public required IReadOnlyDictionary<string, double?> Boot { get; init; }
}

/// <param name="Digests">Messages about violations that came from the nodes: at most 25 a second from each.</param>
/// <param name="AclViolations">Policy denials; exact.</param>
/// <param name="Blacklisted">Attempts of the banned; exact.</param>
/// <param name="Overflow">Of both, how many no node could keep in a row.</param>
/// <param name="FellOut">Subjects that fell out of a full table.</param>
/// <param name="Detections">Rules that fired.</param>
/// <param name="RaisesPending">Incidents not in the journal yet.</param>
internal sealed record MonitorsView(long Digests, long AclViolations, long Blacklisted, long Overflow, long FellOut, long Detections, int RaisesPending);

/// <param name="Channel">Its name.</param>
/// <param name="Pending">Accepted and not delivered yet.</param>
/// <param name="Delivered">Delivered.</param>
/// <param name="Dead">Given up.</param>
/// <param name="Digested">Told by a digest because the rate was used up.</param>
/// <param name="Collected">Of those, waiting for the next digest.</param>
/// <param name="Muted">Kept back by silences.</param>
/// <param name="Refused">Refused because too many waited.</param>
/// <param name="WaitingSince">When the item in front was accepted.</param>
/// <param name="LastFailure">Why the last attempt failed.</param>
internal sealed record ChannelView(
    string Channel, int Pending, long Delivered, long Dead, long Digested, int Collected, long Muted, long Refused, DateTimeOffset? WaitingSince, string? LastFailure);

internal sealed record ChaosView(bool Enabled);

/// <param name="Cpu">Percent of what may be used.</param>
/// <param name="Memory">Percent of what may be used.</param>
/// <param name="Disks">Percent, by path.</param>
/// <param name="Under">Keys of resources under pressure.</param>
/// <param name="At">When it was measured.</param>
internal sealed record PressureView(GaugeView Cpu, GaugeView Memory, IReadOnlyDictionary<string, GaugeView> Disks, IReadOnlyList<string> Under, DateTimeOffset At);

/// <param name="Value">Left out where it is not known.</param>
/// <param name="Source">What was read.</param>
/// <param name="Unknown">Why it is not known.</param>
internal sealed record GaugeView(double? Value, string Source, string? Unknown);

internal sealed record ClusterView(string? SelfNode, IReadOnlyList<ClusterMember> Members, IReadOnlyList<UnreachableMember> Unreachable, string? Leader, string? Oldest, IReadOnlyDictionary<string, string> OldestPerRole);

internal sealed record ClusterMember(string Node, string NodeUid, string Status, IReadOnlyList<string> Roles);

internal sealed record UnreachableMember(string Node, IReadOnlyList<string> ObservedBy);

internal sealed record ShardTypesView(IReadOnlyList<string> EntityTypeKeys);

internal sealed record ShardView(string ShardId, int NumEntities);

internal sealed record ShardRegionView(IReadOnlyList<ShardView> Regions, IReadOnlyList<string> Failed);

internal sealed record NodeShardsView(IReadOnlyList<ShardView> Shards, IReadOnlyList<string> Failed);

internal sealed record ShardStatsView(IReadOnlyDictionary<string, NodeShardsView> Regions, long TotalEntities, int TotalShards);

internal sealed record SeedNodesView(string? SelfNode, IReadOnlyList<SeedNodeView> SeedNodes);

internal sealed record SeedNodeView(string Node, long NodeUid, IReadOnlyList<string> Roles, string Status);

internal sealed record AutonomyView(string Contain, string Disrupt, string Destroy);

internal sealed record HoldView(bool Held, string? Reason);

internal sealed record BusView(long Sent, long Accepted, long RefusedTotal, RefusedView Refused, long Delivered, long Dropped, long Queued, long Topics, long Subscriptions, long Restarts, long Parked, RelayView? Relay = null);

/// <param name="Sent">To other nodes, once per node.</param>
/// <param name="Dropped">Not sent: a node takes them too slowly or not at all.</param>
/// <param name="Received">From other nodes.</param>
/// <param name="Lost">Gaps in what came.</param>
/// <param name="Refused">Came, and no subscriber could take them.</param>
/// <param name="Rejected">Not from a member of the cluster.</param>
/// <param name="Waiting">Under way to other nodes.</param>
internal sealed record RelayView(long Sent, long Dropped, long Received, long Lost, long Refused, long Rejected, long Waiting);

internal sealed record RefusedView(long AclDenied, long Blacklisted, long RateLimited, long QueueFull, long Invalid, long Draining);

internal sealed record PolicyView(string Hash);

/// <param name="Count">Playbooks in force.</param>
/// <param name="Hash">Over all of them; nodes of a cluster have the same.</param>
/// <param name="Errors">Of the folder as it is now; while there are any the last good set stays in force.</param>
internal sealed record PlaybooksView(int Count, string Hash, IReadOnlyList<string> Errors);

internal sealed record JournalView(bool Healthy, string? Reason, DateTimeOffset CheckedAt);

internal sealed record ModeAnswer(string Mode, string Underlying, bool Held, string? Reason, string? By, DateTimeOffset? Since, DateTimeOffset? Until);

internal sealed record ModeRequest(string? Mode, string? For, string? Reason);

internal sealed record BanRequest(string? For, string? Reason);

internal sealed record BanAnswer(string Principal, DateTimeOffset? Until, int Offences);

internal sealed record ReasonRequest(string? Reason);

/// <summary>Step: for approve and reject, the one that the operator saw waiting.</summary>
internal sealed record DirectRunRequest(string? Reason, string? Step);

internal sealed record PlaybookSummary
{
    public required string Name { get; init; }
    public required int Version { get; init; }
    public required string Hash { get; init; }

    /// <summary>observe, propose or enforce.</summary>
    public required string Mode { get; init; }
    public string? Owner { get; init; }
    public string? Description { get; init; }
    public required IReadOnlyList<TriggerView> Triggers { get; init; }

    /// <summary>False: it starts no run until an operator enables it.</summary>
    public required bool Enabled { get; init; }

    /// <summary>The operator's word on it, where there is one.</summary>
    public SwitchedView? Switched { get; init; }

    /// <summary>Its circuit breaker; left out where it declares none.</summary>
    public BreakerView? Breaker { get; init; }

    /// <summary>What is wrong with its file now; the version shown stays in force.</summary>
    public required IReadOnlyList<string> Errors { get; init; }
}

/// <param name="State">closed, open or unknown.</param>
/// <param name="Opens">After how many failures.</param>
/// <param name="Reason">Why it is open, or not known.</param>
/// <param name="Since">Since when it is open.</param>
internal sealed record BreakerView(string State, string Opens, string? Reason, DateTimeOffset? Since);

internal sealed record TriggerView(string Event, string? When);

internal sealed record SwitchedView(string By, string Reason, DateTimeOffset At);

internal sealed record PlaybookDetail
{
    public required PlaybookSummary Playbook { get; init; }
    public required IReadOnlyList<PlaybookStepView> Steps { get; init; }
    public required IReadOnlyList<string> Verify { get; init; }
    public required IReadOnlyList<string> Tests { get; init; }

    /// <summary>The file's text.</summary>
    public required string Definition { get; init; }
}

internal sealed record PlaybookStepView(string Id, string Action, string? If, string Risk);

/// <param name="Incident">Fields of the incident, an object.</param>
/// <param name="DryRun">True: only the plan.</param>
/// <param name="Reason">Why.</param>
internal sealed record RunRequest(JsonElement Incident, bool DryRun, string? Reason);

internal sealed record RunAnswer(string Id, string Incident);

internal sealed record ExplainRequest(JsonElement Event);

/// <param name="Scenarios">Ids or names, or <c>all</c>.</param>
/// <param name="Seed">Default: drawn.</param>
internal sealed record ChaosRunRequest(IReadOnlyList<string>? Scenarios, int? Seed);

internal sealed record ChaosFaultRequest(string? Id, string? Kind, System.Text.Json.JsonElement? With, string? Ttl, string? Drill, int? Seed);

internal sealed record ChaosStarted(string Id);

internal sealed record ChaosFaultState(bool Over, string? Error);

internal sealed record MessageAnswer(string Message);

internal sealed record KernelAnswerView
{
    public required string Name { get; init; }

    /// <summary>actor, process or jobs.</summary>
    public required string Type { get; init; }

    /// <summary>waiting, starting, running, paused, backing_off, stopping, stopped or crash_loop.</summary>
    public required string State { get; init; }
    public string? Reason { get; init; }
    public required string Criticality { get; init; }
    public required string Class { get; init; }
    public string? Remediation { get; init; }

    /// <summary>Of its workers or CPU that it may use; 0 while it is paused.</summary>
    public required int Percent { get; init; }

    /// <summary>Replicas wanted, and the bounds of scaling.</summary>
    public required int Wanted { get; init; }
    public required int Min { get; init; }
    public required int Max { get; init; }

    /// <summary>Replicas that run.</summary>
    public required int Running { get; init; }
    public required IReadOnlyList<ReplicaAnswerView> Replicas { get; init; }

    /// <summary>Of a pool.</summary>
    public JobTotalsView? Jobs { get; init; }
    public DateTimeOffset? LastHeartbeat { get; init; }
    public required long Restarts { get; init; }
    public required IReadOnlyList<Mitigation> Mitigations { get; init; }
}

/// <param name="StartTime">Clock ticks from the machine's start; with the pid it names the process for good.</param>
/// <param name="Unlimited">Why it runs without the limits that were declared.</param>
internal sealed record ReplicaAnswerView(int Index, string State, long Epoch, int? Pid, long? StartTime, DateTimeOffset? StartedAt, DateTimeOffset? LastHeartbeat, string? LastExit, string? Unlimited);

/// <summary>A pool's jobs; <paramref name="Workers"/> is how many may run at once now.</summary>
internal sealed record JobTotalsView(int Waiting, int Running, int Workers, long Accepted, long Over, long Failed, long Requeued);

internal sealed record JobAnswerView(string Id, string Kernel, string? Command, int Priority, string State, DateTimeOffset AcceptedAt, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt,
    int Attempt, int? ExitCode, string? Output, string? Reason);

/// <param name="Payload">Text as it is, anything else as JSON, on the command's standard input.</param>
/// <param name="Priority">0 to 9, or low, normal, high, critical.</param>
internal sealed record JobRequest(string? Command, JsonElement? Payload, JsonElement? Priority);

internal sealed record KernelRequest(string? For = null, string? Reason = null, bool? Force = null, int? Percent = null, int? Change = null, int? Replicas = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true, AllowTrailingCommas = true, ReadCommentHandling = JsonCommentHandling.Skip)]
[JsonSerializable(typeof(PublishAnswer))]
[JsonSerializable(typeof(StatusView))]
[JsonSerializable(typeof(ClusterView))]
[JsonSerializable(typeof(ClusterMember))]
[JsonSerializable(typeof(ShardTypesView))]
[JsonSerializable(typeof(ShardRegionView))]
[JsonSerializable(typeof(ShardStatsView))]
[JsonSerializable(typeof(SeedNodesView))]
[JsonSerializable(typeof(ModeAnswer))]
[JsonSerializable(typeof(ModeRequest))]
[JsonSerializable(typeof(BanRequest))]
[JsonSerializable(typeof(BanAnswer))]
[JsonSerializable(typeof(ReasonRequest))]
[JsonSerializable(typeof(DirectRunRequest))]
[JsonSerializable(typeof(MessageAnswer))]
[JsonSerializable(typeof(KernelAnswerView))]
[JsonSerializable(typeof(KernelRequest))]
[JsonSerializable(typeof(JobAnswerView))]
[JsonSerializable(typeof(JobRequest))]
[JsonSerializable(typeof(IReadOnlyList<JobAnswerView>), TypeInfoPropertyName = "Jobs")]
[JsonSerializable(typeof(IReadOnlyList<KernelAnswerView>), TypeInfoPropertyName = "Kernels")]
[JsonSerializable(typeof(Silence))]
[JsonSerializable(typeof(SilenceRequest))]
[JsonSerializable(typeof(IReadOnlyList<Silence>), TypeInfoPropertyName = "Silences")]
[JsonSerializable(typeof(ChaosRunRequest))]
[JsonSerializable(typeof(ChaosFaultRequest))]
[JsonSerializable(typeof(ChaosStarted))]
[JsonSerializable(typeof(ChaosFaultState))]
[JsonSerializable(typeof(EventView))]
[JsonSerializable(typeof(IncidentView))]
[JsonSerializable(typeof(RunDetail))]
[JsonSerializable(typeof(IReadOnlyList<BanEntry>), TypeInfoPropertyName = "Bans")]
[JsonSerializable(typeof(IReadOnlyList<Mitigation>), TypeInfoPropertyName = "Mitigations")]
[JsonSerializable(typeof(IReadOnlyList<IncidentView>), TypeInfoPropertyName = "Incidents")]
[JsonSerializable(typeof(IReadOnlyList<RunDetail>), TypeInfoPropertyName = "Runs")]
[JsonSerializable(typeof(PlaybookDetail))]
[JsonSerializable(typeof(RunRequest))]
[JsonSerializable(typeof(Dictionary<string, JsonElement>), TypeInfoPropertyName = "Fields")]
[JsonSerializable(typeof(RunAnswer))]
[JsonSerializable(typeof(ExplainRequest))]
[JsonSerializable(typeof(IReadOnlyList<PlaybookSummary>), TypeInfoPropertyName = "Playbooks")]
internal sealed partial class ApiJson : JsonSerializerContext;
