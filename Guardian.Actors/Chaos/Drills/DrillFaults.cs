using System.Globalization;
using Guardian.Actors.Chaos.Faults;
using Guardian.Actors.Chaos.Targets;
using Guardian.Actors.Leasekeeping;

namespace Guardian.Actors.Chaos.Drills;

/// <summary>
/// The faults of one drill: their undo on disk first and with the leasekeeper where another process must be able to take them
/// back, then the injection, and at the end their withdrawal. Each ends with its time to live.
/// </summary>
internal sealed class DrillFaults(ScenarioPlan plan, IChaosTarget target, DrillClock clock, string name, FloodTally tally, DrillLog log, DrillTools tools, Action<string> doubtful)
{
    /// <summary>A withdrawal that takes longer is not waited for; the leasekeeper goes on, and the undo counts as unproven.</summary>
    private static readonly TimeSpan WithdrawWithin = TimeSpan.FromSeconds(2);

    private readonly List<string> _leases = [];
    private Task _running = Task.CompletedTask;
    private int _again; // a node knows each fault by its id and runs it once

    /// <summary>The first fault is over or withdrawn.</summary>
    public Task First { get; private set; } = Task.CompletedTask;

    public bool Over => _running.IsCompleted;

    /// <summary>Why one of them cannot be injected here; null where all can.</summary>
    public string? Unsupported() => plan.Faults
        .Select(x => x.Fault.Unsupported(x.With, Context(tally)) ?? (NeedsKeeper(x) ? tools.Keeper.Unsupported : null))
        .FirstOrDefault(x => x is not null);

    /// <summary>The undo is on disk before the fault: whoever finds this file alone knows what to take back.</summary>
    public async Task PlanUndoAsync(CancellationToken abort)
    {
        for (var i = 0; i < plan.Faults.Count; i++)
        {
            var spec = plan.Faults[i];
            var undo = Undo(spec, i);
            log.Write(clock.Now, "undo-planned", x =>
            {
                x.WriteString("fault", spec.Fault.Name);
                x.WriteString("undo", spec.Fault.UndoText);
                x.WriteString("with", spec.With.GetRawText());
                x.WriteNumber("ttlMs", spec.Ttl.TotalMilliseconds);
                x.WriteNumber("leasedUndos", undo.Count);
            }, durable: true);
            if (undo.Count == 0) continue;
            await TakeAsync(Id(i), spec, undo, abort).ConfigureAwait(false);
        }
    }

    private async Task TakeAsync(string id, FaultSpec spec, IReadOnlyList<LeaseUndo> undo, CancellationToken abort)
    {
        try
        {
            await tools.Keeper.TakeAsync(new OsLease { Id = id, Owner = "chaos/" + name, Reason = spec.Fault.Name, For = spec.After + spec.Ttl, Undo = undo }, abort).ConfigureAwait(false);
        }
        catch (LeaseRefusedException e)
        {
            throw new ChaosTargetException($"the undo of {spec.Fault.Name} cannot be secured, so it is not injected: {e.Message}", e);
        }

        lock (_leases) _leases.Add(id);
    }

    public void Inject(CancellationToken withdraw)
    {
        var all = plan.Faults.Select((x, i) => OneAsync(x, i, tally, withdraw)).ToList();
        First = all[0];
        _running = Task.WhenAll(all);
    }

    /// <summary>The first fault once more, for latency; its answers do not count.</summary>
    public Task AgainAsync(CancellationToken withdraw)
    {
        _again++;
        return OneAsync(plan.Faults[0], 0, null, withdraw);
    }

