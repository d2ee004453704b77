using Guardian.Playbooks.Model;

namespace Guardian.Playbooks.Expressions;

/// <summary>A parsed and type-checked expression. Immutable and safe to share between threads.</summary>
public sealed class CompiledExpression
{
    // A value in an explanation is there to be read by a person.
    private const int LongestExplained = 100;

    private readonly Node _root;
    private readonly IReadOnlyList<PathNode> _paths;
    private readonly int _locals;

    internal CompiledExpression(string source, Bound bound, IReadOnlyList<PathNode> paths, int locals, IReadOnlyList<string> vouches)
    {
        Source = source;
        Type = bound.Type;
        Vouches = vouches;
        _root = bound.Node;
        _paths = paths;
        _locals = locals;
    }

    /// <summary>The text as written.</summary>
    public string Source { get; }

    /// <summary>Its static type.</summary>
    internal FieldType Type { get; }

    /// <summary>Optional names that are present whenever this is true: what <c>has()</c> in it asked for.</summary>
    internal IReadOnlyList<string> Vouches { get; }

    /// <summary>The names that it uses, with their members: <c>incident.violations</c>.</summary>
    internal IEnumerable<string> Names => _paths.Select(x => x.Path);

    /// <summary>True where it uses what only a run knows: outputs of its steps, its id.</summary>
    internal bool DependsOnRun => Names.Any(x => x.StartsWith("steps.", StringComparison.Ordinal) || x.StartsWith("run.", StringComparison.Ordinal));

    /// <summary>Evaluates a condition.</summary>
    /// <exception cref="EvaluationException">A name has no value, types do not fit, or the cost budget is used up.</exception>
    public bool Test(EvaluationScope scope)
    {
        ArgumentNullException.ThrowIfNull(scope);
        var frame = new Frame(scope, Source, _locals);
        return _root.Test(ref frame);
    }

    /// <summary>The text with the values that its names have now: <c>incident.violations > 200 [incident.violations = 37]</c>. Never throws.</summary>
    public string Explain(EvaluationScope scope)
    {
        ArgumentNullException.ThrowIfNull(scope);
        return _paths.Count == 0 ? Source : $"{Source} [{string.Join(", ", _paths.Select(x => Explain(x, scope)))}]";
    }

    /// <summary>Evaluates to a value of whatever type it has.</summary>
    /// <exception cref="EvaluationException">As <see cref="Test"/>.</exception>
    internal Value Evaluate(EvaluationScope scope)
    {
        var frame = new Frame(scope, Source, _locals);
        return _root.Evaluate(ref frame);
    }

    /// <summary>Its value for a template; in a preview, where it depends on what only a run knows, its source as <c>${…}</c>.</summary>
    /// <exception cref="EvaluationException">As <see cref="Test"/>.</exception>
    internal Value Substitute(EvaluationScope scope) =>
        scope.Preview && DependsOnRun ? Value.From("${" + Source + "}") : Evaluate(scope);

    private static string Explain(PathNode path, EvaluationScope scope)
    {
        try
        {
            if (!path.TryResolve(scope, out var value)) return $"{path.Path} is missing";
            var text = value.Render();
            if (text.Length > LongestExplained) text = text[..LongestExplained] + "...";
            return value.Kind == FieldType.String ? $"{path.Path} = '{text}'" : $"{path.Path} = {text}";
        }
        catch (Exception e)
        {
            // An explanation is never worth a failed run.
            return $"{path.Path} cannot be shown ({e.Message})";
        }
    }
}
