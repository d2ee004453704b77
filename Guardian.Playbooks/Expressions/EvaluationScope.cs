using System.Text.Json;

namespace Guardian.Playbooks.Expressions;

/// <summary>The values of the names in scope. What is not given has no value: using it is an error, <c>has()</c> of it is false.</summary>
public sealed class EvaluationScope
{
    /// <summary><c>incident</c>, an object.</summary>
    public JsonElement Incident { get; init; }

    /// <summary><c>steps.&lt;id&gt;</c>: outputs of succeeded steps, objects.</summary>
    public IReadOnlyDictionary<string, JsonElement> Steps { get; init; } = new Dictionary<string, JsonElement>();

    /// <summary><c>steps.&lt;id&gt;.outcome</c> of steps that are over.</summary>
    public IReadOnlyDictionary<string, string> Outcomes { get; init; } = new Dictionary<string, string>();

    /// <summary><c>vars</c>.</summary>
    public IReadOnlyDictionary<string, JsonElement> Vars { get; init; } = new Dictionary<string, JsonElement>();

    /// <summary><c>run</c>, an object: id, playbook, epoch.</summary>
    public JsonElement Run { get; init; }

    /// <summary><c>node</c>: name of the node where the incident was seen.</summary>
    public string? Node { get; init; }

    /// <summary><c>result</c> of a probe, an object.</summary>
    public JsonElement Result { get; init; }

    /// <summary>True where there is no run yet: a template shows what only a run knows as its source.</summary>
    public bool Preview { get; init; }
}

/// <summary>An expression has no value here; the message names the place and why.</summary>
public sealed class EvaluationException(string message) : Exception(message);
