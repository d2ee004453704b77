using System.ComponentModel;
using System.Globalization;
using Guardian.Actors.Leasekeeping;

namespace Guardian.Actors.Kernels.Processes;

/// <summary>
/// Holds the processes of one replica still, or back. Each effect is a lease of the leasekeeper: its undo is on disk before it, and
/// is carried out at its end also when this node is dead by then. One call at a time.
/// </summary>
internal sealed class ProcessRestriction(ILeasekeeper keeper, string kernel, int replica, ControlGroup? group, bool groupStays)
{
    /// <summary>While processes are stopped one by one the others may start more; each round finds fewer.</summary>
    private const int Rounds = 10;

    private static readonly TimeSpan StoppedWithin = TimeSpan.FromSeconds(5); // only a process in an uninterruptible call takes longer
    private static readonly TimeSpan StoppedPoll = TimeSpan.FromMilliseconds(1);

    private const int Nicest = 19;

    /// <summary>A lease taken only for its undo: it is released the next moment.</summary>
    private static readonly TimeSpan ForItsUndo = TimeSpan.FromSeconds(1);

    private readonly string _id = string.Create(CultureInfo.InvariantCulture, $"kernel:{kernel}/{replica}");
    private bool _restricted;

    /// <summary>The lease taken for an effect of which it is not sure that it came before the lease's end.</summary>
    private OsLease? _unconfirmed;

    /// <summary>Why nothing can be restricted here; null where it can.</summary>
    public string? Unsupported => keeper.Unsupported;

    /// <summary>True while a lease on the instance is held.</summary>
    public bool Restricted => _restricted;

