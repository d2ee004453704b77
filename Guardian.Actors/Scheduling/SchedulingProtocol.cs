using Akka.Actor;
using Guardian.Actors.Mitigations;

namespace Guardian.Actors.Scheduling;

/// <summary>How much may be begun on this node. What runs is never ended by a mode; what may not begin stays queued.</summary>
internal enum SchedulerMode
{
    Normal,

    /// <summary>Background kernels begin nothing, others use half of their workers.</summary>
    Reduced,

    /// <summary>Only critical kernels begin anything.</summary>
    CriticalOnly,
}

/// <summary>Sets or renews the owner's mode; the strictest of all owners holds. Answer: <see cref="SchedulerAnswer"/>.</summary>
internal sealed record SetSchedulerMode(SchedulerMode Mode, string Owner, string Reason, DateTimeOffset Until) : INoSerializationVerificationNeeded;

/// <summary>Lifts the owner's mode. Answer: <see cref="SchedulerAnswer"/>.</summary>
internal sealed record LiftSchedulerMode(string Owner) : INoSerializationVerificationNeeded;

/// <summary>Answer: <see cref="SchedulerAnswer"/>.</summary>
internal sealed record GetSchedulerMode : INoSerializationVerificationNeeded
{
    public static readonly GetSchedulerMode Instance = new();
}

/// <summary>The mode in force, the one before, and the leases on it.</summary>
internal sealed record SchedulerAnswer(bool Done, SchedulerMode Mode, SchedulerMode Before, IReadOnlyList<Mitigation> Leases) : INoSerializationVerificationNeeded;

/// <summary>The mode in force; written by the WorkScheduler, read by every pool before it begins a job.</summary>
internal sealed class SchedulerBoard
{
    private volatile SchedulerMode _mode;

    public SchedulerMode Mode
    {
        get => _mode;
        set => _mode = value;
    }
}

/// <summary>On the local event stream: pools look again.</summary>
internal sealed record SchedulerModeChanged(SchedulerMode Mode) : INoSerializationVerificationNeeded;
