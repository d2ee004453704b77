using System.Globalization;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Guards;

/// <summary>What a guard answers, and what it persists first.</summary>
internal readonly record struct GuardDecision(IReadOnlyList<GuardEvent> Events, object Answer);

/// <summary>
/// Decides for one guard. Pure: <c>now</c> is UTC and counts quotas and failures, <c>tick</c> is monotonic and ends leases. A lease is renewed in
/// memory alone; after a restart of the guard every lease in the journal has its full length again, time enough for its run to say so.
/// </summary>
internal sealed class GuardBook(TimeSpan started)
{
    /// <summary>Four renewals fit in: a run that moves to another node after a crash is back within this.</summary>
    public static readonly TimeSpan LeaseLength = TimeSpan.FromMinutes(2);

    /// <summary>Runs that left; a late question of one of them is refused.</summary>
    private const int MaxLeft = 1_000;

    private readonly Dictionary<string, TimeSpan> _renewed = new(StringComparer.Ordinal);
    private readonly HashSet<string> _left = new(StringComparer.Ordinal);

    public GuardState State { get; private set; } = GuardState.Empty;

    public void Restore(GuardState state) => State = state;

    public void Apply(GuardEvent e, TimeSpan tick)
    {
        State = State.Apply(e);
        if (e is GuardGranted granted) _renewed[granted.RunId] = tick;
        if (e is not GuardLeft left) return;
        _renewed.Remove(left.RunId);
        if (_left.Count >= MaxLeft) _left.Clear();
        if (!left.Lapsed) _left.Add(left.RunId);
    }

    public GuardDecision Ask(AskGuard ask, DateTimeOffset now, TimeSpan tick)
    {
        var lease = State.LeaseOf(ask.RunId);
        if (lease?.Epoch > ask.Epoch) return Answer(ask, false, $"epoch {ask.Epoch} of {ask.RunId} is over; {lease.Epoch} has taken its place");
        if (lease is null && _left.Contains(ask.RunId)) return Answer(ask, false, $"run {ask.RunId} is over");
        if (ask.Exclusive && State.Leases.FirstOrDefault(x => x.RunId != ask.RunId && IsAlive(x.RunId, tick)) is { } holder)
            return Answer(ask, false, string.Create(CultureInfo.InvariantCulture, $"{ask.Guard} is held by run {holder.RunId} of {holder.Playbook} since {holder.Since:O}"));

        var reason = lease is null ? Narrowed(ask, now) : lease.Reason;
        var only = lease is null ? reason is not null : lease.ContainmentOnly;
        var answer = Answer(ask, true, reason, only).Answer;
        if (lease?.Epoch == ask.Epoch)
        {
            _renewed[ask.RunId] = tick;
            return new([], answer);
        }

        // The lock of a run that did not renew falls to the next one.
        List<GuardEvent> events = ask.Exclusive ? [.. State.Leases.Where(x => x.RunId != ask.RunId).Select(x => Lapse(x, now))] : [];
        events.Add(new GuardGranted { At = now, RunId = ask.RunId, Epoch = ask.Epoch, Playbook = ask.Playbook, ContainmentOnly = only, Reason = reason });
        return new(events, answer);
    }

    public GuardDecision Reserve(ReserveTargets x, DateTimeOffset now, TimeSpan tick)
    {
        if (State.LeaseOf(x.RunId)?.Epoch > x.Epoch) return Answer(x, $"epoch {x.Epoch} of {x.RunId} is over");
        var known = State.Holdings.FirstOrDefault(h => h.RunId == x.RunId && h.StepId == x.StepId);
        if (x.Until is { } until)
        {
            var late = _left.Contains(x.RunId) || (known is null && until <= now);
            return late || known?.Until == until ? Answer(x, null) : Reserved(x, until, now);
        }

        if (known is not null) return Answer(x, null);
        GuardHolding[] alive = [.. Alive(now, tick)];
        if (Over(alive.SelectMany(h => h.Principals), x.Principals, x.PrincipalLimit, "principals") is { } principals) return Answer(x, principals);
        if (Over(alive.SelectMany(h => h.Kernels), x.Kernels, x.KernelLimit, "kernels") is { } kernels) return Answer(x, kernels);
        return Reserved(x, now + x.For, now);
    }