    /// <summary>Brings about what is to hold: 0 stops it, less than 100 throttles it, 100 frees it.</summary>
    /// <exception cref="LeaseRefusedException">It does not hold; the message says why.</exception>
    public async Task ApplyAsync(ProcessInstance instance, int percent, TimeSpan length, string reason, CancellationToken cancellation)
    {
        await FreeAsync(cancellation).ConfigureAwait(false);
        if (percent >= 100 || length <= TimeSpan.Zero) return;
        if (keeper.Unsupported is { } why) throw new LeaseRefusedException(why);
        _restricted = true;
        var began = System.Diagnostics.Stopwatch.GetTimestamp();
        try
        {
            if (percent == 0) await PauseAsync(instance, length, reason, cancellation).ConfigureAwait(false);
            else await ThrottleAsync(instance, percent, length, reason, cancellation).ConfigureAwait(false);
            await ConfirmAsync(length - System.Diagnostics.Stopwatch.GetElapsedTime(began), cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Win32Exception)
        {
            await FreeAsync(CancellationToken.None).ConfigureAwait(false);
            throw new LeaseRefusedException($"kernel '{kernel}' could not be {(percent == 0 ? "paused" : "throttled")}: {e.Message}");
        }
    }

    /// <summary>An effect that came after its lease's end has none: it is taken back.</summary>
    private async Task ConfirmAsync(TimeSpan rest, CancellationToken cancellation)
    {
        if (_unconfirmed is null) return; // there was nothing to restrict
        if (rest > TimeSpan.Zero && await keeper.RenewAsync(_id, rest, cancellation).ConfigureAwait(false)) _unconfirmed = null;
        else await FreeAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Takes back what holds.</summary>
    public async Task FreeAsync(CancellationToken cancellation)
    {
        if (!_restricted) return;
        var held = await keeper.ReleaseAsync(_id, cancellation).ConfigureAwait(false);
        if (!held && _unconfirmed is { } lease)
        {
            await keeper.TakeAsync(lease with { For = ForItsUndo }, cancellation).ConfigureAwait(false);
            await keeper.ReleaseAsync(_id, cancellation).ConfigureAwait(false);
        }

        (_restricted, _unconfirmed) = (false, null);
    }

    /// <summary>The instance is gone: there is nothing to take back.</summary>
    public async Task ForgetAsync()
    {
        if (_restricted) await keeper.ForgetAsync(_id, CancellationToken.None).ConfigureAwait(false);
        (_restricted, _unconfirmed) = (false, null);
        if (!groupStays) group?.Remove();
    }

    private async Task PauseAsync(ProcessInstance instance, TimeSpan length, string reason, CancellationToken cancellation)
    {
        var stopped = new HashSet<ProcessIdentity>();
        for (var round = 0; round < Rounds; round++)
        {
            var running = instance.Processes().Where(x => !stopped.Contains(x)).ToList();
            if (running.Count == 0 && stopped.Count == 0) RefuseUnseen(instance);
            if (running.Count == 0) return;
            stopped.UnionWith(running);
            ResumeProcess[] undo = [.. stopped.Where(x => x.Alive).Select(x => new ResumeProcess(x))];
            if (undo.Length == 0) continue; // they have ended meanwhile
            await TakeAsync(reason, length, undo, cancellation).ConfigureAwait(false);
            foreach (var process in running) Posix.Signal(process, Posix.SIGSTOP);
            foreach (var process in running) await StoppedAsync(process, cancellation).ConfigureAwait(false);
        }

        throw new IOException("it starts processes faster than they can be stopped");
    }

    /// <summary>Nothing was reached of what lives: that is no success. Where it has ended there is nothing to restrict.</summary>
    private static void RefuseUnseen(ProcessInstance instance)
    {
        if (instance.Identity.Alive) throw new IOException(string.Create(CultureInfo.InvariantCulture, $"process {instance.Identity.Pid} lives, but none of its processes can be found"));
    }

    /// <summary>A signal takes effect when the process is scheduled next; on a busy machine that takes its time.</summary>
    private static async Task StoppedAsync(ProcessIdentity process, CancellationToken cancellation)
    {
        var began = System.Diagnostics.Stopwatch.GetTimestamp();
        while (process.Alive && !ProcessTable.IsStopped(process))
        {
            if (System.Diagnostics.Stopwatch.GetElapsedTime(began) > StoppedWithin) throw new IOException(string.Create(CultureInfo.InvariantCulture, $"process {process.Pid} does not stop"));
            await Task.Delay(StoppedPoll, cancellation).ConfigureAwait(false);
        }
    }

    private async Task ThrottleAsync(ProcessInstance instance, int percent, TimeSpan length, string reason, CancellationToken cancellation)
    {
        if (group is { HasCpu: true } && TryCreate(group))
        {
            var cores = Math.Max(1, await CpuUse.MeasureAsync(instance.Processes, cancellation).ConfigureAwait(false));
            await TakeAsync(reason, length, [new RestoreFile(group.QuotaFile, group.Unthrottled)], cancellation).ConfigureAwait(false);
            group.Throttle(cores * percent / 100);
            var members = instance.Processes();
            if (members.Count == 0) RefuseUnseen(instance);
            foreach (var process in members) group.Add(process);
            return;
        }

        var nice = Math.Clamp((100 - percent) / 5, 1, Nicest);
        var processes = instance.Processes().Select(x => (Process: x, Nice: ProcessStat.TryRead(x.Pid, out var stat) ? stat.Nice : 0)).ToList();
        if (processes.Count == 0)
        {
            RefuseUnseen(instance);
            return;
        }

        await TakeAsync(reason, length, [.. processes.Select(x => new ReniceProcess(x.Process, x.Nice))], cancellation).ConfigureAwait(false);
        foreach (var (process, present) in processes) Posix.Renice(process, Math.Max(present, nice));
    }

    /// <summary>False where this process may not make it: then the kernel's processes are only made to give way.</summary>
    private static bool TryCreate(ControlGroup group)
    {
        try
        {
            group.Create();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private Task TakeAsync(string reason, TimeSpan length, IReadOnlyList<LeaseUndo> undo, CancellationToken cancellation) =>
        keeper.TakeAsync(_unconfirmed = new OsLease { Id = _id, Owner = "kernels", Reason = reason, For = length, Undo = undo }, cancellation);
}

/// <summary>How much CPU processes use, in cores.</summary>
internal static class CpuUse
{
    private static readonly TimeSpan Window = TimeSpan.FromMilliseconds(250); // 25 clock ticks: one tick is 4 % of a core

    private const double TicksPerSecond = 100; // USER_HZ of every Linux that .NET runs on

    public static Task<double> MeasureAsync(Func<IReadOnlyList<ProcessIdentity>> processes, CancellationToken cancellation) => MeasureAsync(processes, Window, cancellation);

    public static async Task<double> MeasureAsync(Func<IReadOnlyList<ProcessIdentity>> processes, TimeSpan window, CancellationToken cancellation)
    {
        var before = processes().ToDictionary(x => x, Ticks);
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        await Task.Delay(window, cancellation).ConfigureAwait(false);
        var used = before.Sum(x => Math.Max(0, Ticks(x.Key) - x.Value));
        return used / TicksPerSecond / System.Diagnostics.Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static long Ticks(ProcessIdentity process)
    {
        try
        {
            var text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process.Pid}/stat"));
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0; // gone
        }
    }
}
