using System.Text.Json;
using Guardian.Playbooks.Model;

namespace Guardian.Playbooks.Execution;

/// <summary>What a run sees of the world when it decides. Made anew for each decision.</summary>
/// <param name="Now">Present time, UTC.</param>
/// <param name="Incident">The incident's live fields, an object; <c>violations</c> is the count at this moment.</param>
/// <param name="Held">Reason of a hold in force; null when none.</param>
/// <param name="Autonomy">How far a risk class may act now (global mode and class together; the playbook's own mode is added by the machine).</param>
public sealed record RunView(DateTimeOffset Now, JsonElement Incident, string? Held, Func<RiskClass, OperatingMode> Autonomy);

/// <summary>Something from outside that a run is told.</summary>
public abstract record RunInput
{
    /// <summary>The agent's answer for a key (of a step or of its undo). <paramref name="Attempt"/>: the attempt it answers; 0 where it does not say.</summary>
    public sealed record Outcome(string Key, OutcomeKind Kind, JsonElement Output, string? Reason, int Attempt = 0) : RunInput;

    /// <summary>A probe's answer for a verification. <paramref name="Error"/> set: the probe itself failed.</summary>
    public sealed record Probed(string VerificationId, JsonElement Result, string? Error) : RunInput;

    /// <summary>An operator's word on the step that waits.</summary>
    public sealed record Approval(bool Approved, string By) : RunInput;

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
    public sealed record Dispatch(string Key, long Epoch, string Action, JsonElement Input, bool Undo, string Node, DateTimeOffset Deadline, string? Cancels, JsonElement Output, int Attempt) : RunCommand;

    /// <summary>Ask the agent what became of a key that an earlier epoch dispatched.</summary>
    public sealed record Resolve(string Key, long Epoch, string Action, JsonElement Input, bool Undo, string Node) : RunCommand;

    /// <summary>Measure for a verification.</summary>
    public sealed record Probe(string VerificationId, string Name, JsonElement With, string Node, DateTimeOffset Deadline) : RunCommand;
}

/// <summary>
/// A decision. Either <see cref="Events"/> are to be persisted first (then decide again), or
/// <see cref="Commands"/> are to be carried out now. <see cref="WakeAt"/>: decide again then at the latest.
/// </summary>
/// <param name="Events">To persist, in order.</param>
/// <param name="Commands">To carry out; empty while there are events.</param>
/// <param name="WakeAt">Next time at which time alone changes the decision; null when none.</param>
public sealed record RunDecision(IReadOnlyList<RunEvent> Events, IReadOnlyList<RunCommand> Commands, DateTimeOffset? WakeAt);
