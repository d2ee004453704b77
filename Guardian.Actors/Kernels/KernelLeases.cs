using Guardian.Actors.Mitigations;

namespace Guardian.Actors.Kernels;

/// <summary>
/// The pauses and throttles in force, each a lease of its owner; of several on one kernel the strictest holds. Owned by the
/// KernelSupervisor; kept outside, so that its crash lifts nothing.
/// </summary>
internal sealed class KernelLeases(TimeProvider time, string node)
{
    private const string Pause = "pause";
    private const string Throttle = "throttle";

    private readonly LeaseSet<int> _leases = new(time);

    public IReadOnlyList<Mitigation> Mitigations => [.. _leases.All.Select(Show).OrderBy(x => x.Id, StringComparer.Ordinal)];

    /// <summary>Until the next lease lapses; null where there is none.</summary>
    public TimeSpan? NextLapse() => _leases.NextLapse();

    /// <summary>Sets or renews the owner's lease; what it takes to take that back.</summary>
    public LeaseChange Set(string kernel, RestrictKernels restrict)
    {
        var before = _leases.Find(Target(kernel, restrict.Percent == 0), restrict.By);
        return new LeaseChange(_leases.Set(Target(kernel, restrict.Percent == 0), restrict.By, restrict.Percent, restrict.Reason, time.GetUtcNow(), restrict.Until), before);
    }

    /// <summary>The change did not come about: what its owner held before holds again. False where the lease was changed or lifted since, which stands.</summary>
    public bool TakeBack(LeaseChange change)
    {
        var (set, before) = change;
        if (!ReferenceEquals(_leases.Find(set.Target, set.Owner), set)) return false;
        if (before is not null) _leases.Restore(before);
        else _leases.Remove(set.Target, set.Owner, out _);
        return true;
    }

    /// <summary>Lifts what fits; the kernels whose restrictions changed.</summary>
    public IReadOnlyList<string> Lift(LiftKernels lift)
    {
        var leases = _leases.All.Where(x => IsPause(x.Target) == lift.Pauses && (lift.AnyOwner || x.Owner == lift.By)
            && (lift.Name is null || KernelOf(x.Target) == lift.Name)).ToList();
        return Remove(leases);
    }

    /// <summary>Lifts one lease.</summary>
    public IReadOnlyList<string> Lift(string id) => Remove([.. _leases.All.Where(x => Show(x).Id == id)]);

    /// <summary>Takes out what has lapsed; the kernels whose restrictions changed.</summary>
    public IReadOnlyList<string> Sweep() => [.. _leases.Sweep().Select(x => KernelOf(x.Target)).Distinct(StringComparer.Ordinal)];

    /// <summary>What the kernel may use: nothing while it is paused, else the lowest percentage; until the last lease of that kind ends.</summary>
    public Restriction On(string kernel)
    {
        var strictest = _leases.On(Target(kernel, pause: true)).ToList();
        if (strictest.Count == 0) strictest = [.. _leases.On(Target(kernel, pause: false))];
        if (strictest.Count == 0) return Restriction.None;
        var percent = strictest.Min(x => x.Effect);
        var last = strictest.Where(x => x.Effect == percent).MaxBy(x => x.Deadline)!;
        return new Restriction(percent, last.Deadline, last.Reason);
    }

    public IReadOnlyList<Mitigation> Of(string kernel) => [.. Mitigations.Where(x => x.Target == "kernel/" + kernel)];

    /// <summary>A lease that was set, and what its owner held before.</summary>
    internal sealed record LeaseChange(LeaseSet<int>.Lease Set, LeaseSet<int>.Lease? Before);

    private List<string> Remove(IReadOnlyList<LeaseSet<int>.Lease> leases)
    {
        foreach (var lease in leases) _leases.Remove(lease.Target, lease.Owner, out _);
        return [.. leases.Select(x => KernelOf(x.Target)).Distinct(StringComparer.Ordinal)];
    }

    private Mitigation Show(LeaseSet<int>.Lease lease) => new()
    {
        Id = $"kernel-{(IsPause(lease.Target) ? Pause : Throttle)}:{KernelOf(lease.Target)}:{lease.Owner}",
        Target = "kernel/" + KernelOf(lease.Target),
        Effect = IsPause(lease.Target) ? Pause : $"{Throttle} to {lease.Effect} %",
        Owner = lease.Owner, Reason = lease.Reason, Node = node, Since = lease.Since, Until = lease.Until,
    };

    private static string Target(string kernel, bool pause) => $"{(pause ? Pause : Throttle)}/{kernel}";

    private static bool IsPause(string target) => target.StartsWith(Pause + "/", StringComparison.Ordinal);

    private static string KernelOf(string target) => target[(target.IndexOf('/', StringComparison.Ordinal) + 1)..];
}
