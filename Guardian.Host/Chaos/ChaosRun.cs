using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Guardian.Actors.Chaos;
using Guardian.Actors.Chaos.Drills;
using Guardian.Actors.Chaos.Reports;
using Guardian.Actors.Chaos.Targets;
using Guardian.Actors.Hosting;
using Guardian.Actors.Leasekeeping;

namespace Guardian.Host.Chaos;

/// <summary>What <c>chaos run</c> was asked for.</summary>
internal sealed record ChaosRequest
{
    public required IReadOnlyList<Scenario> Scenarios { get; init; }
    public required IReadOnlyList<string> Ids { get; init; }
    public required int Seed { get; init; }
    public required int Repeat { get; init; }

    /// <summary>Folder of the reports; one subfolder per run.</summary>
    public required string Report { get; init; }

    /// <summary>Connection string of a PostgreSQL server for scenarios that need one; null: where it is installed, one of the run's own.</summary>
    public string? Postgres { get; init; }

    /// <summary>Folder of playbooks of the throw-away nodes; null: the shipped ones.</summary>
    public string? Playbooks { get; init; }
}

/// <summary>Runs drills, one at a time those that need the machine for themselves; writes the report and says the worst verdict.</summary>
/// <param name="console">Progress.</param>
/// <param name="time">Clock.</param>
/// <param name="program">How to start a node.</param>
/// <param name="hostCpu">How busy this machine is before a drill, percent; null where that is not known.</param>
internal sealed class ChaosRun(ChaosConsole console, TimeProvider time, Func<GuardianProgram> program, Func<CancellationToken, Task<double?>> hostCpu, Func<string, ILeasekeeper> watchdog)
{
    /// <summary>
    /// Drills at once that do not need the whole machine: they mostly wait, for heartbeats, restarts or leases, and each has a node of its own.
    /// </summary>
    private const int SideBySide = 2;

    public async Task<(ChaosReport Report, string Folder)> RunAsync(ChaosRequest request, CancellationToken abort)
    {
        var started = time.GetUtcNow();
        var folder = Path.GetFullPath(Path.Combine(request.Report, string.Create(CultureInfo.InvariantCulture, $"{started.UtcDateTime:yyyyMMdd'T'HHmmss'Z'}-{request.Seed}")));
        Directory.CreateDirectory(folder);
        var (drills, skipped) = (new List<DrillReport>(), new List<SkippedScenario>());
        var leases = Path.Combine(folder, "guardian-leases");
        var keeper = watchdog(leases);
        var postgres = new ChaosPostgres(request.Postgres, ChaosPostgres.Installed, keeper, time);
        await using (postgres)
        using (var log = new DrillLog(new FileStream(Path.Combine(folder, "history.jsonl"), FileMode.Append, FileAccess.Write, FileShare.Read)))
        {
            for (var repetition = 1; repetition <= request.Repeat && !abort.IsCancellationRequested; repetition++)
            {
                var (number, plans) = (repetition, request.Scenarios.Select(x => new ScenarioPlan(x, unchecked(request.Seed + repetition - 1))).ToList());
                var records = new ConcurrentDictionary<ScenarioPlan, DrillRecord>();
                async Task OneAsync(ScenarioPlan plan)
                {
                    if (abort.IsCancellationRequested) return;
                    var record = records[plan] = await DrillAsync(plan, number, request, folder, log.Of(plan.Scenario.Name), keeper, postgres, abort);
                    if (LeftOut(request, record) is { } missing) console.Skipped(plan.Scenario.Name, missing);
                    else console.Done(new DrillReport(plan, number, record, DrillJudge.Judge(plan, record)));
                }

                foreach (var together in Turns(plans))
                    await Parallel.ForEachAsync(together, new ParallelOptions { MaxDegreeOfParallelism = SideBySide }, async (plan, _) => await OneAsync(plan));
                foreach (var plan in plans.Where(records.ContainsKey))
                {
                    if (LeftOut(request, records[plan]) is { } missing) skipped.Add(new SkippedScenario(plan.Scenario.Name, missing));
                    else drills.Add(new DrillReport(plan, number, records[plan], DrillJudge.Judge(plan, records[plan])));
                }
            }
        }

        if (keeper is IAsyncDisposable ending) await ending.DisposeAsync();
        if (Directory.Exists(leases)) Directory.Delete(leases, recursive: true);
        var report = new ChaosReport(started, request.Seed, "a fresh node for each drill", Version, Replay(request), drills) { Skipped = [.. skipped.DistinctBy(x => x.Scenario)] };
        Write(folder, report);
        return (report, folder);
    }

