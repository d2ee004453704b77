using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions;

/// <summary>Who asks for an effect.</summary>
/// <param name="Key">Idempotency key; pass it on to whatever carries out the effect.</param>
/// <param name="RunId">The run: owner of leases.</param>
/// <param name="IncidentKey">The incident's key.</param>
/// <param name="IncidentId">The incident's id.</param>
/// <param name="Playbook">The playbook's name.</param>
public sealed record ActionContext(string Key, string RunId, string IncidentKey, string IncidentId, string Playbook)
{
    /// <summary>The incident's type; empty where it is not known.</summary>
    public string IncidentType { get; init; } = "";

    /// <summary>The blamed principal, or what the incident is about; empty where it is not known.</summary>
    public string Subject { get; init; } = "";

    /// <summary>The operator who approved the step; null where it acts by itself, also where nobody decided and the step's default did.</summary>
    public string? ApprovedBy { get; init; }

    /// <summary>Why nothing more may be done now: the hold in force, or a silence; null where nothing forbids it.</summary>
    public Func<string?> Held { get; init; } = static () => null;

    /// <summary>To be called just before an effect that comes later than the action's begin, and between effects: a hold stops it.</summary>
    /// <exception cref="ActionUnreachableException">Held; the attempt is left open, and the run asks again.</exception>
    internal void StopWhereHeld()
    {
        if (Held() is { } reason) throw new ActionUnreachableException($"held: {reason}");
    }

    /// <summary>True for an action that takes back what another did.</summary>
    internal bool Compensates { get; init; }

    /// <summary>For an undo: the key of what it takes back; else <see cref="Key"/>.</summary>
    public string ActKey { get; init; } = Key;

    /// <summary>The key that this one takes back, where it is an undo or compensates another action; null where it takes nothing back, or that is not known.</summary>
    public string? Cancels { get; init; }
}

/// <summary>An action that playbooks may name. Non-generic view for the registry; derive from <see cref="GuardianAction{TInput,TOutput}"/>.</summary>
public interface IGuardianAction
{
    /// <summary>E.g. <c>blacklist.add</c>.</summary>
    string Name { get; }

    /// <summary>One sentence for schema and docs.</summary>
    string Summary { get; }

    /// <summary>Decides how far it may run by itself.</summary>
    RiskClass Risk { get; }

    /// <summary>True where the effect is a lease that lapses by itself.</summary>
    bool Leased { get; }

    /// <summary>True where <see cref="GuardianAction{TInput,TOutput}.UndoAsync"/> takes the effect back.</summary>
    bool HasUndo { get; }

    /// <summary>True where asking twice under one key is the same as once, also after the agent's process died.</summary>
    bool Idempotent { get; }

    /// <summary>True where the effect does not belong to a node: it is carried out elsewhere when its node has left the cluster.</summary>
    bool Anywhere { get; }

    /// <summary>The record that <c>with:</c> fills; its properties are the inputs.</summary>
    Type InputType { get; }

    /// <summary>The record that <c>steps.&lt;id&gt;</c> shows.</summary>
    Type OutputType { get; }
}

