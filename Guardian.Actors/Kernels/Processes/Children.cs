using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Guardian.Actors.Leasekeeping;

namespace Guardian.Actors.Kernels.Processes;

/// <summary>
/// This process's children that .NET knows nothing of: learns of their end by SIGCHLD, and at the latest by a look every second.
/// What a child has left behind in its group is killed before it is reaped: until then nobody else can have its number.
/// </summary>
internal sealed class Children : IDisposable
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private static readonly Lazy<Children> Shared = new(() => new Children());

    private readonly ConcurrentDictionary<int, TaskCompletionSource<ExitStatus>> _waiting = new();
    private readonly PosixSignalRegistration? _signal;
    private readonly Timer _timer;
    private readonly Lock _gate = new();

    private Children()
    {
        if (!OperatingSystem.IsWindows()) _signal = PosixSignalRegistration.Create(PosixSignal.SIGCHLD, _ => Look());
        _timer = new Timer(_ => Look(), null, LookEvery, LookEvery);
    }

    /// <summary>One for the process, as SIGCHLD is.</summary>
    public static Children Instance => Shared.Value;

    /// <summary>Completes when the child has ended, its group is killed and it is reaped.</summary>
    public Task<ExitStatus> Ended(int pid)
    {
        var waiting = new TaskCompletionSource<ExitStatus>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[pid] = waiting;
        Look(pid, waiting);
        return waiting.Task;
    }

    public void Dispose()
    {
        _signal?.Dispose();
        _timer.Dispose();
    }

    private void Look()
    {
        foreach (var (pid, waiting) in _waiting) Look(pid, waiting);
    }

    private void Look(int pid, TaskCompletionSource<ExitStatus> waiting)
    {
        lock (_gate)
        {
            if (waiting.Task.IsCompleted || !Posix.HasEnded(pid)) return;
            Posix.Signal(-pid, Posix.SIGKILL);
            _waiting.TryRemove(pid, out _);
            waiting.TrySetResult(Posix.Reap(pid) ?? new ExitStatus(-1, 0));
        }
    }
}
