using System.Collections.Concurrent;
using System.Globalization;
using Guardian.Actors.Chaos.Drills;
using Guardian.Actors.Chaos.Faults;
using Guardian.Actors.Chaos.Reports;
using Guardian.Actors.Chaos.Targets;
using Guardian.Actors.Hosting;

namespace Guardian.Actors.Chaos;

/// <summary>
/// Chaos inside this node, where its operator allows it: faults that a runner outside injects here, and whole runs asked for
/// over HTTP. Every fault has a time to live that the node itself ends. Thread-safe.
/// </summary>
internal sealed class NodeChaos(Func<GuardianSystem> guardian, GuardianOptions options, TimeProvider time)
{
    /// <summary>Faults and runs remembered; the oldest ended ones fall out.</summary>
    private const int Remembered = 100;

    private readonly ConcurrentDictionary<string, Running> _faults = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Running<ChaosReport>> _runs = new(StringComparer.Ordinal);
    private readonly FaultRegistry _registry = FaultRegistry.With(options.Faults);
    private readonly Lock _gate = new();
    private int _number;

    public bool Enabled => options.Chaos.Enabled;

    public FaultRegistry Faults => _registry;

    /// <summary>Null where it runs now, or ran under this id already; else why not.</summary>
    public string? Inject(InNodeFault fault)
    {
        if (!_registry.TryGet(fault.Kind, out var binding)) return $"this node has no fault '{fault.Kind}'; it has {string.Join(", ", _registry.Names.Order())}";
        if (!binding.Fault.InNode) return $"'{fault.Kind}' works from outside the node";
        try
        {
            if (binding.Check(fault.With, fault.Ttl) is { } problem) return problem;
        }
        catch (Actions.ActionFailedException e)
        {
            return e.Message;
        }

        lock (_gate)
        {
            if (_faults.ContainsKey(fault.Id)) return null;
            Trim(_faults);
            var withdraw = new CancellationTokenSource(fault.Ttl, time);
            var system = guardian();
            var context = new FaultContext(new InProcessChaosTarget(system.Parts), new DrillClock(time), fault.Drill, fault.Seed) { Guardian = system, DataDirectory = system.DataDirectory };
            _faults[fault.Id] = new Running(Task.Run(() => binding.RunAsync(fault.With, context, withdraw.Token)), withdraw);
            return null;
        }
    }

    /// <summary>Completes when the fault of this id is over; null where there is none.</summary>
    public Task? Fault(string id) => _faults.TryGetValue(id, out var fault) ? fault.Work : null;

    /// <summary>False where there is none.</summary>
    public bool Withdraw(string id)
    {
        if (!_faults.TryGetValue(id, out var fault)) return false;
        fault.Stop.Cancel();
        return true;
    }

    /// <summary>Starts a run of the node's own scenarios on itself, one after the other; the id, or why not.</summary>
    public (string? Id, string? Refusal) Start(IReadOnlyList<string> ids, int seed)
    {
        var loaded = ScenarioLoader.LoadDirectory(ShippedFiles.Folder(options.Files.Scenarios), _registry);
        if (loaded.Errors.Count > 0) return (null, string.Join("; ", loaded.Errors));
        IReadOnlyList<Scenario> scenarios;
        try
        {
            scenarios = ScenarioCatalog.Pick(loaded.Scenarios, ids);
        }
        catch (ArgumentException e)
        {
            return (null, e.Message);
        }

        if (scenarios.Count == 0) return (null, "'scenarios' is empty; name some, e.g. [\"S02\"]");
        if (scenarios.Select(x => x.Id).Distinct().Count() < scenarios.Count)
            return (null, "on a running node the bans of one drill would spoil the next of the same kind; run each once");
        if (scenarios.SelectMany(x => x.ConflictsWith.Where(y => scenarios.Any(z => z.Name == y)).Select(y => (x.Name, Other: y))).FirstOrDefault() is { Other: not null } conflict)
            return (null, $"{conflict.Name} conflicts with {conflict.Other}; run them one after the other");
        lock (_gate)
        {
            if (_runs.Values.Any(x => !x.Work.IsCompleted)) return (null, "a chaos run is under way on this node; abort it or wait for its end");
            Trim(_runs);
            var id = string.Create(CultureInfo.InvariantCulture, $"chaos-{time.GetUtcNow().UtcDateTime:yyyyMMdd'T'HHmmss'Z'}-{++_number}");
            var stop = new CancellationTokenSource();
            var run = new Running<ChaosReport>(new TaskCompletionSource<ChaosReport>(TaskCreationOptions.RunContinuationsAsynchronously), stop);
            _runs[id] = run;
            _ = Task.Run(() => RunAsync(run, scenarios, ids, seed));
            return (id, null);
        }
    }

