using Guardian.Playbooks.Model;

namespace Guardian.Playbooks.Expressions;

/// <summary><c>!a</c>.</summary>
internal sealed class NotNode(Node operand) : ConditionNode
{
    public override int Size => operand.Size + 1;

    public override bool Test(ref Frame frame) => !operand.Test(ref frame);
}

/// <summary><c>a &amp;&amp; b</c>, <c>a || b</c>: the right side is looked at only where it matters.</summary>
internal sealed class LogicNode(Node left, Node right, bool and) : ConditionNode
{
    public override int Size => left.Size + right.Size + 1;

    public override bool Test(ref Frame frame) => left.Test(ref frame) == and ? right.Test(ref frame) : !and;
}

/// <summary><c>a ? b : c</c>.</summary>
internal sealed class ConditionalNode(Node condition, Node then, Node otherwise) : Node
{
    public override int Size => condition.Size + then.Size + otherwise.Size + 1;

    public override Value Evaluate(ref Frame frame) => condition.Test(ref frame) ? then.Evaluate(ref frame) : otherwise.Evaluate(ref frame);
}

/// <summary><c>-a</c>.</summary>
internal sealed class NegateNode(Node operand) : Node
{
    public override int Size => operand.Size + 1;

    public override Value Evaluate(ref Frame frame)
    {
        var value = operand.Evaluate(ref frame);
        if (value.Kind == FieldType.Double) return Value.From(-value.Double);
        if (value.Kind != FieldType.Int) frame.Fail($"'-' needs a number, not {TypeNames.Of(value.Kind)}");
        if (value.Int == long.MinValue) frame.Fail("a whole number is out of range");
        return Value.From(-value.Int);
    }
}

/// <summary><c>a == b</c>, <c>a != b</c>. Values of different types are different.</summary>
internal sealed class EqualityNode(Node left, Node right, bool equal) : ConditionNode
{
    public override int Size => left.Size + right.Size + 1;

    public override bool Test(ref Frame frame)
    {
        var a = left.Evaluate(ref frame);
        var b = right.Evaluate(ref frame);
        return Same(in a, in b, ref frame) == equal;
    }

    public static bool Same(in Value a, in Value b, ref Frame frame)
    {
        if (a.IsNumber && b.IsNumber) return a.Kind == b.Kind && a.Kind == FieldType.Int ? a.Int == b.Int : a.Double.Equals(b.Double);
        if (a.Kind is FieldType.List or FieldType.Object || b.Kind is FieldType.List or FieldType.Object)
            frame.Fail("lists and objects cannot be compared");
        if (a.Kind != b.Kind) return false;
        return a.Kind == FieldType.String ? Value.TextEquals(in a, in b) : a.Int == b.Int;
    }
}

/// <summary><c>a in list</c>.</summary>
internal sealed class InNode(Node item, Node list) : ConditionNode
{
    public override int Size => item.Size + list.Size + 1;

    public override bool Test(ref Frame frame)
    {
        var wanted = item.Evaluate(ref frame);
        var values = list.Evaluate(ref frame);
        if (values.Kind != FieldType.List) frame.Fail($"'in' needs a list, not {TypeNames.Of(values.Kind)}");
        frame.Spend(values.Count);
        if (values.Items is { } items)
        {
            foreach (ref readonly var candidate in items.AsSpan())
            {
                if (EqualityNode.Same(in wanted, in candidate, ref frame)) return true;
            }

            return false;
        }

        foreach (var json in values.Json.EnumerateArray())
        {
            if (Value.TryFrom(json, out var candidate) && EqualityNode.Same(in wanted, in candidate, ref frame)) return true;
        }

        return false;
    }
}

/// <summary><c>&lt; &lt;= &gt; &gt;=</c> on numbers, durations, and texts by their UTF-16 code.</summary>
internal sealed class CompareNode(string symbol, Node left, Node right) : ConditionNode
{
    public override int Size => left.Size + right.Size + 1;

    public override bool Test(ref Frame frame)
    {
        var a = left.Evaluate(ref frame);
        var b = right.Evaluate(ref frame);
        var order = Order(in a, in b, ref frame);
        return symbol switch
        {
            "<" => order < 0,
            "<=" => order <= 0,
            ">" => order > 0,
            _ => order >= 0,
        };
    }

    public static int Order(in Value a, in Value b, ref Frame frame)
    {
        if (a.Kind == b.Kind && (a.Kind is FieldType.Int or FieldType.Duration)) return a.Int.CompareTo(b.Int);
        if (a.IsNumber && b.IsNumber) return a.Double.CompareTo(b.Double);
        if (a.Kind == FieldType.String && b.Kind == FieldType.String)
        {
            string x = a.Text, y = b.Text;
            frame.SpendText(x);
            return string.CompareOrdinal(x, y);
        }

        frame.Fail($"{TypeNames.Of(a.Kind)} cannot be ordered against {TypeNames.Of(b.Kind)}");
        return 0;
    }
}

/// <summary><c>+ - * / %</c>. Whole numbers are exact: overflow and division by zero have no value.</summary>
internal sealed class ArithmeticNode(char symbol, Node left, Node right) : Node
{
    public override int Size => left.Size + right.Size + 1;

    public override Value Evaluate(ref Frame frame)
    {
        var a = left.Evaluate(ref frame);
        var b = right.Evaluate(ref frame);
        if (a.Kind == FieldType.Int && b.Kind == FieldType.Int) return Value.From(Whole(a.Int, b.Int, ref frame));
        if (a.IsNumber && b.IsNumber) return Value.From(Floating(a.Double, b.Double, ref frame));
        if (a.Kind == FieldType.Duration && b.Kind == FieldType.Duration && (symbol is '+' or '-'))
        {
            var ticks = Whole(a.Int, b.Int, ref frame);
            if (ticks < 0) frame.Fail("a duration is negative");
            return Value.From(new TimeSpan(ticks));
        }

        if (a.Kind == FieldType.String && b.Kind == FieldType.String && symbol == '+')
        {
            var text = a.Text + b.Text;
            frame.SpendText(text);
            return Value.From(text);
        }

        frame.Fail($"'{symbol}' cannot be applied to {TypeNames.Of(a.Kind)} and {TypeNames.Of(b.Kind)}");
        return default;
    }

    private long Whole(long a, long b, ref Frame frame)
    {
        if (b == 0 && (symbol is '/' or '%')) frame.Fail("a division by zero");
        try
        {
            return symbol switch
            {
                '+' => checked(a + b),
                '-' => checked(a - b),
                '*' => checked(a * b),
                '/' => a / b,
                _ => b == -1 ? 0 : a % b,
            };
        }
        catch (OverflowException)
        {
            frame.Fail("a whole number is out of range");
            return 0;
        }
    }

    private double Floating(double a, double b, ref Frame frame)
    {
        var result = symbol switch
        {
            '+' => a + b,
            '-' => a - b,
            '*' => a * b,
            '/' => a / b,
            _ => a % b,
        };
        if (!double.IsFinite(result)) frame.Fail("a number is not finite");
        return result;
    }
}
