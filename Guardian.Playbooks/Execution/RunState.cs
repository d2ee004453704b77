using System.Collections.Immutable;
using System.Text.Json;

namespace Guardian.Playbooks.Execution;

/// <summary>A run as its events tell it. Independent of the playbook's file: needs no definition to be folded.</summary>
public sealed record RunState
{
    /// <summary>Before <see cref="RunStarted"/>.</summary>
    public static RunState Empty { get; } = new();

    /// <summary>The start, with everything that never changes; null before it.</summary>
    public RunStarted? Start { get; init; }

    /// <summary>Where the run is.</summary>
    public RunPhase Phase { get; init; }

    /// <summary>Grows with each takeover; 1 at the start.</summary>
    public long Epoch { get; init; }

    /// <summary>End, null while under way.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Why it holds, rolls back or ended.</summary>
    public string? Reason { get; init; }

    /// <summary>Steps in declared order (steps, then finally).</summary>
    public ImmutableList<StepState> Steps { get; init; } = [];

    /// <summary>Verifications in declared order.</summary>
    public ImmutableList<VerificationState> Verify { get; init; } = [];

    /// <summary>Lines that answer why it started and why each step was run or skipped.</summary>
    public ImmutableList<string> Explain { get; init; } = [];

    /// <summary>True once over.</summary>
    public bool Ended => Phase >= RunPhase.Resolved;

    /// <summary>The state after <paramref name="e"/>.</summary>
    public RunState Apply(RunEvent e) => throw new NotImplementedException();
}

/// <summary>A step as its events tell it.</summary>
public sealed record StepState(string Id, string Action)
{
    /// <summary>Where it is.</summary>
    public StepPhase Phase { get; init; }

    /// <summary>Attempts so far.</summary>
    public int Attempt { get; init; }

    /// <summary>First dispatch.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>Last outcome.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Input as dispatched.</summary>
    public JsonElement? Input { get; init; }

    /// <summary>Output once succeeded.</summary>
    public JsonElement? Output { get; init; }

    /// <summary>Why skipped, failed or waiting; the condition it ran under otherwise.</summary>
    public string? Reason { get; init; }

    /// <summary>pending, running, undone or failed; null where no undo was asked for.</summary>
    public string? Undo { get; init; }
}

/// <summary>A verification as its events tell it.</summary>
public sealed record VerificationState(string Id)
{
    /// <summary>null while open, then whether it passed.</summary>
    public bool? Passed { get; init; }

    /// <summary>Passes in a row up to now.</summary>
    public int Consecutive { get; init; }

    /// <summary>Last probe.</summary>
    public DateTimeOffset? ProbedAt { get; init; }

    /// <summary>Last result.</summary>
    public JsonElement? Result { get; init; }

    /// <summary>Why it did not pass.</summary>
    public string? Reason { get; init; }
}
