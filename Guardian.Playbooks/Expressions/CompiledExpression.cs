using System.Text.Json;

namespace Guardian.Playbooks.Expressions;

/// <summary>A parsed and type-checked expression. Immutable and safe to share between threads.</summary>
public sealed class CompiledExpression
{
    internal CompiledExpression(string source) => Source = source;

    /// <summary>The text as written.</summary>
    public string Source { get; }

    /// <summary>Evaluates a condition.</summary>
    /// <exception cref="EvaluationException">A name has no value, types do not fit, or the cost budget is used up.</exception>
    public bool Test(EvaluationScope scope) => throw new NotImplementedException();

    /// <summary>The text with the values that its names have now: <c>incident.violations > 200 [incident.violations = 37]</c>. Never throws.</summary>
    public string Explain(EvaluationScope scope) => throw new NotImplementedException();
}

/// <summary>A value of <c>with:</c>: literals with <c>${…}</c> in them, type-checked when loaded. Substituted values are never parsed again.</summary>
public sealed class Template
{
    /// <summary>Renders to a JSON object.</summary>
    /// <exception cref="EvaluationException">A name has no value or a cost limit was reached; the message says which.</exception>
    public JsonElement Render(EvaluationScope scope) => throw new NotImplementedException();
}