/// <summary>
/// Base of all actions. Input and output are records of simple properties (string, bool, numbers, <see cref="Duration"/>,
/// <see cref="Rate"/>, lists); a property without default that is not nullable is required. Methods run off the agent's
/// thread, may be slow, must obey the token, and throw <see cref="ActionFailedException"/> with a reason when the effect did not take place, <see cref="ActionUnknownException"/> when that cannot be told.
/// </summary>
public abstract class GuardianAction<TInput, TOutput> : IGuardianAction
    where TInput : class
    where TOutput : class
{
    /// <inheritdoc/>
    public abstract string Name { get; }

    /// <inheritdoc/>
    public virtual string Summary => "";

    /// <inheritdoc/>
    public abstract RiskClass Risk { get; }

    /// <inheritdoc/>
    public virtual bool Leased => false;

    /// <inheritdoc/>
    public virtual bool HasUndo => false;

    /// <inheritdoc/>
    public virtual bool Idempotent => false;

    /// <inheritdoc/>
    public virtual bool Anywhere => false;

    /// <inheritdoc/>
    public Type InputType => typeof(TInput);

    /// <inheritdoc/>
    public Type OutputType => typeof(TOutput);

    /// <summary>
    /// The principals and kernels that the effect would hold, for blast radius and kernels' own <c>remediation</c>. Called where the run is,
    /// before anything is done: from the input and from what is declared, quickly and without I/O.
    /// </summary>
    public virtual TouchedTargets Touches(TInput input) => TouchedTargets.None;

    /// <summary>Brings the effect about.</summary>
    public abstract Task<TOutput> ExecuteAsync(TInput input, ActionContext context, CancellationToken cancellation);

    /// <summary>Takes the effect back; only where <see cref="HasUndo"/>. <paramref name="output"/> is null where it is not known.</summary>
    public virtual Task UndoAsync(TInput input, TOutput? output, ActionContext context, CancellationToken cancellation) =>
        throw new ActionFailedException($"{Name} has no undo");

    /// <summary>
    /// Finds out whether the effect of this key took place, after the agent's own record of it was lost.
    /// <see cref="OutcomeKind.Unknown"/> where that cannot be told.
    /// </summary>
    public virtual Task<(OutcomeKind Kind, TOutput? Output)> ProbeAsync(TInput input, ActionContext context, CancellationToken cancellation) =>
        Task.FromResult((OutcomeKind.Unknown, (TOutput?)null));
}

/// <summary>
/// An input that is secret: playbooks give it as <c>${secrets.&lt;name&gt;}</c>; the journal, plans and logs hold the name, the action gets the value.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SecretAttribute : Attribute;

/// <summary>An input that is an address whose scheme, host and port a playbook must write out; <c>${…}</c> may stand in path and query only.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class LiteralOriginAttribute : Attribute;

/// <summary>A duration that the action takes; a playbook whose step ends before it is refused.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class WithinTimeoutAttribute : Attribute;

/// <summary>An input that names a probe, is its input, or a check on its result; the playbook is checked accordingly.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ProbeAttribute(ProbePart part) : Attribute
{
    public InputRule Rule => part switch { ProbePart.Name => InputRule.ProbeName, ProbePart.Input => InputRule.ProbeInput, _ => InputRule.ProbeCheck };
}

internal enum ProbePart
{
    Name,
    Input,
    Check,
}

/// <summary>Nobody can tell whether the effect took place, e.g. because an answer was lost; the message says why.</summary>
public sealed class ActionUnknownException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// Who keeps the effect, a shard or a singleton of the cluster, gave no answer until the attempt's end, as while a lost node's work moves.
/// Nobody answers then, the attempt is not used up: the run asks what became of it, and again for what was not done. Only for what is idempotent under its key.
/// </summary>
internal sealed class ActionUnreachableException(string message) : Exception(message);

/// <summary>The effect did not take place; the message says why.</summary>
public sealed class ActionFailedException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A measurement that playbooks may check.</summary>
public interface IGuardianProbe
{
    /// <summary>E.g. <c>bus.health</c>.</summary>
    string Name { get; }

    /// <summary>One sentence for schema and docs.</summary>
    string Summary { get; }

    /// <summary>True where what it measures does not belong to a node.</summary>
    bool Anywhere { get; }

    /// <summary>The record that <c>with:</c> fills.</summary>
    Type InputType { get; }

    /// <summary>The record that <c>result</c> shows.</summary>
    Type ResultType { get; }
}

/// <summary>Base of all probes. Throws <see cref="ActionFailedException"/> where it cannot measure: unknown is never zero.</summary>
public abstract class GuardianProbe<TInput, TResult> : IGuardianProbe
    where TInput : class
    where TResult : class
{
    /// <inheritdoc/>
    public abstract string Name { get; }

    /// <inheritdoc/>
    public virtual string Summary => "";

    /// <inheritdoc/>
    public virtual bool Anywhere => false;

    /// <inheritdoc/>
    public Type InputType => typeof(TInput);

    /// <inheritdoc/>
    public Type ResultType => typeof(TResult);

    /// <summary>Measures now.</summary>
    public abstract Task<TResult> MeasureAsync(TInput input, CancellationToken cancellation);
}
