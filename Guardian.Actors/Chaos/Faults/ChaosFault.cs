using Guardian.Actors.Leasekeeping;

namespace Guardian.Actors.Chaos.Faults;

/// <summary>What a fault says about itself before it is injected; the judge expects it.</summary>
public sealed record FaultFacts
{
    /// <summary>Principals that misbehave; each must be unbanned before the drill.</summary>
    public IReadOnlyList<string> Principals { get; init; } = [];

    /// <summary>What an incident must name, a principal, topic, kernel or node; null where the scenario says it.</summary>
    public string? Subject { get; init; }

    /// <summary>Forbidden messages that it sends.</summary>
    public int Forbidden { get; init; }

    /// <summary>The topic they go to.</summary>
    public string? Topic { get; init; }

    /// <summary>A principal allowed to read that topic, who would see what is delivered though denied.</summary>
    public string? Witness { get; init; }

    /// <summary>It is over at once and leaves nothing to withdraw, e.g. a crash.</summary>
    public bool Instant { get; init; }

    /// <summary>It ends the node's process: what was accepted before may be lost, and the load sees broken connections.</summary>
    public bool EndsNode { get; init; }

    /// <summary>How long it lasts by itself.</summary>
    public TimeSpan Length { get; init; }
}

/// <summary>A fault that scenarios may name. Non-generic view for the registry; derive from <see cref="ChaosFault{TInput}"/>.</summary>
public interface IChaosFault
{
    /// <summary>E.g. <c>bus.flood</c>.</summary>
    string Name { get; }

    /// <summary>One sentence for lists and docs.</summary>
    string Summary { get; }

    /// <summary>True where it works inside the node's process; false where the runner does it from outside.</summary>
    bool InNode { get; }

    /// <summary>The record that <c>with:</c> fills.</summary>
    Type InputType { get; }
}

/// <summary>
/// Base of all faults. The input is a record of simple properties, as an action's; a property without default that is not nullable is
/// required. <see cref="RunAsync"/> injects, lasts, and returns when the fault is withdrawn: always by itself, at the latest soon after its token.
/// </summary>
public abstract class ChaosFault<TInput> : IChaosFault
    where TInput : class
{
    /// <inheritdoc/>
    public abstract string Name { get; }

    /// <inheritdoc/>
    public virtual string Summary => "";

    /// <inheritdoc/>
    public virtual bool InNode => false;

    /// <inheritdoc/>
    public Type InputType => typeof(TInput);

    /// <summary>What it is about.</summary>
    public abstract FaultFacts Facts(TInput input);

    /// <summary>Why the input is wrong, beyond its types; null where it is right.</summary>
    /// <param name="input">As the scenario gives it.</param>
    /// <param name="ttl">After which the fault is withdrawn, whatever happens.</param>
    public virtual string? Check(TInput input, TimeSpan ttl) => null;

    /// <summary>Why it cannot be injected here, e.g. for want of a permission: the drill is inconclusive then. Null where it can.</summary>
    public virtual string? Unsupported(TInput input, FaultContext context) => null;

    /// <summary>What a process of its own must take back when the runner dies; empty where the fault ends with the runner.</summary>
    internal virtual IReadOnlyList<LeaseUndo> Undo(TInput input, FaultContext context) => [];

    /// <summary>How it is taken back, in words, for the record on disk.</summary>
    public virtual string UndoText => "it lives in the runner's process and ends with it";

    /// <summary>Injects it; returns when it is over or, soon after the token, withdrawn.</summary>
    public abstract Task RunAsync(TInput input, FaultContext context, CancellationToken withdraw);
}
