using Guardian.Playbooks;

namespace Guardian.Actors.Guards;

/// <summary>Names of guards. Each is an entity of its own.</summary>
internal static class GuardNames
{
    /// <summary>Quotas of scope cluster, and the blast radius.</summary>
    public const string Cluster = "cluster";

    /// <summary>Quotas of scope playbook, and the circuit breaker.</summary>
    public static string Playbook(string name) => "playbook/" + name;

    /// <summary>A lock by its text.</summary>
    public static string Lock(string text) => "lock/" + text;
}

// Commands, to the shard region; the entity is the SHA-256 of the guard's name.

/// <summary>A message for one guard.</summary>
internal interface IGuardMessage : IGuardianMessage
{
    string Guard { get; }
}

/// <summary>A quota as it is asked for.</summary>
internal sealed record GuardQuota(int Count, TimeSpan Per);

/// <summary>A circuit breaker as it is asked for.</summary>
internal sealed record GuardBreaker(int Failures, TimeSpan Within);

/// <summary>
/// A run asks before it acts, and again to renew its lease. Answer: <see cref="GuardAnswer"/>. Idempotent by run: it is counted once;
/// a smaller epoch than the greatest seen of the run is refused.
/// </summary>
internal sealed record AskGuard : IGuardMessage
{
    public required string Guard { get; init; }
    public required string RunId { get; init; }
    public required long Epoch { get; init; }
    public required string Playbook { get; init; }

    /// <summary>True: one run at a time.</summary>
    public bool Exclusive { get; init; }

    public IReadOnlyList<GuardQuota> Quotas { get; init; } = [];
    public GuardBreaker? Breaker { get; init; }
}

/// <summary>
/// A run asks what a step may hold, and says later until when it does. Answer: <see cref="TargetsAnswer"/>. Idempotent by run and step.
/// </summary>
internal sealed record ReserveTargets : IGuardMessage
{
    public string Guard => GuardNames.Cluster;
    public required string RunId { get; init; }
    public required long Epoch { get; init; }
    public required string StepId { get; init; }
    public required IReadOnlyList<string> Principals { get; init; }
    public required IReadOnlyList<string> Kernels { get; init; }

    /// <summary>Length of the effect's lease, which outlives the run; null: as long as the run.</summary>
    public TimeSpan? For { get; init; }

    /// <summary>End of the lease of an effect that is there: a fact, which no limit refuses. Null while the step only asks.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Principals that runs may hold at once, this step included; null: no bound.</summary>
    public int? PrincipalLimit { get; init; }

    /// <summary>Kernels likewise.</summary>
    public int? KernelLimit { get; init; }
}

/// <summary>A run is over. Answer: <see cref="GuardReleased"/>; repeated until then.</summary>
internal sealed record ReleaseGuard : IGuardMessage
{
    public required string Guard { get; init; }
    public required string RunId { get; init; }
    public required long Epoch { get; init; }

    /// <summary>True where the run escalated; the breaker counts it.</summary>
    public bool Failed { get; init; }

    public GuardBreaker? Breaker { get; init; }

    /// <summary>Steps whose effect is still there: what they hold counts until its lease ends.</summary>
    public IReadOnlyList<string> Keeps { get; init; } = [];
}

/// <summary>An operator closes the circuit breaker of a playbook again. Answer: <see cref="BreakerAnswer"/>.</summary>
internal sealed record ResetBreaker : IGuardMessage
{
    public string Guard => GuardNames.Playbook(Playbook);
    public required string Playbook { get; init; }
    public required string By { get; init; }
    public string Reason { get; init; } = "";
}

/// <summary>What a guard knows. Answer: <see cref="GuardStatus"/>.</summary>
internal sealed record GetGuard : IGuardMessage
{
    public required string Guard { get; init; }
}

// Replies

/// <summary>A guard's word on a run.</summary>
internal sealed record GuardAnswer : IGuardianMessage
{
    public required string Guard { get; init; }
    public required string RunId { get; init; }
    public required long Epoch { get; init; }
    public required bool Granted { get; init; }

    /// <summary>Where granted: containment alone may act, and the reason says why.</summary>
    public bool ContainmentOnly { get; init; }

    public string? Reason { get; init; }
}

/// <summary>The blast radius' word on a step.</summary>
internal sealed record TargetsAnswer : IGuardianMessage
{
    public required string RunId { get; init; }
    public required string StepId { get; init; }
    public required long Epoch { get; init; }
    public required bool Granted { get; init; }
    public string? Reason { get; init; }
}

/// <summary>The guard does not hold the run any more.</summary>
internal sealed record GuardReleased(string Guard, string RunId) : IGuardianMessage;

/// <summary>Answer to <see cref="ResetBreaker"/>; not done where it is closed.</summary>
internal sealed record BreakerAnswer(bool Done, string? Reason = null) : IGuardianMessage;

/// <summary>What a guard knows at this moment.</summary>
internal sealed record GuardStatus : IGuardianMessage
{
    public required string Guard { get; init; }

    /// <summary>Runs with a lease.</summary>
    public required IReadOnlyList<string> Runs { get; init; }

    public required int Principals { get; init; }
    public required int Kernels { get; init; }

    /// <summary>Why the breaker is open; null while it is closed.</summary>
    public string? BreakerOpen { get; init; }

    public DateTimeOffset? BreakerOpenSince { get; init; }
}

// Events

/// <summary>A fact of a guard's history. The entity's persistence id is <c>guard-&lt;sha256 of its name&gt;</c>.</summary>
internal abstract record GuardEvent : IGuardianMessage
{
    public required DateTimeOffset At { get; init; }
}

/// <summary>A run has a lease.</summary>
internal sealed record GuardGranted : GuardEvent
{
    public required string RunId { get; init; }
    public required long Epoch { get; init; }
    public required string Playbook { get; init; }
    public bool ContainmentOnly { get; init; }
    public string? Reason { get; init; }
}

/// <summary>A run has none any more.</summary>
internal sealed record GuardLeft : GuardEvent
{
    public required string RunId { get; init; }

    /// <summary>True where it ended in escalation.</summary>
    public bool Failed { get; init; }

    /// <summary>True where it did not renew its lease in time.</summary>
    public bool Lapsed { get; init; }

    public IReadOnlyList<string> Keeps { get; init; } = [];
}

/// <summary>A step may hold these; of the same run and step the last one counts.</summary>
internal sealed record TargetsReserved : GuardEvent
{
    public required string RunId { get; init; }
    public required string StepId { get; init; }
    public required IReadOnlyList<string> Principals { get; init; }
    public required IReadOnlyList<string> Kernels { get; init; }

    /// <summary>End of the effect's lease; null: as long as the run.</summary>
    public DateTimeOffset? Until { get; init; }
}

/// <summary>The circuit breaker opened.</summary>
internal sealed record BreakerOpened : GuardEvent
{
    public required string Reason { get; init; }
}

/// <summary>An operator closed it.</summary>
internal sealed record BreakerReset : GuardEvent
{
    public required string By { get; init; }
    public required string Reason { get; init; }
}