    /// <summary>Who may be played beside whom: nobody beside what needs the machine for itself, and what watches the machine only beside its like.</summary>
    internal static IEnumerable<IReadOnlyList<ScenarioPlan>> Turns(IReadOnlyList<ScenarioPlan> plans) =>
    [
        .. plans.Where(x => x.Scenario.NeedsWholeHost).Select(x => (IReadOnlyList<ScenarioPlan>)[x]),
        .. plans.Where(x => !x.Scenario.NeedsWholeHost).GroupBy(x => x.Scenario.WatchesResources).Select(x => x.ToList()),
    ];

    private static string? LeftOut(ChaosRequest request, DrillRecord record) => request.Ids.Contains("all") ? record.Missing : null;

    /// <summary>Undoes the faults and ends the nodes of a run when its process dies; the leases are in <paramref name="leases"/>.</summary>
    public static ILeasekeeper Watchdog(GuardianProgram program, string leases, ChaosConsole console) => Posix.Unsupported is { } reason
        ? new NoLeasekeeper(reason)
        : new Leasekeeper(program, leases, TimeSpan.FromHours(1), TimeProvider.System, (line, warning) =>
        {
            if (warning) console.Error(line);
        });

    private async Task<DrillRecord> DrillAsync(ScenarioPlan plan, int repetition, ChaosRequest request, string folder, DrillLog log, ILeasekeeper keeper, ChaosPostgres postgres, CancellationToken abort)
    {
        log.Write(TimeSpan.Zero, "drill", x =>
        {
            x.WriteString("scenario", plan.Scenario.Name);
            x.WriteNumber("repetition", repetition);
            x.WriteNumber("seed", plan.Seed);
        });
        void Progress(string phase) => console.Progress(plan.Scenario.Name, phase);
        try
        {
            if (plan.Scenario.NeedsQuietHost && await hostCpu(abort) is not <= HostNoise.Quiet)
                return new DrillRecord { Inconclusive = string.Create(CultureInfo.InvariantCulture, $"this machine is busier than {HostNoise.Quiet:0} % before the drill, or that cannot be told; nothing can be said about its pressure") };
            // Others, played side by side or on a machine that gets busy, would take that for pressure: their nodes do not watch the machine.
            var watches = plan.Scenario.WatchesResources || plan.Scenario.NeedsQuietHost;
            Progress("starting a node");
            var home = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"guardian-{plan.Scenario.Name}-{repetition}"));
            DrillRecord record;
            var node = new NodePlan(program(), ChaosFiles.Policy, request.Playbooks ?? ChaosFiles.Playbooks, plan.Scenario.MemoryDisk, plan.Scenario.MemoryLimit, plan.Scenario.NodeOptions, plan.Scenario.NodeKernels, watches, keeper, time);
            var stage = await DrillStage.SetAsync(plan, node, postgres, new HostFloors(folder, time), home, abort);
            await using (stage) record = await new DrillRunner(stage.Target, time, log, Progress, tools: stage.Tools).RunAsync(plan, abort);

            // A failed drill keeps its node's journal and log as evidence.
            if (DrillJudge.Judge(plan, record).Verdict == Verdict.Pass) Directory.Delete(home, recursive: true);
            return record;
        }
        catch (ChaosUnsupportedException e)
        {
            return new DrillRecord { Missing = e.Message };
        }
        catch (ChaosTargetException e)
        {
            return new DrillRecord { HarnessError = e.Message };
        }
        catch (OperationCanceledException) when (abort.IsCancellationRequested)
        {
            return new DrillRecord { Aborted = "stopped by the operator" };
        }
    }

    private static string Version => typeof(ChaosRun).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    private static string Replay(ChaosRequest request)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"guardian chaos run {string.Join(' ', request.Ids)} --seed {request.Seed}");
        if (request.Repeat > 1) text += string.Create(CultureInfo.InvariantCulture, $" --repeat {request.Repeat}");
        return text;
    }

    private static void Write(string folder, ChaosReport report)
    {
        using (var stream = File.Create(Path.Combine(folder, "run.json")))
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
            JsonReport.Write(json, report);
        using (var stream = File.Create(Path.Combine(folder, "junit.xml"))) TextReports.JUnit(stream, report);
        File.WriteAllText(Path.Combine(folder, "report.md"), TextReports.Markdown(report));
    }
}