    /// <summary>After the token: waits for the withdrawal, then lets the keeper undo what it holds. Null where all is done; else what may remain.</summary>
    /// <exception cref="ChaosTargetException">A fault broke.</exception>
    public async Task<string?> WithdrawnAsync()
    {
        try
        {
            await _running.WaitAsync(WithdrawWithin, clock.Time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return string.Create(CultureInfo.InvariantCulture, $"a fault was not withdrawn within {WithdrawWithin.TotalSeconds:0} s");
        }
        finally
        {
            foreach (var lease in Held()) await ReleaseAsync(lease).ConfigureAwait(false);
        }

        return null;
    }

    private async Task OneAsync(FaultSpec spec, int index, FloodTally? answers, CancellationToken withdraw)
    {
        using var ttl = new CancellationTokenSource(spec.After + spec.Ttl, clock.Time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(withdraw, ttl.Token);
        try
        {
            if (spec.After > TimeSpan.Zero) await Task.Delay(spec.After, clock.Time, stop.Token).ConfigureAwait(false);
            var context = Context(answers, undo => TakeAsync(Id(index) + "-started", spec, undo, stop.Token));
            if (spec.Fault.Fault.InNode)
                await target.InjectAsync(new InNodeFault(_again == 0 ? Id(index) : string.Create(CultureInfo.InvariantCulture, $"{Id(index)}-{_again}"), spec.Fault.Name, spec.With, spec.Ttl, name, plan.Seed), stop.Token).ConfigureAwait(false);
            else
                await spec.Fault.RunAsync(spec.With, context, stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Withdrawn.
        }
        catch (Exception e) when (e is not ChaosTargetException) // whatever a fault throws is the harness's failure, with its name
        {
            throw new ChaosTargetException($"{spec.Fault.Name} broke: {e.Message}", e);
        }
    }

    private string[] Held()
    {
        lock (_leases) return [.. _leases];
    }

    private async Task ReleaseAsync(string lease)
    {
        try
        {
            await tools.Keeper.ReleaseAsync(lease, CancellationToken.None).ConfigureAwait(false);
        }
        catch (LeaseRefusedException e)
        {
            log.Write(clock.Now, "undo-pending", x => x.WriteString("why", e.Message), durable: true);
        }
    }

    /// <summary>Where it is only asked whether a fault can be injected.</summary>
    private static Task Nobody(IReadOnlyList<LeaseUndo> undo) => Task.FromException(new InvalidOperationException("nothing is injected yet"));

    private FaultContext Context(FloodTally? answers, Func<IReadOnlyList<LeaseUndo>, Task>? secure = null) => new(target, clock, name, plan.Seed)
    {
        Tally = answers, DataDirectory = tools.DataDirectory, Nodes = tools.Nodes, Cluster = tools.Cluster, Guardian = tools.Guardian, Doubtful = doubtful,
        Host = tools.Host, Secure = tools.Keeper.Unsupported is null ? secure ?? Nobody : null,
    };

    private IReadOnlyList<LeaseUndo> Undo(FaultSpec spec, int index) =>
        spec.Fault.Fault.InNode && tools.Withdraw is { } withdraw ? [withdraw(Id(index))] : spec.Fault.Undo(spec.With, Context(tally));

    private bool NeedsKeeper(FaultSpec spec) => !spec.Fault.Fault.InNode && spec.Fault.Unsupported(spec.With, Context(tally)) is null && spec.Fault.Undo(spec.With, Context(tally)).Count > 0;

    private string Id(int index) => string.Create(CultureInfo.InvariantCulture, $"{name}-{index}");
}

/// <summary>What a drill may use besides the node's surface.</summary>
internal sealed record DrillTools
{
    /// <summary>None: a drill inside a test.</summary>
    public static DrillTools None { get; } = new();

    /// <summary>Takes faults back when this process dies.</summary>
    public ILeasekeeper Keeper { get; init; } = new NoLeasekeeper("this drill has no leasekeeper");

    /// <summary>The node's data directory on this machine; null where it is not known.</summary>
    public string? DataDirectory { get; init; }

    /// <summary>The nodes' processes, where the runner started them.</summary>
    public IReadOnlyList<INodeControl> Nodes { get; init; } = [];

    /// <summary>What is around them; null where there is nothing.</summary>
    public IClusterControl? Cluster { get; init; }

    /// <summary>Stops the drill before the machine runs dry; null: not watched.</summary>
    public HostFloors? Floors { get; init; }

    /// <summary>Measures this machine; null: nothing of the scenario is about it.</summary>
    public HostLoad? Host { get; init; }

    /// <summary>The node's memory limit; null: it has none of its own.</summary>
    public MemoryGroup? Memory { get; init; }

    /// <summary>The node in this process.</summary>
    public Hosting.GuardianSystem? Guardian { get; init; }

    /// <summary>How another process withdraws the in-node fault of this id.</summary>
    public Func<string, LeaseUndo>? Withdraw { get; init; }
}
