using System.Collections.Concurrent;
using Guardian.Actors.Leasekeeping;

namespace Guardian.Tests.Kernels;

/// <summary>A keeper in this process that resumes what was stopped, and refuses or ends leases as a test says.</summary>
internal sealed class ScriptedKeeper : ILeasekeeper
{
    private readonly ConcurrentDictionary<string, OsLease> _leases = new(StringComparer.Ordinal);

    public string? Unsupported => null;

    public TimeSpan Longest => TimeSpan.FromHours(1);

    /// <summary>Why a lease is not taken; null where it is.</summary>
    public Func<OsLease, string?> Refusal { get; set; } = _ => null;

    /// <summary>Why nothing is released; null where it is.</summary>
    public string? ReleaseRefusal { get; set; }

    /// <summary>Runs once a lease was taken, before its taker knows.</summary>
    public Action<OsLease>? Taken { get; set; }

    /// <summary>As at the lease's end.</summary>
    public bool End(string id)
    {
        if (!_leases.TryRemove(id, out var lease)) return false;
        foreach (var undo in lease.Undo.OfType<ResumeProcess>()) Posix.Signal(undo.Process, Posix.SIGCONT);
        return true;
    }

    public Task TakeAsync(OsLease lease, CancellationToken cancellation)
    {
        if (Refusal(lease) is { } why) return Task.FromException(new LeaseRefusedException(why));
        _leases[lease.Id] = lease;
        Taken?.Invoke(lease);
        return Task.CompletedTask;
    }

    public Task<bool> RenewAsync(string id, TimeSpan length, CancellationToken cancellation) => Task.FromResult(_leases.ContainsKey(id));

    public Task<bool> ReleaseAsync(string id, CancellationToken cancellation) =>
        ReleaseRefusal is { } why ? Task.FromException<bool>(new LeaseRefusedException(why)) : Task.FromResult(End(id));

    public Task<bool> ForgetAsync(string id, CancellationToken cancellation) => Task.FromResult(_leases.TryRemove(id, out _));

    public Task<IReadOnlyList<OsLease>> ListAsync(CancellationToken cancellation) => Task.FromResult<IReadOnlyList<OsLease>>([.. _leases.Values]);
}