    public GuardDecision Release(ReleaseGuard x, DateTimeOffset now)
    {
        var answer = new GuardReleased(x.Guard, x.RunId);
        var lease = State.LeaseOf(x.RunId);
        if (lease?.Epoch > x.Epoch || (lease is null && !State.Holdings.Any(h => h.RunId == x.RunId && !(h.Until is not null && x.Keeps.Contains(h.StepId))))) return new([], answer);
        var failed = x.Failed && lease is { ContainmentOnly: false };
        List<GuardEvent> events = [new GuardLeft { At = now, RunId = x.RunId, Failed = failed, Keeps = x.Keeps }];
        if (failed && State.Open is null && x.Breaker is { } breaker && State.Failures.Count(f => f > now - breaker.Within) + 1 >= breaker.Failures)
        {
            events.Add(new BreakerOpened
            {
                At = now, Reason = string.Create(CultureInfo.InvariantCulture, $"{breaker.Failures} runs escalated within {new Duration(breaker.Within)}, the last was {x.RunId}"),
            });
        }

        return new(events, answer);
    }

    public GuardDecision Reset(ResetBreaker x, DateTimeOffset now) => State.Open is null
        ? new([], new BreakerAnswer(false, $"the circuit breaker of {x.Playbook} is closed"))
        : new([new BreakerReset { At = now, By = x.By, Reason = x.Reason }], new BreakerAnswer(true));

    /// <summary>Leases that nobody renewed.</summary>
    public IReadOnlyList<GuardEvent> Sweep(DateTimeOffset now, TimeSpan tick) => [.. State.Leases.Where(x => !IsAlive(x.RunId, tick)).Select(x => Lapse(x, now))];

    public GuardStatus Status(string guard, DateTimeOffset now, TimeSpan tick)
    {
        GuardHolding[] alive = [.. Alive(now, tick)];
        return new GuardStatus
        {
            Guard = guard,
            Runs = [.. State.Leases.Where(x => IsAlive(x.RunId, tick)).Select(x => x.RunId)],
            Principals = alive.SelectMany(x => x.Principals).Distinct(StringComparer.Ordinal).Count(),
            Kernels = alive.SelectMany(x => x.Kernels).Distinct(StringComparer.Ordinal).Count(),
            BreakerOpen = State.Open?.Reason,
            BreakerOpenSince = State.Open?.At,
        };
    }

    private string? Narrowed(AskGuard ask, DateTimeOffset now)
    {
        if (ask.Breaker is not null && State.Open is { } open)
            return string.Create(CultureInfo.InvariantCulture, $"circuit breaker of {ask.Playbook} open since {open.At:O}, {open.Reason}; an operator resets it");
        foreach (var quota in ask.Quotas)
        {
            var runs = State.Starts.Count(x => x > now - quota.Per);
            if (runs >= quota.Count) return string.Create(CultureInfo.InvariantCulture, $"{runs} runs within {new Duration(quota.Per)} use up the quota of {quota.Count} of {ask.Guard}");
        }

        return null;
    }

    private IEnumerable<GuardHolding> Alive(DateTimeOffset now, TimeSpan tick) =>
        State.Holdings.Where(x => x.Until is { } until ? now < until : IsAlive(x.RunId, tick));

    private static string? Over(IEnumerable<string> held, IReadOnlyList<string> more, int? limit, string what)
    {
        if (limit is not { } most || more.Count == 0) return null;
        var before = held.ToHashSet(StringComparer.Ordinal);
        var after = before.Union(more).Count();
        return after <= most || after == before.Count ? null
            : string.Create(CultureInfo.InvariantCulture, $"blast radius: runs hold {before.Count} {what}, {after - before.Count} more would pass the {most} that may be held at once");
    }

    private bool IsAlive(string runId, TimeSpan tick) => tick - _renewed.GetValueOrDefault(runId, started) < LeaseLength;

    private static GuardLeft Lapse(GuardLease lease, DateTimeOffset now) => new() { At = now, RunId = lease.RunId, Lapsed = true };

    private static GuardDecision Answer(AskGuard ask, bool granted, string? reason, bool only = false) => new([], new GuardAnswer
    {
        Guard = ask.Guard, RunId = ask.RunId, Epoch = ask.Epoch, Granted = granted, ContainmentOnly = only, Reason = reason,
    });

    private static GuardDecision Reserved(ReserveTargets x, DateTimeOffset? until, DateTimeOffset now) => new(
        [new TargetsReserved { At = now, RunId = x.RunId, StepId = x.StepId, Principals = x.Principals, Kernels = x.Kernels, Until = until }], Answer(x, null).Answer);

    private static GuardDecision Answer(ReserveTargets x, string? refusal) =>
        new([], new TargetsAnswer { RunId = x.RunId, StepId = x.StepId, Epoch = x.Epoch, Granted = refusal is null, Reason = refusal });
}
