using System.Text.Json;
using Guardian.Playbooks.Execution;

namespace Guardian.Playbooks.Model;

/// <summary>A place in a file, both 1-based.</summary>
public readonly record struct Place(int Line, int Column);

/// <summary>A test in a playbook's own file: what is given, and what is expected of a run.</summary>
public sealed record PlaybookTest
{
    /// <summary>Unique in the playbook.</summary>
    public required string Name { get; init; }

    /// <summary>Where it stands.</summary>
    public required Place At { get; init; }

    /// <summary>The incident type that starts the run.</summary>
    public required string Event { get; init; }

    /// <summary>Fields of the incident, an object; those that every incident has are filled in where missing.</summary>
    public required JsonElement Incident { get; init; }

    /// <summary>How far Guardian may act in this test, whatever the class.</summary>
    public OperatingMode Mode { get; init; } = OperatingMode.Enforce;

    /// <summary>How steps end, by id; the last of a list holds for all further attempts. A step without one succeeds.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<ScriptedOutcome>> Outcomes { get; init; } = new Dictionary<string, IReadOnlyList<ScriptedOutcome>>();

    /// <summary>How the undo of steps ends, by id. One without succeeds.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<ScriptedOutcome>> UndoOutcomes { get; init; } = new Dictionary<string, IReadOnlyList<ScriptedOutcome>>();

    /// <summary>What is measured, by the verification's id; null is a probe that cannot measure. A verification without one passes.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<JsonElement?>> Probes { get; init; } = new Dictionary<string, IReadOnlyList<JsonElement?>>();

    /// <summary>The operator's word on steps that wait for it, by id. Without one nobody answers.</summary>
    public IReadOnlyDictionary<string, bool> Approvals { get; init; } = new Dictionary<string, bool>();

    /// <summary>An operator cancels the run once this step is over.</summary>
    public string? CancelAfter { get; init; }

    /// <summary>Ids of the steps that were dispatched, in order; null where not asked.</summary>
    public IReadOnlyList<string>? Ran { get; init; }

    /// <summary>Ids of the steps that were skipped.</summary>
    public IReadOnlyList<string>? Skipped { get; init; }

    /// <summary>Ids of the steps that were recorded only.</summary>
    public IReadOnlyList<string>? Observed { get; init; }

    /// <summary>Ids of the steps that were taken back, in order.</summary>
    public IReadOnlyList<string>? Undone { get; init; }

    /// <summary>The run's end: resolved, rolled_back, escalated, cancelled or observed.</summary>
    public RunPhase? Verdict { get; init; }
}

/// <summary>How an attempt ends in a test.</summary>
/// <param name="Kind">Null: nobody answers.</param>
/// <param name="Output">For a success: fields of its output; what is not given gets a value of its type.</param>
public sealed record ScriptedOutcome(OutcomeKind? Kind, JsonElement? Output = null);
