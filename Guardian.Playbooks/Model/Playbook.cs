using System.Text.Json;
using Guardian.Playbooks.Expressions;

namespace Guardian.Playbooks.Model;

/// <summary>A validated playbook, ready to run. Immutable.</summary>
public sealed record Playbook
{
    /// <summary>Unique name, <c>metadata.name</c>.</summary>
    public required string Name { get; init; }

    /// <summary><c>metadata.version</c>, 1 or greater.</summary>
    public required int Version { get; init; }

    /// <summary><c>metadata.owner</c>.</summary>
    public string? Owner { get; init; }

    /// <summary><c>metadata.description</c>.</summary>
    public string? Description { get; init; }

    /// <summary>The whole file's text, as a run stores it.</summary>
    public required string Definition { get; init; }

    /// <summary>SHA-256 of <see cref="Definition"/> in UTF-8, 64 lower-case hex digits.</summary>
    public required string Hash { get; init; }

    /// <summary>How far this playbook may act.</summary>
    public OperatingMode Mode { get; init; } = OperatingMode.Enforce;

    /// <summary>What starts it; at least one.</summary>
    public required IReadOnlyList<Trigger> Triggers { get; init; }

    /// <summary>What a recurrence does while a run for the key is active.</summary>
    public ConflictPolicy OnConflict { get; init; } = ConflictPolicy.Attach;

    /// <summary>Act only if the incident still fires after this long.</summary>
    public TimeSpan HoldFor { get; init; }

    /// <summary>What bounds its acting.</summary>
    public Guards Guards { get; init; } = Guards.None;

    /// <summary>How steps that wait for an operator end by themselves, where a step says nothing else; null: they wait until the run's time-out.</summary>
    public Approval? Approval { get; init; }

    /// <summary>Bound on the whole run; past it the run escalates.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Constants of the playbook, <c>vars.…</c>.</summary>
    public IReadOnlyDictionary<string, JsonElement> Vars { get; init; } = new Dictionary<string, JsonElement>();

    /// <summary>The steps in order; at least one.</summary>
    public required IReadOnlyList<Step> Steps { get; init; }

    /// <summary>All must pass for the run to be resolved.</summary>
    public IReadOnlyList<Verification> Verify { get; init; } = [];

    /// <summary>What starts an undo of the steps that declare one. Containment stays unless its step says otherwise.</summary>
    public IReadOnlyList<RollbackCause> RollbackOn { get; init; } = [RollbackCause.StepFailed, RollbackCause.Cancelled];

    /// <summary>What follows an undo that took back everything it should.</summary>
    public RollbackEnd RollbackThen { get; init; }

    /// <summary>Steps carried out at the end, whatever the end is.</summary>
    public IReadOnlyList<Step> Finally { get; init; } = [];

    /// <summary>The tests in its file.</summary>
    public IReadOnlyList<PlaybookTest> Tests { get; init; } = [];

    /// <summary>Path of its file as given.</summary>
    public string File { get; init; } = "";

    /// <summary>Where its steps and verifications stand, by id; its name is under the empty id.</summary>
    public IReadOnlyDictionary<string, Place> Places { get; init; } = new Dictionary<string, Place>();
}

/// <summary>An event that starts the playbook, with its condition.</summary>
/// <param name="Event">A registered incident type.</param>
/// <param name="When">Condition on <c>incident</c>; null is always.</param>
public sealed record Trigger(string Event, CompiledExpression? When);

/// <summary>How often and how a step is tried again.</summary>
/// <param name="Attempts">1 to 20.</param>
/// <param name="Exponential">Doubles the wait each time; else constant.</param>
/// <param name="Initial">First wait.</param>
/// <param name="Max">Longest wait.</param>
/// <param name="Jitter">Spreads each wait over 50 to 100 % of itself, from the run's seed.</param>
public sealed record RetryPolicy(int Attempts, bool Exponential, TimeSpan Initial, TimeSpan Max, bool Jitter)
{
    /// <summary>One attempt.</summary>
    public static RetryPolicy Once { get; } = new(1, false, TimeSpan.Zero, TimeSpan.Zero, false);
}

/// <summary>A check after the last step.</summary>
public sealed record Verification
{
    /// <summary>Unique in the playbook.</summary>
    public required string Id { get; init; }

    /// <summary>A registered probe.</summary>
    public required string Probe { get; init; }

    /// <summary>Its input.</summary>
    public required Template With { get; init; }

    /// <summary>Condition on <c>result</c>.</summary>
    public required CompiledExpression Check { get; init; }

    /// <summary>Pause between two probes.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Consecutive passes that count as success, 1 to 100.</summary>
    public int SucceedAfter { get; init; } = 1;

    /// <summary>Bound from the start of verification; past it this verification failed.</summary>
    public TimeSpan Within { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>What a recurrence does while a run is active.</summary>
public enum ConflictPolicy
{
    /// <summary>It is counted on the open incident.</summary>
    Attach,

    /// <summary>It is dropped, and the drop is counted.</summary>
    Drop,
}

/// <summary>What follows an undo after a failure.</summary>
public enum RollbackEnd
{
    /// <summary>People are told; the incident stays open as escalated.</summary>
    Escalate,

    /// <summary>The run ends as rolled_back and so does its incident. Where nothing was to be undone, or an undo failed, people are told all the same.</summary>
    End,
}

/// <summary>What starts an undo.</summary>
public enum RollbackCause
{
    /// <summary>A step failed for good.</summary>
    StepFailed,

    /// <summary>The run was cancelled.</summary>
    Cancelled,

    /// <summary>A verification failed.</summary>
    VerifyFailed,
}
