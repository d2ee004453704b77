using Guardian.Playbooks.Model;

namespace Guardian.Actors.Chaos;

/// <summary>What scenarios may measure. Answered by the harness and the node's public surface, never by what is under test.</summary>
internal static class ChaosProbes
{
    public const string BusHealth = "bus.health";
    public const string BusViolations = "bus.violations";
    public const string BlacklistContains = "blacklist.contains";
    public const string HttpGet = "http.get";
    public const string MitigationsActive = "mitigations.active";
    public const string JournalWritable = "journal.writable";
    public const string TasksCount = "tasks.count";
    public const string DiskUsed = "disk.used";
    public const string ClusterMembers = "cluster.members";
    public const string NodesRunning = "nodes.running";
    public const string NetworkHeld = "network.held";
    public const string KernelsStatus = "kernels.status";
    public const string KernelsProcesses = "kernels.processes";
    public const string HostCpu = "host.cpu";
    public const string NodeMemory = "node.memory";
    public const string NodeClock = "node.clock";
    public const string JobsRoundtrip = "jobs.roundtrip";
    public const string JobsKept = "jobs.kept";

    /// <summary>How far back <c>bus.violations</c> looks where the scenario says nothing.</summary>
    public static readonly TimeSpan DefaultWindow = TimeSpan.FromSeconds(1);

    public static Vocabulary Vocabulary { get; } = new([], [],
    [
        new(BusHealth, [],
        [
            new("healthy", FieldType.Bool, true), new("restarts", FieldType.Int, true, "Since the node started."),
            new("parked", FieldType.Int, true), new("queued", FieldType.Int, true),
            new("queueFull", FieldType.Int, true, "Publishes refused since the node started because a subscriber's queue was full."),
            new("denied", FieldType.Int, true, "Publishes and subscriptions denied by the policy since the node started."),
        ], "The bus answers."),
        new(BusViolations,
        [
            new("subject", FieldType.String, false, "A principal or a topic; nothing: all."), new("window", FieldType.Duration, false, "1s"),
        ],
        [
            new("count", FieldType.Int, true, "Denials within the window."), new("total", FieldType.Int, true, "Denials since the drill began."),
        ], "Denials by the policy, counted by the clients that got them."),
        new(BlacklistContains, [new("principal", FieldType.String, true)], [new("banned", FieldType.Bool, true)], "Whether a principal is banned."),
        new(HttpGet, [new("url", FieldType.String, true, "A path of the node.")], [new("status", FieldType.Int, true)], "GET on the node."),
        new(MitigationsActive, [new("target", FieldType.String, false, "E.g. topic/library.sealed.x; nothing: all.")], [new("count", FieldType.Int, true)],
            "Restrictions in force on a target."),
        new(JournalWritable, [],
        [
            new("writable", FieldType.Bool, true, "It was acknowledged."),
            new("committed", FieldType.Bool, true, "It is there, looked for past what the fault is in the way of."),
        ], "A write of the harness's own to the node's journal, on the way that the node takes."),
        new(ClusterMembers, [],
        [
            new("up", FieldType.Int, true, "The fewest that any node sees."), new("total", FieldType.Int, true, "The most."), new("unreachable", FieldType.Int, true, "The most."),
        ], "The members, as every node sees them."),
        new(NodesRunning, [], [new("count", FieldType.Int, true)], "How many of the runner's nodes have a running process."),
        new(NetworkHeld, [], [new("count", FieldType.Int, true)], "Pieces of traffic between the runner's nodes that do not get through at this moment."),
        new(DiskUsed, [], [new("percent", FieldType.Double, true)], "How full the disk of the node's data directory is."),
        new(KernelsStatus, [new("kernel", FieldType.String, true)],
        [
            new("state", FieldType.String, true, "running, crash_loop, …"), new("running", FieldType.Int, true, "Replicas that run."), new("wanted", FieldType.Int, true),
            new("restarts", FieldType.Int, true, "Since the node started."), new("silentMs", FieldType.Double, false, "Since its newest heartbeat; missing where none is expected."),
            new("percent", FieldType.Int, true, "That it may use; 0 where it is paused."),
            new("failed", FieldType.Int, true, "A pool's jobs that are over without success."), new("requeued", FieldType.Int, true, "A pool's attempts that were followed by another one."),
        ], "A kernel as the node shows it."),
        new(KernelsProcesses, [new("kernel", FieldType.String, true)],
        [
            new("processes", FieldType.Int, true, "Living ones, children included."), new("stopped", FieldType.Int, true, "Of them, held still by a signal."),
            new("instances", FieldType.Int, true, "Instances of one replica that live at the same time, the most of any replica."),
        ], "A kernel's processes as the operating system shows them."),
        new(NodeMemory, [],
        [
            new("percent", FieldType.Double, true, "Of its limit that its processes hold for themselves."), new("killed", FieldType.Int, true, "Processes that the system killed for want of memory."),
        ], "The memory of a node that has a limit of its own, as its control group shows it."),
        new(NodeClock, [], [new("skew", FieldType.Double, true, "Seconds that the node's UTC is ahead of this machine's.")], "The node's wall clock."),
        new(HostCpu, [],
        [
            new("percent", FieldType.Double, true, "By everybody."), new("fault", FieldType.Double, true, "By the faults' processes and what they started."),
            new("others", FieldType.Double, true, "By processes that have nothing to do with the drill."),
        ], "How busy this machine's processor was over the last second, percent of all that may be used."),
        new(JobsRoundtrip, [new("kernel", FieldType.String, true), new("command", FieldType.String, false)],
        [
            new("succeeded", FieldType.Bool, true), new("ms", FieldType.Double, true, "From its submission until it was seen to be over; at most 5,000."),
        ], "A job of the harness's own, submitted and awaited."),
        new(JobsKept, [new("kernel", FieldType.String, true), new("payload", FieldType.String, true)],
        [
            new("count", FieldType.Int, true, "Failed jobs whose kept payload is this one, byte for byte."), new("attempts", FieldType.Int, true, "Of them, the most of any."),
        ], "Failed jobs that are kept."),
        new(TasksCount, [new("subject", FieldType.String, true)], [new("count", FieldType.Int, true)], "Work items about a subject in the node's own file of them."),
    ]);
}
