using Guardian.Actors.Chaos.Drills;
using Guardian.Actors.Chaos.Proxies;
using Guardian.Actors.Chaos.Targets;
using Guardian.Actors.Hosting;
using Guardian.Actors.Leasekeeping;
using Guardian.Actors.Persistence;

namespace Guardian.Actors.Chaos.Faults;

/// <summary>What a fault works on.</summary>
public sealed class FaultContext
{
    internal FaultContext(IChaosTarget target, DrillClock clock, string drill, int seed)
    {
        (Target, Clock, Drill, Seed) = (target, clock, drill, seed);
    }

    /// <summary>The drill's clock.</summary>
    public TimeProvider Time => Clock.Time;

    /// <summary>For whatever it draws by chance: the same seed gives the same fault.</summary>
    public int Seed { get; }

    /// <summary>The drill's name; unique.</summary>
    public string Drill { get; }

    /// <summary>The node in this process; null where the fault works from outside.</summary>
    public GuardianSystem? Guardian { get; internal init; }

    /// <summary>The node's data directory on this machine; null where it is not known.</summary>
    public string? DataDirectory { get; internal init; }

    internal IChaosTarget Target { get; }

    /// <summary>This machine, as the drill measures it; null where it does not.</summary>
    internal HostLoad? Host { get; init; }

    /// <summary>
    /// Has another process take back what is known only while the fault is injected, such as a process that it has just started. Returns when
    /// that is on disk: no effect before. Null where nobody would.
    /// </summary>
    internal Func<IReadOnlyList<LeaseUndo>, Task>? Secure { get; init; }

    internal DrillClock Clock { get; }

    /// <summary>Takes the flood's answers; null where they do not count.</summary>
    internal FloodTally? Tally { get; init; }

    /// <summary>The processes of the nodes; empty where the runner did not start them.</summary>
    internal IReadOnlyList<INodeControl> Nodes { get; init; } = [];

    /// <summary>The node's process; null where the runner did not start it.</summary>
    internal INodeControl? Node => Nodes.Count > 0 ? Nodes[0] : null;

    /// <summary>What is around the runner's own nodes; null where there is nothing.</summary>
    internal IClusterControl? Cluster { get; init; }

    /// <summary>From moments ago what this node accepted may be lost: it was killed, or cut off.</summary>
    internal Action<string> Doubtful { get; init; } = static _ => { };
}

/// <summary>A node that the runner started and may end.</summary>
internal interface INodeControl
{
    /// <summary>Its name.</summary>
    string Name { get; }

    /// <summary>Its data directory.</summary>
    string DataDirectory { get; }

    /// <summary>Whether its process runs.</summary>
    bool Running { get; }

    /// <summary>Completes when its present process has ended, or at the token.</summary>
    Task ExitedAsync(CancellationToken cancellation);

    /// <summary>Injects a fault into it alone; as <see cref="IChaosTarget.InjectAsync"/>.</summary>
    Task InjectAsync(InNodeFault fault, CancellationToken withdraw);

    /// <summary>kill -9.</summary>
    Task KillAsync();

    /// <summary>Starts it on the same data and address; returns when it is ready.</summary>
    Task StartAgainAsync(CancellationToken cancellation);
}

/// <summary>What is around nodes that the runner started.</summary>
internal interface IClusterControl
{
    IReadOnlyList<INodeControl> Nodes { get; }

    /// <summary>The way to their PostgreSQL; null where the journal is SQLite.</summary>
    DatabaseProxy? Database { get; }

    /// <summary>The journal itself, past that way.</summary>
    JournalDatabase? Journal { get; }

    /// <summary>The network between them; null where there is one node.</summary>
    NodeLinks? Links { get; }

    /// <summary>Index of the node that a partition cuts off.</summary>
    int Victim { get; }
}
