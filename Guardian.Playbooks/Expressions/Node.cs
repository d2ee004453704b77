using System.Diagnostics.CodeAnalysis;
using Guardian.Playbooks.Model;

namespace Guardian.Playbooks.Expressions;

/// <summary>One evaluation under way.</summary>
internal ref struct Frame(EvaluationScope scope, string source, int locals)
{
    private int _budget = ExpressionLimits.Cost;

    /// <summary>Values of the names.</summary>
    public readonly EvaluationScope Scope => scope;

    /// <summary>Variables of exists() and all().</summary>
    public readonly Value[] Locals { get; } = locals == 0 ? [] : new Value[locals];

    /// <summary>Takes from the budget.</summary>
    public void Spend(int cost)
    {
        _budget -= cost;
        if (_budget < 0) Fail($"it costs more than {ExpressionLimits.Cost} units; make lists or texts shorter");
    }

    /// <summary>Takes what handling a text costs.</summary>
    public void SpendText(string text) => Spend(1 + (text.Length / 8));

    /// <summary>There is no value.</summary>
    [DoesNotReturn]
    public readonly void Fail(string reason) => throw new EvaluationException($"'{source}' has no value: {reason}");
}

/// <summary>A node of a checked expression.</summary>
internal abstract class Node
{
    /// <summary>Nodes of the tree below, itself included: what one evaluation costs.</summary>
    public virtual int Size => 1;

    /// <summary>Its value.</summary>
    public abstract Value Evaluate(ref Frame frame);

    /// <summary>Its value as a condition.</summary>
    public virtual bool Test(ref Frame frame)
    {
        var value = Evaluate(ref frame);
        if (value.Kind != FieldType.Bool) frame.Fail($"a condition is true or false, not {TypeNames.Of(value.Kind)}");
        return value.Bool;
    }
}

/// <summary>A node whose value is a boolean.</summary>
internal abstract class ConditionNode : Node
{
    public sealed override Value Evaluate(ref Frame frame) => Value.From(Test(ref frame));

    public abstract override bool Test(ref Frame frame);
}

/// <summary>Types in messages.</summary>
internal static class TypeNames
{
    /// <summary>With its article.</summary>
    public static string Of(FieldType type) => type switch
    {
        FieldType.Any => "a value",
        FieldType.Bool => "a boolean",
        FieldType.Int => "a whole number",
        FieldType.Double => "a number",
        FieldType.String => "a text",
        FieldType.Duration => "a duration",
        FieldType.Rate => "a rate",
        FieldType.Size => "a size",
        FieldType.Percentage => "a percentage",
        FieldType.List => "a list",
        _ => "an object",
    };
}