    /// <summary>The run of this id: what it is doing, and its report once it has ended. Null where there is none.</summary>
    public (string Phase, ChaosReport? Report)? Run(string id) =>
        _runs.TryGetValue(id, out var run) ? (run.Phase, run.Work.IsCompletedSuccessfully ? run.Work.Result : null) : null;

    /// <summary>False where there is none.</summary>
    public bool Abort(string id)
    {
        if (!_runs.TryGetValue(id, out var run)) return false;
        run.Stop.Cancel();
        return true;
    }

    private async Task RunAsync(Running<ChaosReport> run, IReadOnlyList<Scenario> scenarios, IReadOnlyList<string> ids, int seed)
    {
        var started = time.GetUtcNow();
        var drills = new List<DrillReport>();
        var system = guardian();
        try
        {
            foreach (var scenario in scenarios)
            {
                if (run.Stop.IsCancellationRequested) break;
                var plan = new ScenarioPlan(scenario, seed);
                if (OwnNode(scenario) is { } own)
                {
                    var missing = new DrillRecord { Missing = own };
                    drills.Add(new DrillReport(plan, 1, missing, DrillJudge.Judge(plan, missing)));
                    continue;
                }

                var target = new InProcessChaosTarget(system.Parts, _registry);
                await using (target.ConfigureAwait(false))
                {
                    var tools = new DrillTools { Guardian = system, DataDirectory = system.DataDirectory, Keeper = system.Parts.Leasekeeper };
                    var record = await new DrillRunner(target, time, DrillLog.None, phase => run.Phase = $"{scenario.Name}: {phase}", tools: tools).RunAsync(plan, run.Stop.Token).ConfigureAwait(false);
                    drills.Add(new DrillReport(plan, 1, record, DrillJudge.Judge(plan, record)));
                }
            }
        }
        finally
        {
            run.Phase = "ended";
            var version = typeof(NodeChaos).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";
            var replay = string.Create(CultureInfo.InvariantCulture, $"guardian chaos run {string.Join(' ', ids)} --seed {seed} --url {options.Http.Url} --yes");
            run.Done.TrySetResult(new ChaosReport(started, seed, $"the running node {system.NodeName}", version, replay, drills));
        }
    }

    /// <summary>Why it cannot be played on a node that is in use; null where it can.</summary>
    private static string? OwnNode(Scenario scenario) =>
        scenario.Nodes > 1 ? "needs a cluster of the runner's own: run it without --url"
        : scenario.Postgres || scenario.MemoryDisk > 0 || scenario.NodeKernels is not null || scenario.NodeOptions.Count > 0 ? "changes its node's journal, disk, kernels or options, and so needs one of the runner's own: run it without --url"
        : null;

    private static void Trim<T>(ConcurrentDictionary<string, T> table)
        where T : Running
    {
        foreach (var (id, item) in table.Where(x => x.Value.Work.IsCompleted).OrderBy(x => x.Key, StringComparer.Ordinal).Take(Math.Max(0, table.Count - Remembered + 1)))
        {
            if (table.TryRemove(id, out _)) item.Stop.Dispose();
        }
    }

    private class Running(Task work, CancellationTokenSource stop)
    {
        public Task Work { get; } = work;
        public CancellationTokenSource Stop { get; } = stop;
    }

    private sealed class Running<T>(TaskCompletionSource<T> done, CancellationTokenSource stop) : Running(done.Task, stop)
    {
        private volatile string _phase = "starting";

        public TaskCompletionSource<T> Done { get; } = done;

        public new Task<T> Work => Done.Task;

        public string Phase
        {
            get => _phase;
            set => _phase = value;
        }
    }
}
