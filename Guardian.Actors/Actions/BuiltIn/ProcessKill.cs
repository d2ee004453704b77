using System.ComponentModel;
using Guardian.Actors.Leasekeeping;
using Guardian.Actors.Resources;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions.BuiltIn;

/// <summary>Input of <c>process.kill</c>.</summary>
internal sealed record ProcessKillInput(
    [property: Description("The kernel. Its replicas that use at least this much are killed, nothing else.")] string Kernel,
    [property: Description("Share of what may be used, over the time below; 50% where missing. A throttled replica counts as what it would use without, at most twice what it does.")] Percentage? Above = null,
    [property: Description("cpu or memory.")] ProcessOrder By = ProcessOrder.Cpu,
    [property: Description("Measured over this, just before; 5s where missing.")] Duration? Over = null,
    [property: Description("Between TERM and KILL; 3s where missing.")] Duration? Grace = null);

/// <summary>Output of <c>process.kill</c>.</summary>
internal sealed record ProcessKillOutput(
    [property: Description("True where something was killed.")] bool Killed,
    [property: Description("The leaders that were killed, as they were just before.")] IReadOnlyList<TopProcess> Processes,
    [property: Description("Processes ended in all.")] int Count,
    [property: Description("Those that TERM did not end.")] int Forced,
    [property: Description("Why nothing was killed; missing where something was.")] string? Reason);

/// <summary>
/// Kills replicas of one kernel that use too much: the leader and everything below it. Nothing that is no process of a kernel
/// that opted in (or of which an operator approved it), and never Guardian itself. Each signal goes to the very process that was looked at, by its start time.
/// </summary>
internal sealed class ProcessKill(ActionDependencies dependencies) : GuardianAction<ProcessKillInput, ProcessKillOutput>
{
    private const int SIGTERM = 15;

    private const double DefaultAbove = 50;

    private static readonly TimeSpan DefaultOver = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan DefaultGrace = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    /// <summary>A tree that forks while it is killed is followed so often; what still runs then is reported.</summary>
    private const int Rounds = 20;

    public override string Name => "process.kill";

    public override string Summary => "Kills replicas of a kernel that opted in and that use too much; nothing else.";

    public override RiskClass Risk => RiskClass.Destroy;

    public override TouchedTargets Touches(ProcessKillInput input) => new([], [input.Kernel], null);

    public override async Task<ProcessKillOutput> ExecuteAsync(ProcessKillInput input, ActionContext context, CancellationToken cancellation)
    {
        if (Posix.Unsupported is { } unsupported) throw new ActionFailedException(unsupported);
        var above = input.Above?.Value ?? DefaultAbove;
        if (above <= 0) throw new ActionFailedException($"{Name}: above is {input.Above}, which a process that does nothing reaches; use more");
        var meter = dependencies.Resources;
        Permit(input.Kernel, meter.Kernels(), context);
        var (uses, now, _, memory) = await meter.UseAsync(input.Over?.Value ?? DefaultOver, cancellation).ConfigureAwait(false);
        // Asked again: the kernel may have been changed, stopped or restarted while it was measured.
        var kernel = Permit(input.Kernel, meter.Kernels(), context);
        var replicas = KernelUse.Of([kernel], uses);
        var victims = replicas.Where(x => (input.By == ProcessOrder.Memory ? x.MemoryPercent(memory) : x.Cpu) >= above).ToList();
        if (victims.Count == 0)
        {
            return new ProcessKillOutput(false, [], 0, 0, FormattableString.Invariant(
                $"none of {replicas.Count} living replicas of '{input.Kernel}' uses {above} % of {input.By.ToString().ToLowerInvariant()}"));
        }

        var evidence = victims.Select(x => ProcessesTop.Top(x.Leader, meter.Processes.CgroupOf(x.Leader.Process.Pid), x.Kernel)).ToList();
        var trees = new KillList(victims.SelectMany(x => ProcessUsage.Tree(now.Processes, x.Leader.Process.Pid)));
        Refuse(trees, now);
        context.StopWhereHeld();
        await EndAsync(trees, meter, context, input.Grace?.Value ?? DefaultGrace, cancellation).ConfigureAwait(false);
        return new ProcessKillOutput(true, evidence, trees.Count, trees.Forced, null);
    }

