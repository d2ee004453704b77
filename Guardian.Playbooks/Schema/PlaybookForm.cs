using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Guardian.Playbooks.Model;

namespace Guardian.Playbooks.Schema;

// The shape of a playbook's file as an editor sees it: property for property what PlaybookReader reads. A test holds the two together.

/// <summary>The form of a text, as a regular expression.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class PatternAttribute(string pattern) : Attribute
{
    public string Pattern { get; } = pattern;
}

/// <summary>The texts that a property takes.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class OnlyAttribute(params string[] values) : Attribute
{
    public IReadOnlyList<string> Values { get; } = values;
}

/// <summary>A bare expression.</summary>
internal readonly record struct ExpressionForm;

/// <summary>Filled in from the vocabulary: the definition of this name takes its place.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class DefinedAttribute(string name) : Attribute
{
    public string Name { get; } = name;
}

internal sealed record PlaybookForm
{
    [Only("guardian/v1"), Description("The format's version: guardian/v1.")]
    public required string ApiVersion { get; init; }

    [Only("Playbook"), Description("Always Playbook.")]
    public required string Kind { get; init; }

    [Description("Name, version and owner.")]
    public required MetadataForm Metadata { get; init; }

    [Description("How far this playbook may act: observe (record what would run), propose (wait for approval before each effect), enforce (act; the default).")]
    public OperatingMode? Mode { get; init; }

    [Description("Incident types that start it; the first playbook by name whose clause holds runs.")]
    public required IReadOnlyList<TriggerForm> Trigger { get; init; }

    [Description("What a recurrence does while a run is active: attach (it is counted; the default) or drop.")]
    public ConflictPolicy? OnConflict { get; init; }

    [Description("Act only if the incident still fires after this, at most 1d.")]
    public Duration? HoldFor { get; init; }

    [Description("What stops, delays or narrows runs.")]
    public GuardsForm? Guards { get; init; }

    [Description("Bound on the whole run, 1s to 1d, 5m where missing; past it the run escalates.")]
    public Duration? Timeout { get; init; }

    [Description("How waits for an operator end by themselves.")]
    public ApprovalForm? Approval { get; init; }

    [Description("Constants, vars.<name> in expressions.")]
    public IReadOnlyDictionary<string, object>? Vars { get; init; }

    [Defined("steps"), Description("The actions in order, at most 64.")]
    public required object Steps { get; init; }

    [Defined("verify"), Description("What must hold after the last step, at most 32, side by side.")]
    public object? Verify { get; init; }

    [Description("What starts an undo of the steps that declare one.")]
    public RollbackForm? Rollback { get; init; }

    [Defined("steps"), Description("Steps at the end, whatever the end is, at most 16.")]
    public object? Finally { get; init; }

    [Description("Tests of this playbook, run by 'guardian playbooks test' in virtual time.")]
    public IReadOnlyList<TestForm>? Tests { get; init; }
}

internal sealed record MetadataForm
{
    [Pattern("^[a-z0-9_.-]{1,100}$"), Description("Unique: 1 to 100 of a-z, 0-9, '_', '-', '.'.")]
    public required string Name { get; init; }

    [Range(1, int.MaxValue), Description("Grows with each change of meaning, 1 or more.")]
    public required int Version { get; init; }

    [Description("Who is asked about it.")]
    public string? Owner { get; init; }

    [Description("What it is for, in a sentence.")]
    public string? Description { get; init; }
}

internal sealed record TriggerForm
{
    [Defined("event"), Description("A registered incident type; gives 'incident' its fields.")]
    public required object Event { get; init; }

    [Description("Condition on incident; without it always.")]
    public ExpressionForm? When { get; init; }
}

internal sealed record GuardsForm
{
    [Description("No new run for the key until this long after the last one ended, at most 7d.")]
    public Duration? Cooldown { get; init; }

    [Description("Runs per period; past one of them only containment acts.")]
    public IReadOnlyList<QuotaForm>? MaxRuns { get; init; }

    [Description("Text with ${…}: of the runs in the cluster with the same text one acts at a time.")]
    public string? Lock { get; init; }

    [Description("How much runs may hold at once.")]
    public BlastRadiusForm? BlastRadius { get; init; }

    [Description("Stops a playbook whose runs escalate, until an operator resets it.")]
    public CircuitBreakerForm? CircuitBreaker { get; init; }
}

internal sealed record QuotaForm
{
    [Range(1, 10_000), Description("Runs, 1 to 10,000.")]
    public required int Count { get; init; }

    [Description("Sliding window, 1s to 7d.")]
    public required Duration Per { get; init; }

    [Description("Which runs are counted: of the key (default), of the playbook, or of the cluster.")]
    public QuotaScope? Scope { get; init; }
}

internal sealed record BlastRadiusForm
{
    [Description("Share of the declared kernels, rounded down, at least 1, e.g. 50%.")]
    public Percentage? Kernels { get; init; }

    [Range(1, 1_000_000), Description("Number of principals.")]
    public int? Principals { get; init; }
}

internal sealed record CircuitBreakerForm
{
    [Range(1, 1_000), Description("Escalated runs that open it.")]
    public required int Failures { get; init; }

    [Description("Sliding window, 1s to 7d.")]
    public required Duration Within { get; init; }

    [Only("manual"), Description("Who closes it: an operator, 'guardian playbooks reset-breaker'.")]
    public string? Reset { get; init; }
}

internal sealed record ApprovalForm
{
    [Description("A wait ends after this, shorter than the run's timeout.")]
    public required Duration Timeout { get; init; }

    [Only("reject", "approve"), Description("Then the step is skipped (reject, the default) or carried out (approve).")]
    public string? Default { get; init; }
}

