using System.ComponentModel;
using Guardian.Actors.Resources;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions.BuiltIn;

/// <summary>What processes are ordered by.</summary>
internal enum ProcessOrder
{
    Cpu,
    Memory,
}

/// <summary>Input of <c>processes.top</c>.</summary>
internal sealed record ProcessesTopInput(
    [property: Description("How many, 1 to 20; 5 where missing.")] int N = 5,
    [property: Description("cpu or memory.")] ProcessOrder By = ProcessOrder.Cpu,
    [property: Description("Measured over this, from now.")] Duration? Over = null,
    [property: Description("A kernel of which one replica uses this share, or would without its throttle, is the runaway; 50% where missing.")] Percentage? RunawayAbove = null);

/// <summary>Output of <c>processes.top</c>.</summary>
internal sealed record ProcessesTopOutput(
    [property: Description("The greatest users: pid, parent, start, name, cpu, treeCpu, memoryBytes, cgroup, kernel. Percentages are of what may be used.")] IReadOnlyList<TopProcess> Processes,
    [property: Description("The kernel that uses most, where that is above runawayAbove; else missing.")] string? Runaway,
    [property: Description("Percent that it uses, or would without its throttle.")] double? RunawayPercent);

/// <summary>A process and what it uses.</summary>
internal sealed record TopProcess(int Pid, int Parent, long Start, string Name, double Cpu, double TreeCpu, long MemoryBytes, string? Cgroup, string? Kernel);

/// <summary>Who uses most. The evidence that is in the journal before anything is done about it.</summary>
internal sealed class ProcessesTop(ActionDependencies dependencies) : GuardianAction<ProcessesTopInput, ProcessesTopOutput>
{
    private const double DefaultRunaway = 50;

    private static readonly TimeSpan DefaultOver = TimeSpan.FromSeconds(1);

    public override string Name => "processes.top";

    public override string Summary => "The processes of the node that use most, and the kernel that runs away.";

    public override RiskClass Risk => RiskClass.None;

    public override bool Idempotent => true;

    public override async Task<ProcessesTopOutput> ExecuteAsync(ProcessesTopInput input, ActionContext context, CancellationToken cancellation)
    {
        if (input.N is < 1 or > 20) throw new ActionFailedException($"{Name}: n is {input.N}; use 1 to 20");
        var meter = dependencies.Resources;
        var (uses, now, _, memory) = await meter.UseAsync(input.Over?.Value ?? DefaultOver, cancellation).ConfigureAwait(false);
        var kernels = meter.Kernels();
        var owners = new ProcessOwners(now.Processes, kernels);
        var byMemory = input.By == ProcessOrder.Memory;
        var top = ProcessUsage.Top(uses, input.N, byMemory).Select(x => Top(x, meter.Processes.CgroupOf(x.Process.Pid), owners.Of(x.Process.Pid))).ToList();
        var runaway = KernelUse.Of(kernels, uses).Select(x => (x.Kernel, Percent: byMemory ? x.MemoryPercent(memory) : x.Cpu))
            .Where(x => x.Percent >= (input.RunawayAbove?.Value ?? DefaultRunaway)).OrderByDescending(x => x.Percent).Select(x => ((string, double)?)x).FirstOrDefault();
        return new ProcessesTopOutput(top, runaway?.Item1, runaway is { } found ? Math.Round(found.Item2, 1) : null);
    }

    public override Task<(OutcomeKind Kind, ProcessesTopOutput? Output)> ProbeAsync(ProcessesTopInput input, ActionContext context, CancellationToken cancellation) =>
        Task.FromResult((OutcomeKind.NotDone, (ProcessesTopOutput?)null));

    internal static TopProcess Top(ProcessUse x, string? cgroup, string? kernel) => new(
        x.Process.Pid, x.Process.ParentPid, x.Process.StartTicks, x.Process.Name, Math.Round(x.CpuPercent, 1), Math.Round(x.TreePercent, 1), x.Process.ResidentBytes, cgroup, kernel);
}

/// <summary>What one replica of a kernel uses with everything below it.</summary>
/// <param name="Kernel">Name.</param>
/// <param name="Leader">The replica's first process.</param>
/// <param name="Percent">What a throttle leaves to it.</param>
internal sealed record KernelUse(string Kernel, ProcessUse Leader, int Percent)
{
    /// <summary>Below it a throttle says too little of what a replica would use without.</summary>
    private const int LowestThrottle = 50;

    /// <summary>
    /// Percent of the processor that it would use unthrottled: a throttle to a half makes a runaway of 96 % one of 48 %, and it is none the less
    /// one. At most twice what it does use.
    /// </summary>
    public double Cpu => Math.Min(Math.Max(100, Leader.TreePercent), Leader.TreePercent * 100 / Math.Clamp(Percent, LowestThrottle, 100));

    public double MemoryPercent(long? capacity) => capacity is > 0 ? 100.0 * Leader.TreeBytes / capacity.Value : 0;

    /// <summary>The replicas whose leader is still the process that it was.</summary>
    public static IReadOnlyList<KernelUse> Of(IEnumerable<KernelTree> kernels, IReadOnlyList<ProcessUse> uses)
    {
        var byIdentity = uses.ToDictionary(x => new Leasekeeping.ProcessIdentity(x.Process.Pid, x.Process.StartTicks));
        return [.. kernels.SelectMany(k => k.Leaders.Where(byIdentity.ContainsKey).Select(x => new KernelUse(k.Kernel, byIdentity[x], k.Percent)))];
    }
}
