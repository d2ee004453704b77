namespace Guardian.Actors.Leasekeeping;

/// <summary>
/// Leases on the operating system. Take one before the effect: when <see cref="TakeAsync"/> has returned, its undo is on disk
/// and will be carried out at its end, at its release, or when this node dies, by a process of its own. An effect that took long
/// may come after its lease's end: renew the lease once the effect is there, and take the effect back where it is not held any more. Thread-safe.
/// </summary>
internal interface ILeasekeeper
{
    /// <summary>Why no lease can be taken here, for a refusal "not supported"; null where they can.</summary>
    string? Unsupported { get; }

    /// <summary>A lease may last so long.</summary>
    TimeSpan Longest { get; }

    /// <summary>Takes the lease, or replaces the one of the same id.</summary>
    /// <exception cref="LeaseRefusedException">It was not taken: do not bring the effect about.</exception>
    Task TakeAsync(OsLease lease, CancellationToken cancellation);

    /// <summary>It now ends <paramref name="length"/> from now. False where it is not held any more: the effect is undone.</summary>
    /// <exception cref="LeaseRefusedException">The keeper did not answer or refused; the lease holds until its old end.</exception>
    Task<bool> RenewAsync(string id, TimeSpan length, CancellationToken cancellation);

    /// <summary>Undoes it now. False where it was not held any more: then it is undone.</summary>
    /// <exception cref="LeaseRefusedException">The undo failed and is being repeated, or the keeper did not answer.</exception>
    Task<bool> ReleaseAsync(string id, CancellationToken cancellation);

    /// <summary>Gives it up without undo, where there is nothing to undo: the effect was not brought about, or what it was about is gone.</summary>
    Task<bool> ForgetAsync(string id, CancellationToken cancellation);

    /// <summary>All leases held.</summary>
    Task<IReadOnlyList<OsLease>> ListAsync(CancellationToken cancellation);
}

/// <summary>The keeper does not hold the lease, or did not do what was asked; the message says why.</summary>
internal sealed class LeaseRefusedException(string message) : Exception(message);

/// <summary>Where there is none: everything is refused with the reason.</summary>
internal sealed class NoLeasekeeper(string reason) : ILeasekeeper
{
    public string? Unsupported => reason;

    public TimeSpan Longest => TimeSpan.Zero;

    public Task TakeAsync(OsLease lease, CancellationToken cancellation) => Task.FromException(new LeaseRefusedException(reason));

    public Task<bool> RenewAsync(string id, TimeSpan length, CancellationToken cancellation) => Task.FromResult(false);

    public Task<bool> ReleaseAsync(string id, CancellationToken cancellation) => Task.FromResult(false);

    public Task<bool> ForgetAsync(string id, CancellationToken cancellation) => Task.FromResult(false);

    public Task<IReadOnlyList<OsLease>> ListAsync(CancellationToken cancellation) => Task.FromResult<IReadOnlyList<OsLease>>([]);
}
