using System.Text.Json;
using Guardian.Actors.Chaos.Targets;
using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Chaos.Drills;

/// <summary>Measures probes and evaluates checks. What cannot be measured does not hold.</summary>
internal sealed class DrillChecks(IChaosTarget target, FloodTally tally, DrillClock clock, DrillTools tools)
{
    public async Task<CheckResult> CheckAsync(ProbeCheck check, CancellationToken cancellation)
    {
        try
        {
            var result = check.Probe switch
            {
                ChaosProbes.BusViolations => Violations(check.With),
                ChaosProbes.JournalWritable => await JournalProbe.WriteAsync(tools, clock.Time, cancellation).ConfigureAwait(false),
                ChaosProbes.HostCpu => HostCpu(),
                ChaosProbes.NodeMemory => NodeMemory(),
                ChaosProbes.DiskUsed => NodeFiles.Disk(tools.DataDirectory),
                ChaosProbes.KernelsProcesses => NodeFiles.KernelProcesses(tools.DataDirectory, TargetJson.Text(check.With, "kernel")),
                ChaosProbes.TasksCount => NodeFiles.Tasks(tools, TargetJson.Text(check.With, "subject")),
                ChaosProbes.NodesRunning => Count(tools.Nodes.Count > 0 ? tools.Nodes.Count(x => x.Running) : throw new ChaosTargetException("the runner did not start the node")),
                ChaosProbes.NetworkHeld => Count(tools.Cluster?.Links?.Held ?? throw new ChaosTargetException("there is no network of the runner's own between nodes")),
                _ => await target.ProbeAsync(check.Probe, check.With, cancellation).ConfigureAwait(false),
            };
            var scope = new EvaluationScope { Result = result };
            return new CheckResult(check.ToString(), check.Check.Test(scope), check.Check.Explain(scope));
        }
        catch (Exception e) when (e is ChaosTargetException or EvaluationException)
        {
            return new CheckResult(check.ToString(), false, e.Message);
        }
    }

    /// <summary>The first check that does not hold; null when all do.</summary>
    public async Task<CheckResult?> FirstBrokenAsync(IEnumerable<ProbeCheck> checks, CancellationToken cancellation)
    {
        foreach (var check in checks)
        {
            var result = await CheckAsync(check, cancellation).ConfigureAwait(false);
            if (!result.Passed) return result;
        }

        return null;
    }

    private JsonElement NodeMemory()
    {
        if (tools.Memory is not { } memory) throw new ChaosTargetException("the node has no memory limit of its own; 'node: { memoryLimitMiB: 768 }' gives it one");
        try
        {
            var (percent, killed) = memory.Read();
            return TargetJson.Object(x =>
            {
                x.WriteNumber("percent", percent);
                x.WriteNumber("killed", killed);
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ChaosTargetException($"the node's memory cannot be read: {e.Message}", e);
        }
    }

    private JsonElement HostCpu()
    {
        var (shares, unknown) = tools.Host?.Latest ?? (null, "nobody measures it here");
        if (shares is not { } known) throw new ChaosTargetException($"how busy this machine is is not known: {unknown}");
        return TargetJson.Object(x =>
        {
            x.WriteNumber("percent", known.Machine);
            x.WriteNumber("fault", known.Fault);
            x.WriteNumber("others", known.Others);
        });
    }
    private static JsonElement Count(int count) => TargetJson.Object(x => x.WriteNumber("count", count));

    private JsonElement Violations(JsonElement with)
    {
        var subject = TargetJson.Text(with, "subject");
        var window = Duration.TryParse(TargetJson.Text(with, "window"), out var given) ? given.Value : ChaosProbes.DefaultWindow;
        var (count, total) = tally.Denials(subject.Length == 0 ? null : subject, window, clock.Now);
        return TargetJson.Object(x =>
        {
            x.WriteNumber("count", count);
            x.WriteNumber("total", total);
        });
    }
}
