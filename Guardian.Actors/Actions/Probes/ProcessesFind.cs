using System.ComponentModel;
using Guardian.Actors.Resources;

namespace Guardian.Actors.Actions.Probes;

/// <summary>Input of <c>processes.find</c>: all that is given must fit; at least one must be given.</summary>
internal sealed record ProcessesFindInput(
    [property: Description("Short name of the executable, exactly; at most 15 characters.")] string? Name = null,
    [property: Description("Process id.")] int? Pid = null,
    [property: Description("Kernel that it belongs to.")] string? Kernel = null);

/// <summary>Result of <c>processes.find</c>.</summary>
internal sealed record ProcessesFindResult(
    [property: Description("How many there are.")] int Count,
    [property: Description("At most 20 of them: pid, start, name, memoryBytes, cgroup, kernel.")] IReadOnlyList<FoundProcess> Processes);

/// <summary>A process that was found.</summary>
internal sealed record FoundProcess(int Pid, long Start, string Name, long MemoryBytes, string? Cgroup, string? Kernel);

/// <summary>Which processes there are on the node.</summary>
internal sealed class ProcessesFind(ActionDependencies dependencies) : GuardianProbe<ProcessesFindInput, ProcessesFindResult>
{
    private const int Listed = 20; // a result goes into the journal

    public override string Name => "processes.find";

    public override string Summary => "Processes on the node, by name, id or kernel.";

    public override Task<ProcessesFindResult> MeasureAsync(ProcessesFindInput input, CancellationToken cancellation)
    {
        if (input is { Name: null, Pid: null, Kernel: null }) throw new ActionFailedException($"{Name}: give name, pid or kernel");
        var meter = dependencies.Resources;
        var now = meter.Scan();
        var owners = new ProcessOwners(now.Processes, meter.Kernels());
        var found = now.Processes
            .Where(x => (input.Name is null || x.Name == input.Name) && (input.Pid is null || x.Pid == input.Pid))
            .Select(x => (Process: x, Kernel: owners.Of(x.Pid)))
            .Where(x => input.Kernel is null || x.Kernel == input.Kernel).ToList();
        return Task.FromResult(new ProcessesFindResult(found.Count,
            [.. found.Take(Listed).Select(x => new FoundProcess(x.Process.Pid, x.Process.StartTicks, x.Process.Name, x.Process.ResidentBytes, meter.Processes.CgroupOf(x.Process.Pid), x.Kernel))]));
    }
}
