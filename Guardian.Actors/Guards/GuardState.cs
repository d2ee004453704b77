using Guardian.Playbooks;

namespace Guardian.Actors.Guards;

/// <summary>A run's lease as the journal has it.</summary>
internal sealed record GuardLease(string RunId, long Epoch, string Playbook, DateTimeOffset Since, bool ContainmentOnly, string? Reason);

/// <summary>What a step holds.</summary>
internal sealed record GuardHolding(string RunId, string StepId, IReadOnlyList<string> Principals, IReadOnlyList<string> Kernels, DateTimeOffset? Until);

/// <summary>A guard as its events tell it; also its snapshot. What is older than the longest window falls out.</summary>
internal sealed record GuardState : IGuardianMessage
{
    /// <summary>Longest window that a playbook may ask for.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(7);

    /// <summary>Largest quota that a playbook may ask for.</summary>
    private const int MaxTimes = 10_000;

    public static GuardState Empty { get; } = new();

    public IReadOnlyList<GuardLease> Leases { get; init; } = [];

    /// <summary>Starts of runs that may take every step.</summary>
    public IReadOnlyList<DateTimeOffset> Starts { get; init; } = [];

    public IReadOnlyList<DateTimeOffset> Failures { get; init; } = [];

    public IReadOnlyList<GuardHolding> Holdings { get; init; } = [];

    public BreakerOpened? Open { get; init; }

    /// <summary>True where nothing depends on it but the windows that look back.</summary>
    public bool IsQuiet(DateTimeOffset now) => Leases.Count == 0 && Open is null && Holdings.All(x => x.Until <= now);

    public GuardLease? LeaseOf(string runId) => Leases.FirstOrDefault(x => x.RunId == runId);

    public GuardState Apply(GuardEvent e) => e switch
    {
        GuardGranted x => this with
        {
            Leases = [.. Leases.Where(l => l.RunId != x.RunId), new GuardLease(x.RunId, x.Epoch, x.Playbook, LeaseOf(x.RunId)?.Since ?? x.At, x.ContainmentOnly, x.Reason)],
            Starts = x.ContainmentOnly || LeaseOf(x.RunId) is not null ? Starts : Add(Starts, x.At),
        },
        GuardLeft x => this with
        {
            Leases = [.. Leases.Where(l => l.RunId != x.RunId)],
            Failures = x.Failed ? Add(Failures, x.At) : Failures,
            Holdings = [.. Holdings.Where(h => h.Until is null || h.Until > x.At).Where(h => h.RunId != x.RunId || (h.Until is not null && (x.Lapsed || x.Keeps.Contains(h.StepId))))],
        },
        TargetsReserved x => this with { Holdings = [.. Holdings.Where(h => h.RunId != x.RunId || h.StepId != x.StepId), new GuardHolding(x.RunId, x.StepId, x.Principals, x.Kernels, x.Until)] },
        BreakerOpened x => this with { Open = x },
        BreakerReset => this with { Open = null, Failures = [] },
        _ => this,
    };

    private static IReadOnlyList<DateTimeOffset> Add(IReadOnlyList<DateTimeOffset> times, DateTimeOffset at) =>
        [.. times.Where(x => x > at - Longest).TakeLast(MaxTimes - 1), at];
}
