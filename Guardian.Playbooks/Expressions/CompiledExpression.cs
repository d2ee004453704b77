using System.Text.Json;

namespace Guardian.Playbooks.Expressions;

/// <summary>A parsed and type-checked expression. Immutable and safe to share between threads.</summary>
public sealed class CompiledExpression
{
    internal CompiledExpression(string source) => Source = source;

    /// <summary>The text as written.</summary>
    public string Source { get; }
}

/// <summary>A value of <c>with:</c>: literals with <c>${…}</c> in them, type-checked when loaded. Substituted values are never parsed again.</summary>
public sealed class Template
{
    /// <summary>Renders to a JSON object.</summary>
    /// <exception cref="InvalidOperationException">A name has no value or a cost limit was reached; the message says which.</exception>
    public JsonElement Render(EvaluationScope scope) => throw new NotImplementedException();
}

/// <summary>The values of the names in scope, each a JSON object: incident, steps, vars, run, node, result.</summary>
public sealed class EvaluationScope
{
}
