using System.Text.Json;
using Guardian.Actors.Chaos.Faults;
using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Chaos;

/// <summary>One way of breaking Guardian on purpose and what must happen then; read from <c>scenarios/*.yaml</c>.</summary>
internal sealed record Scenario
{
    public required string File { get; init; }

    /// <summary><c>S02_acl_spam</c>: an id, an underscore, a name.</summary>
    public required string Name { get; init; }
    public required string Title { get; init; }
    public int Severity { get; init; } = 3;

    /// <summary>The scenario this is a variant of; variants run only by their full name, or with <c>all</c>.</summary>
    public string? VariantOf { get; init; }

    /// <summary>Without a fault: how long nothing may happen.</summary>
    public TimeSpan Duration { get; init; }
    public required IReadOnlyList<ProbeCheck> SteadyState { get; init; }
    public required LoadSpec Load { get; init; }

    /// <summary>Null: the control, nothing is broken.</summary>
    public FaultSpec? Fault { get; init; }

    /// <summary>Faults that come with it, each so long after it.</summary>
    public IReadOnlyList<FaultSpec> Also { get; init; } = [];

    /// <summary>So many throw-away nodes, one cluster; 1: a node alone.</summary>
    public int Nodes { get; init; } = 1;

    /// <summary>Their journal is in PostgreSQL, which several nodes need.</summary>
    public bool Postgres { get; init; }

    /// <summary>The throw-away node has its data on a memory disk of this size in bytes; 0: on the disk. Needs root.</summary>
    public long MemoryDisk { get; init; }

    /// <summary>The throw-away node and its kernels have this much memory, bytes; 0: no limit of their own. Needs root.</summary>
    public long MemoryLimit { get; init; }

    /// <summary>Options of the throw-away node besides its defaults; <c>{data}</c> in a value is its data directory.</summary>
    public IReadOnlyDictionary<string, string> NodeOptions { get; init; } = new Dictionary<string, string>();

    /// <summary>Kernels of the throw-away node, the text of a <c>kernels.yaml</c>; null: those that ship. <c>{data}</c> is its data directory.</summary>
    public string? NodeKernels { get; init; }

    /// <summary>Proves that the fault is active, independently of the safeguard.</summary>
    public ProbeCheck? Evidence { get; init; }
    public required Expectation Expect { get; init; }
    public IReadOnlyList<ProbeCheck> Verify { get; init; } = [];

    /// <summary>Looked at all the time; one that holds once is harm.</summary>
    public IReadOnlyList<ProbeCheck> Never { get; init; } = [];
    public IReadOnlyList<string> ConflictsWith { get; init; } = [];

    /// <summary>Numbers of the invariants that a pass proves, 1 to 13.</summary>
    public IReadOnlyList<int> Proves { get; init; } = [];

    /// <summary>The control, and what is about the machine's load, say nothing on a machine that is busy by itself.</summary>
    public bool NeedsQuietHost => Fault is null || Expect.Incident == BuiltInIncidents.CpuPressure || SteadyState.Concat(Verify).Append(Evidence).Any(x => x?.Probe == ChaosProbes.HostCpu);

    /// <summary>Its node watches its resources also where the machine is busy; beside others of its kind alone it does not take their nodes for pressure.</summary>
    public bool WatchesResources => Expect.Incident?.StartsWith("resource.", StringComparison.Ordinal) == true;

    /// <summary>
    /// Its figures are of a machine that does nothing else: no other drill is played beside it. The nodes of a cluster on two cores, with
    /// others beside them, lose sight of one another.
    /// </summary>
    public bool NeedsWholeHost => Nodes > 1 || NeedsQuietHost || Expect.Latency is not null || Expect.DetectWithin <= ShortBound || Expect.BannedWithin <= ShortBound;

    /// <summary>A second drill on a small machine, whose nodes start meanwhile, costs the first one about so much.</summary>
    private static readonly TimeSpan ShortBound = TimeSpan.FromSeconds(1);

    /// <summary>Whether a pass needs a run of this playbook.</summary>
    public bool Expects(string playbook) => Expect.Playbook == playbook || Expect.MustRun.Contains(playbook);

    /// <summary><c>S02</c> of <c>S02_acl_spam</c>.</summary>
    public string Id => Name.Split('_')[0];
}

/// <summary>A measurement and the condition on its <c>result</c>.</summary>
internal sealed record ProbeCheck(string Probe, JsonElement With, CompiledExpression Check)
{
    public override string ToString() => $"{Probe}: {Check.Source}";
}