internal sealed record RollbackForm
{
    [Description("Causes: step_failed, cancelled, verify_failed. Containment stays unless its step says undoOn.")]
    public IReadOnlyList<RollbackCause>? On { get; init; }

    [Only("reverse"), Description("The last step first.")]
    public string? Order { get; init; }

    [Only("escalate"), Description("People are told.")]
    public string? Then { get; init; }
}

/// <summary>What all steps have; <c>action</c>, <c>with</c> and <c>undo</c> come from the vocabulary.</summary>
internal sealed record StepForm
{
    [Pattern("^[A-Za-z_][A-Za-z0-9_]{0,63}$"), Description("Unique in the playbook; steps.<id>.<output> in later expressions.")]
    public required string Id { get; init; }

    [Description("Runs only where this holds, seen just before the step.")]
    public ExpressionForm? If { get; init; }

    [Defined("skipWhen"), Description("Measured just before the step: where the check holds the step is not needed any more.")]
    public object? SkipWhen { get; init; }

    [Description("Attempts and the waits between them.")]
    public RetryForm? Retry { get; init; }

    [Description("Bound on one attempt, 100ms to 1h, 30s where missing.")]
    public Duration? Timeout { get; init; }

    [Description("Ends of a run, besides cancel, that take a step back: resolved, step_failed, verify_failed.")]
    public IReadOnlyList<UndoCause>? UndoOn { get; init; }

    [Only("fail", "continue"), Description("What a failure does: ends the run (fail, the default) or lets it go on.")]
    public string? OnError { get; init; }

    [Pattern("^(incident\\.node|all|role:.+)$"), Description("Where: incident.node (default), all, or role:<name>.")]
    public string? On { get; init; }

    [Description("How far this step may act; the strictest of this, the playbook's, the class's and the global mode holds.")]
    public OperatingMode? Mode { get; init; }

    [Description("How its wait for an operator ends by itself.")]
    public ApprovalForm? Approval { get; init; }

    internal enum UndoCause
    {
        Resolved,
        StepFailed,
    }
}

internal sealed record RetryForm
{
    [Range(1, 20), Description("Attempts in all, 1 to 20.")]
    public required int Attempts { get; init; }

    [Only("exponential", "constant"), Description("How the wait grows; exponential where missing.")]
    public string? Backoff { get; init; }

    [Description("First wait, 200ms where missing.")]
    public Duration? Initial { get; init; }

    [Description("Longest wait, 5s where missing.")]
    public Duration? Max { get; init; }

    [Description("Spreads each wait over 50 to 100 % of itself; true where missing.")]
    public bool? Jitter { get; init; }
}

/// <summary>What all verifications have; <c>probe</c> and <c>with</c> come from the vocabulary.</summary>
internal sealed record VerifyForm
{
    [Pattern("^[A-Za-z_][A-Za-z0-9_]{0,63}$"), Description("Unique in the playbook.")]
    public required string Id { get; init; }

    [Description("What must hold of result.")]
    public required ExpressionForm Check { get; init; }

    [Description("Pause between two measurements, 500ms where missing.")]
    public Duration? Every { get; init; }

    [Range(1, 100), Description("Passes in a row that count as success, 1 where missing.")]
    public int? SucceedAfter { get; init; }

    [Description("Bound from the start of verification, 10s where missing.")]
    public Duration? Within { get; init; }
}

/// <summary>What all of <c>skipWhen</c> have.</summary>
internal sealed record SkipWhenForm
{
    [Description("What must hold of result for the step to be skipped.")]
    public required ExpressionForm Check { get; init; }

    [Description("Without an answer within this the step runs, 2s where missing.")]
    public Duration? Within { get; init; }
}

internal sealed record TestForm
{
    [Description("Unique in the playbook.")]
    public required string Name { get; init; }

    [Defined("given"), Description("The incident, and how steps and measurements end.")]
    public required object Given { get; init; }

    [Description("What is expected of the run; what is left out is not checked.")]
    public required ExpectForm Expect { get; init; }
}

/// <summary>What all of <c>given</c> have; <c>event</c> and <c>incident</c> come from the vocabulary.</summary>
internal sealed record GivenForm
{
    [Description("How far Guardian may act in this test; enforce where missing.")]
    public OperatingMode? Mode { get; init; }

    [Description("By step: succeeded, failed, unknown, no_answer, or a map of outputs; a list is one per attempt.")]
    public IReadOnlyDictionary<string, object>? Outcomes { get; init; }

    [Description("The same for the undo of steps.")]
    public IReadOnlyDictionary<string, object>? Undo { get; init; }

    [Description("By verification, or step with skipWhen: failed, or a map of results; a list is one per measurement.")]
    public IReadOnlyDictionary<string, object>? Probes { get; init; }

    [Description("By step: approved or rejected.")]
    public IReadOnlyDictionary<string, object>? Approvals { get; init; }

    [Description("An operator cancels once this step is over.")]
    public string? CancelAfter { get; init; }
}

internal sealed record ExpectForm
{
    [Description("Steps that were dispatched, in order.")]
    public IReadOnlyList<string>? Ran { get; init; }

    [Description("Steps that were skipped.")]
    public IReadOnlyList<string>? Skipped { get; init; }

    [Description("Steps that were recorded only.")]
    public IReadOnlyList<string>? Observed { get; init; }

    [Description("Steps that were taken back, in order.")]
    public IReadOnlyList<string>? Undone { get; init; }

    [Only("resolved", "rolled_back", "escalated", "cancelled", "observed"), Description("The run's end.")]
    public string? Verdict { get; init; }
}