    /// <summary>An operator's approval stands for an opt-in, and for nothing else: what is left to people is not killed with it either.</summary>
    private KernelTree Permit(string name, IReadOnlyList<KernelTree> kernels, ActionContext context)
    {
        dependencies.Kernels.Permit([name], context);
        var kernel = kernels.FirstOrDefault(x => x.Kernel == name) ?? throw new ActionFailedException(
            $"{Name}: '{name}' is no process kernel of this node; processes that are not a kernel's are never killed");
        return kernel.OptedIn || context.ApprovedBy is not null
            ? kernel
            : throw new ActionFailedException($"{Name}: kernel '{name}' has not opted in and no operator approved it; write 'remediation: enforce' at it in kernels.yaml");
    }

    private void Refuse(KillList trees, ProcessSnapshot now)
    {
        var owners = new ProcessOwners(now.Processes, []);
        if (trees.Living().FirstOrDefault(x => x.Pid <= 1 || owners.IsAncestorOrSelf(x.Pid, Environment.ProcessId)) is { } wrong)
            throw new ActionFailedException($"{Name}: process {wrong.Pid} is Guardian's own or what it runs under; nothing was killed");
    }

    private async Task EndAsync(KillList trees, ResourceMeter meter, ActionContext context, TimeSpan grace, CancellationToken cancellation)
    {
        foreach (var process in trees.Living()) Signal(process, SIGTERM);
        var began = meter.Time.GetTimestamp();
        while (trees.Living().Count > 0 && meter.Time.GetElapsedTime(began) < grace) await Task.Delay(Poll, meter.Time, cancellation).ConfigureAwait(false);
        trees.Follow(meter.Scan().Processes);
        trees.Forced = trees.Living().Count;
        if (trees.Forced > 0 && context.Held() is { } reason)
            throw new ActionFailedException($"{Name}: held before KILL ({reason}); told to end and still there: {string.Join(", ", trees.Living())}");
        for (var round = 0; round < Rounds && trees.Living().Count > 0; round++)
        {
            foreach (var process in trees.Living()) Signal(process, Posix.SIGKILL);
            await Task.Delay(Poll, meter.Time, cancellation).ConfigureAwait(false);
            trees.Follow(meter.Scan().Processes);
        }

        if (trees.Living() is { Count: > 0 } left) throw new ActionFailedException($"{Name}: still there after KILL: {string.Join(", ", left)}");
    }

    private void Signal(ProcessIdentity process, int signal)
    {
        try
        {
            Posix.Signal(process, signal);
        }
        catch (Win32Exception e)
        {
            throw new ActionFailedException($"{Name}: process {process.Pid} cannot be signalled: {e.Message}", e);
        }
    }

    /// <summary>The processes to be ended, and what they start meanwhile.</summary>
    private sealed class KillList(IEnumerable<ProcessEntry> processes)
    {
        private readonly HashSet<ProcessIdentity> _all = [.. processes.Select(Identity)];

        public int Count => _all.Count;

        public int Forced { get; set; }

        public IReadOnlyList<ProcessIdentity> Living() => [.. _all.Where(x => x.Alive)];

        public void Follow(IReadOnlyList<ProcessEntry> now)
        {
            var known = now.Where(x => _all.Contains(Identity(x))).ToList();
            foreach (var process in known.SelectMany(x => ProcessUsage.Tree(now, x.Pid))) _all.Add(Identity(process));
        }

        private static ProcessIdentity Identity(ProcessEntry x) => new(x.Pid, x.StartTicks);
    }
}
