using System.Text.Json;

namespace Guardian.Playbooks.Model;

/// <summary>Static type of a name or an expression.</summary>
public enum FieldType
{
    /// <summary>Known only when it is evaluated; operators on it are checked at run time.</summary>
    Any,

    /// <summary>true or false.</summary>
    Bool,

    /// <summary>64-bit signed integer.</summary>
    Int,

    /// <summary>64-bit floating point.</summary>
    Double,

    /// <summary>Text.</summary>
    String,

    /// <summary>A length of time, see <see cref="Model.Duration"/>.</summary>
    Duration,

    /// <summary>A rate, see <see cref="Model.Rate"/>; data only, no operators.</summary>
    Rate,

    /// <summary>A list of values.</summary>
    List,

    /// <summary>A record whose members are not declared.</summary>
    Object,

    /// <summary>A number of bytes, see <see cref="Model.ByteSize"/>; data only, no operators.</summary>
    Size,

    /// <summary>A share, see <see cref="Model.Percentage"/>; data only, no operators.</summary>
    Percentage,
}

/// <summary>A declared name: an incident's field, an action's input or output, a probe's result.</summary>
/// <param name="Name">camelCase, as YAML and JSON write it.</param>
/// <param name="Type">Its static type.</param>
/// <param name="Required">Always present (fields, outputs), or must be given (inputs).</param>
/// <param name="Summary">One sentence for schema and docs, with unit and range.</param>
public sealed record FieldSpec(string Name, FieldType Type, bool Required, string Summary = "")
{
    /// <summary>True for an input that takes <c>${secrets.…}</c>, and nothing readable: its value never enters the journal, a plan or a log.</summary>
    public bool Secret { get; init; }

    /// <summary>The texts that it takes; empty: any.</summary>
    public IReadOnlyList<string> Values { get; init; } = [];

    /// <summary>For an input: what holds beyond its type.</summary>
    public InputRule Rule { get; init; }

    /// <summary>For a field of an incident: counted on the nodes and told with a delay, so a condition on it waits for what is under way.</summary>
    public bool Counted { get; init; }
}

/// <summary>What holds for an input beyond its type.</summary>
public enum InputRule
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>An http or https address whose scheme, host and port are written out; <c>${…}</c> may stand in path and query only.</summary>
    LiteralOrigin,

    /// <summary>The name of a registered probe, written out.</summary>
    ProbeName,

    /// <summary>The input of the probe that <see cref="ProbeName"/> names.</summary>
    ProbeInput,

    /// <summary>A bare expression on the result of the probe that <see cref="ProbeName"/> names.</summary>
    ProbeCheck,

    /// <summary>A duration that the action takes: shorter than its step's time-out.</summary>
    WithinTimeout,
}

/// <summary>A registered kind of incident. Its fields are what <c>incident.…</c> may name.</summary>
/// <param name="Name">E.g. <c>message_bus.acl_violation.spam_attack</c>.</param>
/// <param name="Fields">Fields besides those that every incident has.</param>
public sealed record IncidentType(string Name, IReadOnlyList<FieldSpec> Fields)
{
    /// <summary>
    /// The key of an incident with these fields, as the type's monitor gives it; null where they do not tell. Without it a described
    /// incident takes the key that is given, else <c>&lt;type&gt;/&lt;subject&gt;</c>.
    /// </summary>
    public Func<JsonElement, string?>? Key { get; init; }

    /// <summary>Fields of every incident: id, key, type, severity, node, subject, openedAt, occurrences.</summary>
    public static IReadOnlyList<FieldSpec> Common { get; } =
    [
        new("id", FieldType.String, true), new("key", FieldType.String, true), new("type", FieldType.String, true),
        new("severity", FieldType.String, true, "low, medium, high or critical.") { Values = ["low", "medium", "high", "critical"] }, new("node", FieldType.String, true),
        new("subject", FieldType.String, true, "The blamed principal, or what the incident is about where nobody is blamed."),
        new("openedAt", FieldType.String, true, "RFC 3339, UTC."), new("occurrences", FieldType.Int, true),
    ];
}

/// <summary>What the playbook language needs to know of an action.</summary>
/// <param name="Name">E.g. <c>blacklist.add</c>.</param>
/// <param name="Risk">Decides how far it may run by itself.</param>
/// <param name="Inputs">Fields of <c>with:</c>.</param>
/// <param name="Outputs">Fields of <c>steps.&lt;id&gt;</c> once it succeeded.</param>
/// <param name="HasUndo">True where <c>undo: auto</c> is possible.</param>
/// <param name="Idempotent">True where asking twice under one key is the same as once, wherever the first was carried out.</param>
/// <param name="Summary">One sentence.</param>
public sealed record ActionSpec(
    string Name, RiskClass Risk, IReadOnlyList<FieldSpec> Inputs, IReadOnlyList<FieldSpec> Outputs,
    bool HasUndo, bool Idempotent, string Summary = "")
{
    /// <summary>True where its effect does not belong to a node: it is carried out elsewhere when its node has left the cluster.</summary>
    public bool Anywhere { get; init; }
}

/// <summary>What the playbook language needs to know of a probe.</summary>
/// <param name="Name">E.g. <c>bus.health</c>.</param>
/// <param name="Inputs">Fields of <c>with:</c>.</param>
/// <param name="Results">Fields of <c>result</c> in <c>check</c>.</param>
/// <param name="Summary">One sentence.</param>
public sealed record ProbeSpec(string Name, IReadOnlyList<FieldSpec> Inputs, IReadOnlyList<FieldSpec> Results, string Summary = "")
{
    /// <summary>True where what it measures does not belong to a node.</summary>
    public bool Anywhere { get; init; }
}

/// <summary>What an effect would hold, as far as a blast radius and a kernel's own <c>remediation</c> are concerned.</summary>
/// <param name="Principals">Principals that it restrains.</param>
/// <param name="Kernels">Kernels that it restrains, stops or kills.</param>
/// <param name="For">Length of its lease as it is asked for; null: as long as the run. Where the action's output has <c>until</c>, that end counts.</param>
public sealed record TouchedTargets(IReadOnlyList<string> Principals, IReadOnlyList<string> Kernels, TimeSpan? For)
{
    /// <summary>Neither principals nor kernels.</summary>
    public static TouchedTargets None { get; } = new([], [], null);
}

/// <summary>Everything a playbook may name. Immutable; built once from what is registered.</summary>
/// <param name="incidents">Incident types.</param>
/// <param name="actions">Actions.</param>
/// <param name="probes">Probes.</param>
/// <param name="secrets">Names of configured secrets.</param>
public sealed class Vocabulary(
    IEnumerable<IncidentType> incidents, IEnumerable<ActionSpec> actions, IEnumerable<ProbeSpec> probes, IEnumerable<string>? secrets = null)
{
    /// <summary>Incident types by name.</summary>
    public IReadOnlyDictionary<string, IncidentType> Incidents { get; } = incidents.ToDictionary(x => x.Name, StringComparer.Ordinal);

    /// <summary>Actions by name.</summary>
    public IReadOnlyDictionary<string, ActionSpec> Actions { get; } = actions.ToDictionary(x => x.Name, StringComparer.Ordinal);

    /// <summary>Probes by name.</summary>
    public IReadOnlyDictionary<string, ProbeSpec> Probes { get; } = probes.ToDictionary(x => x.Name, StringComparer.Ordinal);

    /// <summary>Names of configured secrets, <c>secrets.…</c>.</summary>
    public IReadOnlySet<string> Secrets { get; } = (secrets ?? []).ToHashSet(StringComparer.Ordinal);
}
