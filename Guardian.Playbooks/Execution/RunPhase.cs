namespace Guardian.Playbooks.Execution;

/// <summary>State of a run. Written in snake_case in JSON.</summary>
public enum RunPhase
{
    /// <summary>Started, nothing done.</summary>
    Pending,

    /// <summary>Waits: global hold or <c>holdFor</c>.</summary>
    Holding,

    /// <summary>Steps are under way.</summary>
    Running,

    /// <summary>Waits for an operator.</summary>
    AwaitingApproval,

    /// <summary>Steps are through; checks are under way.</summary>
    Verifying,

    /// <summary>Steps are being undone.</summary>
    RollingBack,

    /// <summary>Verified.</summary>
    Resolved,

    /// <summary>Undone.</summary>
    RolledBack,

    /// <summary>Handed to people.</summary>
    Escalated,

    /// <summary>Cancelled by an operator.</summary>
    Cancelled,

    /// <summary>Mode observe: recorded only.</summary>
    Observed,
}

/// <summary>State of a step. Written in snake_case in JSON.</summary>
public enum StepPhase
{
    /// <summary>Not reached.</summary>
    Pending,

    /// <summary>Dispatched.</summary>
    Running,

    /// <summary>Done.</summary>
    Succeeded,

    /// <summary>Failed for good.</summary>
    Failed,

    /// <summary>Its condition was false, or mode observe.</summary>
    Skipped,

    /// <summary>Dispatched before a crash, outcome not known yet.</summary>
    Unknown,

    /// <summary>Taken back.</summary>
    Undone,

    /// <summary>Could not be taken back.</summary>
    UndoFailed,

    /// <summary>Its last attempt ran out of time.</summary>
    TimedOut,

    /// <summary>Waits for an operator.</summary>
    AwaitingApproval,
}
