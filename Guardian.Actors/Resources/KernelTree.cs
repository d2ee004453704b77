using Guardian.Actors.Leasekeeping;

namespace Guardian.Actors.Resources;

/// <summary>A kernel's processes: the leaders of its replicas; everything below them is its too.</summary>
/// <param name="Kernel">Name.</param>
/// <param name="OptedIn"><c>remediation: enforce</c>.</param>
/// <param name="Leaders">Living replicas.</param>
/// <param name="Percent">Of the processor that a throttle leaves to each; 100 without one.</param>
internal sealed record KernelTree(string Kernel, bool OptedIn, IReadOnlyList<ProcessIdentity> Leaders, int Percent = 100);

/// <summary>Whose process is it? Of one moment. Pure.</summary>
internal sealed class ProcessOwners
{
    private const int Deepest = 64; // deeper than any real tree; a snapshot may hold a loop

    private readonly Dictionary<int, ProcessEntry> _processes;
    private readonly Dictionary<ProcessIdentity, string> _leaders = [];

    public ProcessOwners(IReadOnlyList<ProcessEntry> processes, IEnumerable<KernelTree> kernels)
    {
        _processes = processes.ToDictionary(x => x.Pid);
        foreach (var kernel in kernels)
            foreach (var leader in kernel.Leaders)
                _leaders[leader] = kernel.Kernel;
    }

    /// <summary>The kernel that a process belongs to; null where it is nobody's.</summary>
    public string? Of(int pid)
    {
        for (var depth = 0; depth < Deepest && _processes.TryGetValue(pid, out var process); depth++, pid = process.ParentPid)
            if (_leaders.TryGetValue(new ProcessIdentity(process.Pid, process.StartTicks), out var kernel)) return kernel;
        return null;
    }

    /// <summary>True for a process and everything that it descends from.</summary>
    public bool IsAncestorOrSelf(int pid, int of)
    {
        for (var depth = 0; depth < Deepest; depth++)
        {
            if (pid == of) return true;
            if (!_processes.TryGetValue(of, out var process)) return false;
            of = process.ParentPid;
        }

        return false;
    }
}
