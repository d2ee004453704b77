using Akka.Actor;
using Guardian.Playbooks;

namespace Guardian.Actors.Kernels;

// Commands to the KernelSupervisor, for a pool

/// <summary>Gives a pool a job. Answered with <see cref="JobAnswer"/> once it is in the journal, or refused.</summary>
internal sealed record SubmitJob : INoSerializationVerificationNeeded
{
    public required string Kernel { get; init; }

    /// <summary>A declared command; null where the pool has one alone, or a handler.</summary>
    public string? Command { get; init; }

    /// <summary>Given to the command on its standard input, or to the handler. At most <see cref="MaxPayload"/> characters.</summary>
    public string Payload { get; init; } = "";

    /// <summary>0 to 9, the higher the sooner.</summary>
    public required int Priority { get; init; }

    /// <summary>Who asks.</summary>
    public required string By { get; init; }

    /// <summary>A job is a few fields; whatever is longer belongs into a file that the job names.</summary>
    public const int MaxPayload = 16 * 1024;
}

/// <summary>Answer: <see cref="JobAnswer"/>.</summary>
internal sealed record GetJob(string Kernel, string Id) : INoSerializationVerificationNeeded;

/// <summary>Jobs that are remembered, the newest first. Answer: <see cref="JobAnswer"/> with <see cref="JobAnswer.Jobs"/>.</summary>
/// <param name="Kernel">The pool.</param>
/// <param name="State">Only those in this state; null: all.</param>
/// <param name="Limit">At most so many.</param>
internal sealed record ListJobs(string Kernel, JobState? State, int Limit) : INoSerializationVerificationNeeded;

/// <summary>One more attempt for a job that is over without success. Answer: <see cref="JobAnswer"/>.</summary>
/// <param name="Kernel">The pool.</param>
/// <param name="Id">The job.</param>
/// <param name="By">Who asks.</param>
internal sealed record RetryJob(string Kernel, string Id, string By) : INoSerializationVerificationNeeded;

/// <summary>A pool's heart beats.</summary>
internal sealed record JobsBeat : INoSerializationVerificationNeeded
{
    public static readonly JobsBeat Instance = new();
}

/// <summary>The job, or why there is none.</summary>
internal sealed record JobAnswer : INoSerializationVerificationNeeded
{
    public JobView? Job { get; init; }

    /// <summary>Of <see cref="ListJobs"/>.</summary>
    public IReadOnlyList<JobView> Jobs { get; init; } = [];

    /// <summary>not_found, invalid, full or stopping.</summary>
    public string? Refusal { get; init; }

    public string? Reason { get; init; }
}

/// <summary>State of a job.</summary>
internal enum JobState
{
    Queued,
    Running,
    Succeeded,

    /// <summary>The last attempt failed, or what became of it is not known.</summary>
    Failed,
    TimedOut,
}

/// <summary>One job as it is now.</summary>
internal sealed record JobView
{
    public required string Id { get; init; }
    public required string Kernel { get; init; }
    public string? Command { get; init; }
    public required int Priority { get; init; }
    public required JobState State { get; init; }
    public required DateTimeOffset AcceptedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Attempts begun.</summary>
    public required int Attempt { get; init; }
    public int? ExitCode { get; init; }

    /// <summary>The last 4 KiB of what it wrote.</summary>
    public string? Output { get; init; }
    public string? Reason { get; init; }

    /// <summary>As it was given; kept until the job succeeds, so that what fails can be looked at and tried again.</summary>
    public string Payload { get; init; } = "";
}

// Events, under the persistence id jobs-<node>-<kernel>

/// <summary>A fact of a pool's history.</summary>
public abstract record JobEvent : IGuardianMessage
{
    /// <summary>The job.</summary>
    public required string Id { get; init; }

    /// <summary>When, UTC.</summary>
    public required DateTimeOffset At { get; init; }
}

/// <summary>A job was taken on.</summary>
public sealed record JobAccepted : JobEvent
{
    /// <summary>The declared command; null for a handler.</summary>
    public string? Command { get; init; }

    /// <summary>As given.</summary>
    public string Payload { get; init; } = "";

    /// <summary>0 to 9.</summary>
    public required int Priority { get; init; }

    /// <summary>Who asked.</summary>
    public required string By { get; init; }
}

/// <summary>An attempt begins; in the journal before the effect.</summary>
public sealed record JobStarted : JobEvent
{
    /// <summary>From 1.</summary>
    public required int Attempt { get; init; }
}

/// <summary>An attempt failed and another one follows.</summary>
public sealed record JobRequeued : JobEvent
{
    /// <summary>Why.</summary>
    public required string Reason { get; init; }
}

/// <summary>A job is over.</summary>
public sealed record JobEnded : JobEvent
{
    /// <summary>succeeded, failed or timed_out.</summary>
    public required string State { get; init; }

    /// <summary>Of the command.</summary>
    public int? ExitCode { get; init; }

    /// <summary>The last 4 KiB of what it wrote.</summary>
    public string? Output { get; init; }

    /// <summary>Why, where it did not succeed.</summary>
    public string? Reason { get; init; }
}

/// <summary>A job that was over without success gets one more attempt.</summary>
public sealed record JobRetried : JobEvent
{
    /// <summary>Who asked.</summary>
    public required string By { get; init; }
}

/// <summary>A pool's jobs.</summary>
public sealed record JobsSnapshot : IGuardianMessage
{
    /// <summary>Jobs that are not over, in the order of acceptance.</summary>
    public required IReadOnlyList<JobEntry> Open { get; init; }

    /// <summary>The newest that are over, oldest first.</summary>
    public required IReadOnlyList<JobEntry> Ended { get; init; }

    /// <summary>All that were ever accepted.</summary>
    public required long Accepted { get; init; }

    /// <summary>All that were ever over.</summary>
    public required long Over { get; init; }

    /// <summary>Of them, without success.</summary>
    public long Failed { get; init; }

    /// <summary>Attempts that were followed by another one.</summary>
    public long Requeued { get; init; }
}

/// <summary>A job as its events tell it.</summary>
public sealed record JobEntry
{
    /// <summary>What was accepted.</summary>
    public required JobAccepted Accepted { get; init; }

    /// <summary>The attempt that began last.</summary>
    public JobStarted? Started { get; init; }

    /// <summary>True while an attempt is under way, as far as the journal knows.</summary>
    public bool Running { get; init; }

    /// <summary>How it ended.</summary>
    public JobEnded? Ended { get; init; }
}
