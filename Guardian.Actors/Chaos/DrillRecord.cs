namespace Guardian.Actors.Chaos;

/// <summary>
/// What was seen in one drill. Every moment is an offset on one monotonic clock that starts with the drill;
/// only <see cref="SeenIncident.OpenedAt"/> is the node's wall clock and decides nothing.
/// </summary>
internal sealed record DrillRecord
{
    /// <summary>The harness itself could not do its work.</summary>
    public string? HarnessError { get; init; }

    /// <summary>A guardrail or an operator stopped the drill.</summary>
    public string? Aborted { get; init; }

    /// <summary>Why nothing could be found out, before anything was broken.</summary>
    public string? Inconclusive { get; init; }

    /// <summary>What this machine lacks for it, before anything was broken.</summary>
    public string? Missing { get; init; }

    /// <summary>While a node was down or cut off, or nobody read: what was accepted then may be lost (a process's death is at most once).</summary>
    public IReadOnlyList<BlindSpan> Blind { get; init; } = [];

    /// <summary>The first run was taken over by another incarnation after its healer's end.</summary>
    public TimeSpan? TakenOver { get; init; }

    /// <summary>What is wrong with the journal's sequence numbers; empty also where the journal cannot be read from here.</summary>
    public IReadOnlyList<string> JournalAnomalies { get; init; } = [];
    public TimeSpan? Injected { get; init; }
    public TimeSpan? Withdrawn { get; init; }

    /// <summary>The evidence probe no longer sees the fault.</summary>
    public bool UndoProven { get; init; } = true;

    /// <summary>t0: the fault is proven active.</summary>
    public TimeSpan? Proven { get; init; }

    /// <summary>Start of the first unbroken steady window.</summary>
    public TimeSpan? Recovered { get; init; }

    /// <summary>Incidents that were not there before the drill.</summary>
    public IReadOnlyList<SeenIncident> Incidents { get; init; } = [];

    /// <summary>Runs that were not there before the drill.</summary>
    public IReadOnlyList<SeenRun> Runs { get; init; } = [];

    /// <summary>Principals banned during the drill, and when that was first seen.</summary>
    public IReadOnlyDictionary<string, TimeSpan> Banned { get; init; } = new Dictionary<string, TimeSpan>();

    /// <summary>When a ban was first seen to be gone again.</summary>
    public IReadOnlyDictionary<string, TimeSpan> Unbanned { get; init; } = new Dictionary<string, TimeSpan>();
    public FloodResult Flood { get; init; } = new();
    public IReadOnlyList<Operation> Operations { get; init; } = [];
    public IReadOnlyList<Delivery> Deliveries { get; init; } = [];
    public IReadOnlyList<CheckResult> Verified { get; init; } = [];

    /// <summary>What never must be and was seen, each check once.</summary>
    public IReadOnlyList<CheckResult> Harmed { get; init; } = [];
    public IReadOnlyList<LoadWindow> Windows { get; init; } = [];

    /// <summary>Percent of this machine's processor that had nothing to do with the drill, on average; null where that was not measured.</summary>
    public double? OthersCpu { get; init; }
    public TimeSpan Ended { get; init; }
}

/// <summary>An incident as seen last, with the moment it was seen first and its violations then.</summary>
internal sealed record SeenIncident(string Id, string Key, string Type, string Subject, long? Violations, string State, DateTimeOffset OpenedAt,
    IReadOnlyList<string> Rules, IReadOnlyList<string> Runs, TimeSpan FirstSeen, long? FirstViolations);

/// <summary>A run as seen last, with the moments when it, the end of all its steps and its end were seen first.</summary>
internal sealed record SeenRun(string Id, string Playbook, string Incident, string State, IReadOnlyList<(string Id, string State)> Steps,
    TimeSpan FirstSeen, TimeSpan? StepsDone, TimeSpan? EndedSeen);

/// <summary>What became of the flood, by the answers that the flood itself got and by what the witness saw.</summary>
internal sealed record FloodResult
{
    public int Sent { get; init; }
    public int AclDenied { get; init; }
    public int Blacklisted { get; init; }
    public int Limited { get; init; }
    public int Accepted { get; init; }
    public int OtherRefusals { get; init; }
    public int Unknown { get; init; }

    /// <summary>Flood messages that the witness or the load's reader received.</summary>
    public int Delivered { get; init; }

    /// <summary>False: nobody was allowed to watch the topic; then the answers alone are the proof.</summary>
    public bool Witnessed { get; init; }
    public int Refused => AclDenied + Blacklisted + Limited + OtherRefusals;
}

/// <summary>A stretch of time in which what was accepted may be lost.</summary>
/// <param name="From">Its beginning.</param>
/// <param name="To">Its end.</param>
/// <param name="Node">Accepted by this node; null: by any.</param>
internal readonly record struct BlindSpan(TimeSpan From, TimeSpan To, string? Node = null)
{
    public bool Covers(Operation x) => x.AnsweredAt >= From && x.SentAt <= To && (Node is null || Node == x.Node);

    /// <summary>
    /// A node that ends in good order says so before, and may need longer for it than a message is under way: the stretch begins with
    /// its first word of that. One that never ends has no stretch, and its refusals count; so does what it said before the fault.
    /// </summary>
    public BlindSpan WithDrain(IEnumerable<Operation> operations, TimeSpan injected, TimeSpan underWay)
    {
        var node = Node;
        var first = node is null ? null : operations.Where(x => x.Node == node && x.Answer == "draining" && x.SentAt >= injected).MinBy(x => x.SentAt);
        return first is not null && first.SentAt - underWay < From ? this with { From = first.SentAt - underWay } : this;
    }
}

/// <summary>A check and how it ended.</summary>
internal sealed record CheckResult(string Check, bool Passed, string Explanation);

/// <summary>A stretch of the load whose latency is compared.</summary>
internal sealed record LoadWindow(bool Flooded, TimeSpan From, TimeSpan To);
