using System.Text.RegularExpressions;
using Guardian.Playbooks.Model;

namespace Guardian.Playbooks.Expressions;

/// <summary><c>size(x)</c>: characters of a text, items of a list, members of an object.</summary>
internal sealed class SizeNode(Node operand) : Node
{
    public override int Size => operand.Size + 1;

    public override Value Evaluate(ref Frame frame)
    {
        var value = operand.Evaluate(ref frame);
        switch (value.Kind)
        {
            case FieldType.String:
                var text = value.Text;
                frame.SpendText(text);
                return Value.From((long)text.Length);
            case FieldType.List: return Value.From((long)value.Count);
            case FieldType.Object: return Value.From((long)value.Json.GetPropertyCount());
            default:
                frame.Fail($"size() needs a text or a list, not {TypeNames.Of(value.Kind)}");
                return default;
        }
    }
}

/// <summary><c>a.startsWith(b)</c>, <c>endsWith</c>, <c>contains</c>: ordinal.</summary>
internal sealed class TextCallNode(string name, Node target, Node argument) : ConditionNode
{
    public override int Size => target.Size + argument.Size + 1;

    public override bool Test(ref Frame frame)
    {
        var text = TextOf(target, name, ref frame);
        var part = TextOf(argument, name, ref frame);
        return name switch
        {
            "startsWith" => text.StartsWith(part, StringComparison.Ordinal),
            "endsWith" => text.EndsWith(part, StringComparison.Ordinal),
            _ => text.Contains(part, StringComparison.Ordinal),
        };
    }

    public static string TextOf(Node node, string name, ref Frame frame)
    {
        var value = node.Evaluate(ref frame);
        if (value.Kind != FieldType.String) frame.Fail($"{name}() needs a text, not {TypeNames.Of(value.Kind)}");
        var text = value.Text;
        frame.SpendText(text);
        return text;
    }
}

/// <summary><c>a.matches('pattern')</c> with the non-backtracking engine: time grows with the text, whatever the pattern.</summary>
internal sealed class MatchesNode(Node target, Regex pattern) : ConditionNode
{
    public override int Size => target.Size + 1;

    public override bool Test(ref Frame frame)
    {
        var text = TextCallNode.TextOf(target, "matches", ref frame);
        frame.Spend(text.Length);
        return pattern.IsMatch(text);
    }
}

/// <summary><c>list.exists(x, condition)</c>, <c>list.all(x, condition)</c>.</summary>
internal sealed class QuantifierNode(Node list, int slot, Node condition, bool all) : ConditionNode
{
    private readonly int _cost = condition.Size;

    public override int Size => list.Size + condition.Size + 1;

    public override bool Test(ref Frame frame)
    {
        var values = list.Evaluate(ref frame);
        if (values.Kind != FieldType.List) frame.Fail($"exists() and all() need a list, not {TypeNames.Of(values.Kind)}");
        if (values.Items is { } items)
        {
            foreach (var item in items)
            {
                if (Ends(item, ref frame)) return !all;
            }

            return all;
        }

        foreach (var json in values.Json.EnumerateArray())
        {
            if (Value.TryFrom(json, out var item) && Ends(item, ref frame)) return !all;
        }

        return all;
    }

    private bool Ends(in Value item, ref Frame frame)
    {
        frame.Spend(_cost);
        frame.Locals[slot] = item;
        return condition.Test(ref frame) != all;
    }
}

/// <summary><c>min(a, b)</c>, <c>max(list)</c> on numbers or durations.</summary>
internal sealed class ExtremeNode(string name, IReadOnlyList<Node> arguments, bool max) : Node
{
    public override int Size => 1 + arguments.Sum(x => x.Size);

    public override Value Evaluate(ref Frame frame)
    {
        Value? best = null;
        foreach (var argument in arguments)
        {
            var value = argument.Evaluate(ref frame);
            if (value.Kind != FieldType.List) Take(ref best, value, ref frame);
            else if (value.Items is { } items)
            {
                foreach (var item in items) Take(ref best, item, ref frame);
            }
            else
            {
                foreach (var json in value.Json.EnumerateArray())
                {
                    if (Value.TryFrom(json, out var item)) Take(ref best, item, ref frame);
                }
            }
        }

        if (best is null) frame.Fail($"{name}() of an empty list");
        return best!.Value;
    }

    private void Take(ref Value? best, in Value value, ref Frame frame)
    {
        frame.Spend(1);
        if (!value.IsNumber && value.Kind != FieldType.Duration) frame.Fail($"{name}() needs numbers or durations, not {TypeNames.Of(value.Kind)}");
        if (best is not { } other)
        {
            best = value;
            return;
        }

        var order = CompareNode.Order(in value, in other, ref frame);
        if (max ? order > 0 : order < 0) best = value;
    }
}
