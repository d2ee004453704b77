using System.Text.Json;
using System.Text.Json.Serialization;

namespace Guardian.Playbooks.Planning;

/// <summary>What a playbook would do for a described incident, and why. Nothing of it was carried out.</summary>
public sealed record RunPlan
{
    /// <summary>The playbook.</summary>
    public required string Playbook { get; init; }

    /// <summary>Its version.</summary>
    public required int Version { get; init; }

    /// <summary>SHA-256 of its definition.</summary>
    public required string Hash { get; init; }

    /// <summary>The incident's type.</summary>
    public required string Event { get; init; }

    /// <summary>The incident's fields, those that were filled in included.</summary>
    public required JsonElement Incident { get; init; }

    /// <summary>True where a trigger fits.</summary>
    public required bool Starts { get; init; }

    /// <summary>The clause that decides it, with the values that it saw.</summary>
    public required string Because { get; init; }

    /// <summary>A hold in force: nothing would be done until it ends.</summary>
    public string? Held { get; init; }

    /// <summary>What may stop, delay or narrow a run, one a line.</summary>
    public required IReadOnlyList<string> Guards { get; init; }

    /// <summary>Bound on the whole run.</summary>
    public required string Timeout { get; init; }

    /// <summary>The steps in order.</summary>
    public required IReadOnlyList<PlannedStep> Steps { get; init; }

    /// <summary>What must hold in the end.</summary>
    public required IReadOnlyList<PlannedCheck> Verify { get; init; }

    /// <summary>Steps at the end, whatever the end is.</summary>
    public required IReadOnlyList<PlannedStep> Finally { get; init; }

    /// <summary>What starts an undo.</summary>
    public required IReadOnlyList<string> RollbackOn { get; init; }
}

/// <summary>A step of a plan.</summary>
public sealed record PlannedStep
{
    /// <summary>Its id.</summary>
    public required string Id { get; init; }

    /// <summary>Its action.</summary>
    public required string Action { get; init; }

    /// <summary>
    /// <c>runs</c>, <c>skipped</c>, <c>awaits_approval</c>, <c>observed</c> (recorded only), <c>depends</c> (on what an earlier step returns)
    /// or <c>fails</c> (its input has no value).
    /// </summary>
    public required string Decision { get; init; }

    /// <summary>Why, with the condition and the values that it saw.</summary>
    public required string Because { get; init; }

    /// <summary>The rendered input; what only a run knows stands as <c>${…}</c>, secrets as their names.</summary>
    public JsonElement? Input { get; init; }

    /// <summary>none, contain, disrupt or destroy.</summary>
    public required string Risk { get; init; }

    /// <summary>How far it may act, and what decides that.</summary>
    public required string Autonomy { get; init; }

    /// <summary>Where it is carried out.</summary>
    public required string Target { get; init; }

    /// <summary>How it is taken back; <c>none</c> where it is not.</summary>
    public required string Undo { get; init; }

    /// <summary>Ends of a run, besides cancel, that take it back.</summary>
    public IReadOnlyList<string> UndoOn { get; init; } = [];

    /// <summary>Attempts, bound on each, and what a failure does.</summary>
    public required string Attempts { get; init; }

    /// <summary>What is measured just before it and lets it be skipped; null: nothing.</summary>
    public string? SkipWhen { get; init; }
}

/// <summary>A verification of a plan.</summary>
public sealed record PlannedCheck
{
    /// <summary>Its id.</summary>
    public required string Id { get; init; }

    /// <summary>Its probe.</summary>
    public required string Probe { get; init; }

    /// <summary>The probe's rendered input.</summary>
    public JsonElement? Input { get; init; }

    /// <summary>What must hold.</summary>
    public required string Check { get; init; }

    /// <summary>How often, how many times in a row, within what time.</summary>
    public required string Pace { get; init; }
}

/// <summary>Whether a playbook would start for an incident.</summary>
public sealed record PlaybookMatch
{
    /// <summary>The playbook.</summary>
    public required string Playbook { get; init; }

    /// <summary>Its version.</summary>
    public required int Version { get; init; }

    /// <summary>True where one of its clauses holds.</summary>
    public required bool Matches { get; init; }

    /// <summary>True for the one that would run: the first by name that matches and is enabled.</summary>
    public required bool Chosen { get; init; }

    /// <summary>False where an operator disabled it.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Each trigger and what came of it.</summary>
    public required IReadOnlyList<ClauseMatch> Clauses { get; init; }
}

/// <summary>One trigger's verdict.</summary>
/// <param name="Event">The incident type that it waits for.</param>
/// <param name="When">Its condition; null: none.</param>
/// <param name="Holds">True where it fits.</param>
/// <param name="Because">Why, with the values that it saw.</param>
public sealed record ClauseMatch(string Event, string? When, bool Holds, string Because);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RunPlan))]
[JsonSerializable(typeof(IReadOnlyList<PlaybookMatch>), TypeInfoPropertyName = "Matches")]
internal sealed partial class PlanningJson : JsonSerializerContext;