/// <summary>Legitimate traffic that must not suffer.</summary>
/// <param name="Principals">Named <c>load-01</c> and on; 1 to 10, as the shipped policy declares them.</param>
/// <param name="Rate">Of all of them together; at most 5,000/s, so that the tool cannot become the fault.</param>
/// <param name="Topics">Patterns; a wildcard at the end becomes the principal's number.</param>
/// <param name="Subscriber">The principal that reads along.</param>
/// <param name="WarmUp">Load before anything is measured; null: as long as the runner's own.</param>
internal sealed record LoadSpec(int Principals, Rate Rate, IReadOnlyList<string> Topics, string Subscriber, TimeSpan? WarmUp = null);

/// <summary>One fault of a scenario.</summary>
/// <param name="Fault">Its class.</param>
/// <param name="With">Its input, checked.</param>
/// <param name="Ttl">It is withdrawn after this, whatever happens.</param>
/// <param name="After">Injected so long after the scenario's first fault.</param>
internal sealed record FaultSpec(FaultBinding Fault, JsonElement With, TimeSpan Ttl, TimeSpan After)
{
    public FaultFacts Facts { get; } = Fault.Facts(With);
}

/// <summary>What must happen, and by when after the fault was proven active.</summary>
internal sealed record Expectation
{
    /// <summary>Type of the incident that must be opened; null where none may be.</summary>
    public string? Incident { get; init; }
    public string? Playbook { get; init; }

    /// <summary>Steps of that playbook's run which must have succeeded.</summary>
    public IReadOnlyList<string> Steps { get; init; } = [];
    public IReadOnlyList<string> MustNotRun { get; init; } = [];

    /// <summary>Playbooks that must run besides, for whichever incident.</summary>
    public IReadOnlyList<string> MustRun { get; init; } = [];

    /// <summary>Exactly so many new incidents.</summary>
    public int? Incidents { get; init; }

    /// <summary>Exactly so many new runs.</summary>
    public int? Runs { get; init; }

    /// <summary>The incident counts at least so many violations when it is first seen: detection is never earlier.</summary>
    public long? MinViolations { get; init; }

    /// <summary>The incident's violations in the end.</summary>
    public long? TotalViolations { get; init; }
    public TimeSpan? DetectWithin { get; init; }

    /// <summary>Not detected before, from the injection: a peak is no pressure.</summary>
    public TimeSpan? DetectAfter { get; init; }
    public TimeSpan? BannedWithin { get; init; }
    public TimeSpan? RecoverWithin { get; init; }

    /// <summary>The bans of the faults' principals last so long, within a second of monotonic time.</summary>
    public TimeSpan? BanLasts { get; init; }

    /// <summary>Recovered so long after it was detected.</summary>
    public TimeSpan? RecoverAfterDetection { get; init; }

    /// <summary>Recovered so long after the fault was withdrawn.</summary>
    public TimeSpan? RecoverAfterWithdrawal { get; init; }

    /// <summary>What the incident must name; null: what the fault says.</summary>
    public string? Subject { get; init; }

    /// <summary>The run of a healer that was killed goes on elsewhere.</summary>
    public TimeSpan? TakenOverWithin { get; init; }

    /// <summary>The run ends <c>resolved</c>.</summary>
    public TimeSpan? ResolveWithin { get; init; }

    /// <summary>The run ends <c>escalated</c>: people are asked, and that is right.</summary>
    public TimeSpan? EscalateWithin { get; init; }

    /// <summary>Answers with which legitimate operations may be refused, e.g. <c>rate-limited</c>: the remedy sheds load. A refused one still must not arrive.</summary>
    public IReadOnlyList<string> MayRefuse { get; init; } = [];

    /// <summary>Nobody may be banned.</summary>
    public bool NotBanned { get; init; }

    /// <summary>What <c>verify</c> checks may take so long after the withdrawal, e.g. until leases have ended; null: some seconds.</summary>
    public TimeSpan? SettleWithin { get; init; }

    /// <summary>Length of the unbroken steady window that counts as recovered.</summary>
    public TimeSpan StableFor { get; init; } = TimeSpan.FromSeconds(3);
    public LatencyBound? Latency { get; init; }
}

/// <summary>The load's p99 in flooded windows is at most max(factor × quiet, quiet + slack); medians of so many interleaved pairs.</summary>
internal sealed record LatencyBound(int Windows, TimeSpan Length, double Factor, TimeSpan Slack)
{
    /// <summary>Until the reader has the message; else until its publisher has the answer.</summary>
    public bool Delivered { get; init; }
}
