using Guardian.Playbooks.Expressions;

namespace Guardian.Playbooks.Model;

/// <summary>One action of a playbook.</summary>
public sealed record Step
{
    /// <summary>Unique in the playbook.</summary>
    public required string Id { get; init; }

    /// <summary>A registered action.</summary>
    public required string Action { get; init; }

    /// <summary>Its input, rendered just before dispatch.</summary>
    public required Template With { get; init; }

    /// <summary>Runs only where true; null is always.</summary>
    public CompiledExpression? If { get; init; }

    /// <summary>Attempts and back-off.</summary>
    public RetryPolicy Retry { get; init; } = RetryPolicy.Once;

    /// <summary>Bound on one attempt.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Not run where this holds, measured just before it; null: not measured.</summary>
    public SkipCondition? SkipWhen { get; init; }

    /// <summary>How it is taken back; null: it is not.</summary>
    public StepUndo? Undo { get; init; }

    /// <summary>Ends of a run at which a containment step is undone besides cancel: subset of resolved, step_failed, verify_failed.</summary>
    public IReadOnlyList<string> UndoOn { get; init; } = [];

    /// <summary>True for <c>onError: continue</c>.</summary>
    public bool ContinueOnError { get; init; }

    /// <summary>Where it is carried out.</summary>
    public StepTarget On { get; init; } = StepTarget.IncidentNode;

    /// <summary>How far this step may act; the strictest of this, the playbook's, the class's and the global mode holds.</summary>
    public OperatingMode Mode { get; init; } = OperatingMode.Enforce;

    /// <summary>How its wait for an operator ends by itself; null: as the playbook says.</summary>
    public Approval? Approval { get; init; }

    /// <summary>True where a later step's condition looks at <c>steps.&lt;id&gt;.outcome</c>: a target that is gone is then no failure.</summary>
    public bool OutcomeIsUsed { get; init; }
}

/// <summary>A measurement just before a step: where the check holds, the step is not needed any more.</summary>
public sealed record SkipCondition
{
    /// <summary>A registered probe.</summary>
    public required string Probe { get; init; }

    /// <summary>Its input.</summary>
    public required Template With { get; init; }

    /// <summary>Condition on <c>result</c>.</summary>
    public required CompiledExpression Check { get; init; }

    /// <summary>Without an answer within this the step runs: unknown is not calm.</summary>
    public TimeSpan Within { get; init; } = TimeSpan.FromSeconds(2);
}

/// <summary>How a step is taken back: by its action's inverse, or by another action.</summary>
/// <param name="Action">The action; null: the step's own action has an inverse (<c>undo: auto</c>).</param>
/// <param name="With">That action's input, rendered when the undo begins; null for <c>auto</c>.</param>
public sealed record StepUndo(string? Action, Template? With)
{
    /// <summary><c>undo: auto</c>.</summary>
    public static StepUndo Auto { get; } = new(null, null);
}

/// <summary>Where a step is carried out.</summary>
/// <param name="Kind">One node, all, or those with a role.</param>
/// <param name="Role">The role; null unless <see cref="TargetKind.Role"/>.</param>
public sealed record StepTarget(TargetKind Kind, string? Role = null)
{
    /// <summary><c>incident.node</c>, the default.</summary>
    public static StepTarget IncidentNode { get; } = new(TargetKind.IncidentNode);

    /// <summary><c>all</c>.</summary>
    public static StepTarget All { get; } = new(TargetKind.All);

    /// <summary>True where it is carried out once per node.</summary>
    public bool Many => Kind != TargetKind.IncidentNode;

    /// <inheritdoc/>
    public override string ToString() => Kind switch { TargetKind.All => "all", TargetKind.Role => "role:" + Role, _ => "incident.node" };
}

/// <summary>Which nodes a step is for.</summary>
public enum TargetKind
{
    /// <summary>The node where the incident was seen.</summary>
    IncidentNode,

    /// <summary>Every node.</summary>
    All,

    /// <summary>Every node with a role.</summary>
    Role,
}

/// <summary>How a wait for an operator ends by itself.</summary>
/// <param name="Timeout">After this.</param>
/// <param name="Approve">True: the step is then carried out; false: it is skipped.</param>
public sealed record Approval(TimeSpan Timeout, bool Approve);
