using System.Text.Json;
using Guardian.Playbooks.Model;

namespace Guardian.Playbooks.Execution;

/// <summary>What a run sees of the world when it decides. Made anew for each decision.</summary>
/// <param name="Now">Present time, UTC.</param>
/// <param name="Incident">The incident's live fields, an object; <c>violations</c> is the count at this moment.</param>
/// <param name="Held">Reason of a hold in force; null when none.</param>
/// <param name="Autonomy">How far a risk class may act now (global mode and class together; the playbook's own mode is added by the machine).</param>
public sealed record RunView(DateTimeOffset Now, JsonElement Incident, string? Held, Func<RiskClass, OperatingMode> Autonomy)
{
    /// <summary>The global mode without regard to class: what a kernel's opt-in can at most permit.</summary>
    public OperatingMode Global { get; init; } = OperatingMode.Enforce;

    /// <summary>The cluster's nodes; null where they are not known: then every target is taken to be there.</summary>
    public IReadOnlyList<TargetNode>? Nodes { get; init; }

    /// <summary>The node that carries the run, for what need not be done on a certain one.</summary>
    public string? Self { get; init; }

    /// <summary>What an action with this input would hold.</summary>
    public Func<string, JsonElement, TouchedTargets> Touches { get; init; } = static (_, _) => TouchedTargets.None;

    /// <summary>A kernel's own <c>remediation</c>; null where it declares none.</summary>
    public Func<string, OperatingMode?> Remediation { get; init; } = static _ => null;

    /// <summary>Number of declared kernels.</summary>
    public int Kernels { get; init; }
}

/// <summary>A node that steps may go to.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Roles">Its roles.</param>
public sealed record TargetNode(string Name, IReadOnlyCollection<string> Roles);

/// <summary>Something from outside that a run is told.</summary>
public abstract record RunInput
{
    /// <summary>The agent's answer for a key (of a step or of its undo). <paramref name="Attempt"/>: the attempt it answers; 0 where it answers what became of the key.</summary>
    public sealed record Outcome(string Key, OutcomeKind Kind, JsonElement Output, string? Reason, int Attempt = 0) : RunInput;

    /// <summary>A probe's answer for a verification, or for the <c>skipWhen</c> of a step. <paramref name="Error"/> set: the probe itself failed.</summary>
    public sealed record Probed(string Id, JsonElement Result, string? Error) : RunInput;

    /// <summary>The word of the guards that are asked at the start. <paramref name="ContainmentOnly"/> counts where granted.</summary>
    public sealed record Admitted(bool Granted, bool ContainmentOnly, string? Reason, string? Lock = null) : RunInput;

    /// <summary>The word of the blast radius on a step.</summary>
    public sealed record Reserved(string StepId, bool Granted, string? Reason) : RunInput;

    /// <summary>An operator's word on the step that waits. <paramref name="Step"/>: the step that the operator saw; null: whichever waits.</summary>
    public sealed record Approval(bool Approved, string By, string? Step = null) : RunInput;

    /// <summary>An operator cancels.</summary>
    public sealed record Cancel(string By, string Reason) : RunInput;
}

/// <summary>How a dispatch ended.</summary>
public enum OutcomeKind
{
    /// <summary>The effect took place.</summary>
    Succeeded,

    /// <summary>The effect did not take place; another attempt may be made.</summary>
    Failed,

    /// <summary>The agent knows that this key was never carried out; it may be dispatched.</summary>
    NotDone,

    /// <summary>Nobody can tell whether the effect took place.</summary>
    Unknown,
}

/// <summary>What a run wants done. Commands are derived from state: they are given again until their answer is in.</summary>
public abstract record RunCommand
{
    /// <summary>Ask the agent for an effect. <paramref name="Cancels"/>: tombstone that key first.</summary>
    /// <param name="Key">Idempotency key.</param>
    /// <param name="Epoch">The run's epoch.</param>
    /// <param name="Action">The action.</param>
    /// <param name="Input">Its rendered input.</param>
    /// <param name="Undo">True: the action's inverse of this input.</param>
    /// <param name="Node">Target node.</param>
    /// <param name="Deadline">Attempt's end.</param>
    /// <param name="Cancels">Key to tombstone first, or null.</param>
    /// <param name="Output">For an undo: what the action had answered; undefined when it never did.</param>
    /// <param name="Attempt">1 for the first attempt; the agent replays a failure only within the same attempt.</param>
    /// <param name="Compensates">True: an action that undoes another; carried out during a hold too.</param>
    public sealed record Dispatch(string Key, long Epoch, string Action, JsonElement Input, bool Undo, string Node, DateTimeOffset Deadline, string? Cancels, JsonElement Output, int Attempt, bool Compensates = false) : RunCommand
    {
        /// <summary>The operator who approved it, or why it counts as approved; null where it acts by itself.</summary>
        public string? ApprovedBy { get; init; }

        /// <summary>True where nobody decided and the step's own default did.</summary>
        public bool ApprovedByDefault { get; init; }
    }

    /// <summary>Tell the agent that a key is not wanted any more; the answer is the key's outcome.</summary>
    public sealed record Cancel(string Key, long Epoch, string Node) : RunCommand;

    /// <summary>Ask the guards of the start.</summary>
    /// <param name="Lock">The lock's name; null where the playbook has none.</param>
    public sealed record Admit(string? Lock) : RunCommand;

    /// <summary>Ask the blast radius about a step.</summary>
    /// <param name="StepId">The step.</param>
    /// <param name="Touched">What it would hold.</param>
    /// <param name="KernelLimit">Kernels that runs may hold at once; null: no bound.</param>
    /// <param name="PrincipalLimit">Principals likewise.</param>
    public sealed record Reserve(string StepId, TouchedTargets Touched, int? KernelLimit, int? PrincipalLimit) : RunCommand;

    /// <summary>Ask the agent what became of a key that an earlier epoch dispatched; a failure of an attempt before <paramref name="Attempt"/> is no answer.</summary>
    public sealed record Resolve(string Key, long Epoch, string Action, JsonElement Input, bool Undo, string Node, int Attempt = 0) : RunCommand;

    /// <summary>Measure for a verification, or for the <c>skipWhen</c> of a step; <paramref name="Id"/> is the one's or the other's.</summary>
    public sealed record Probe(string Id, string Name, JsonElement With, string Node, DateTimeOffset Deadline) : RunCommand;
}

/// <summary>
/// A decision. Either <see cref="Events"/> are to be persisted first (then decide again), or
/// <see cref="Commands"/> are to be carried out now. <see cref="WakeAt"/>: decide again then at the latest.
/// </summary>
/// <param name="Events">To persist, in order.</param>
/// <param name="Commands">To carry out; empty while there are events.</param>
/// <param name="WakeAt">Next time at which time alone changes the decision; null when none.</param>
public sealed record RunDecision(IReadOnlyList<RunEvent> Events, IReadOnlyList<RunCommand> Commands, DateTimeOffset? WakeAt);
