using Guardian.Playbooks.Model;
using Guardian.Playbooks.Yaml;

namespace Guardian.Playbooks.Expressions;

/// <summary>Checks the types of an expression against the declared names and makes the nodes that evaluate it.</summary>
internal sealed partial class Binder(NameTable names, List<ExpressionError> errors, IEnumerable<string> present)
{
    private readonly Dictionary<string, PathNode> _paths = new(StringComparer.Ordinal);
    private readonly List<(string Name, Bound Variable)> _variables = [];
    private HashSet<string> _present = new(present, StringComparer.Ordinal);

    /// <summary>The scope's names that the expression uses, in order.</summary>
    public IReadOnlyCollection<PathNode> Paths => _paths.Values;

    /// <summary>Most variables of exists() and all() at once.</summary>
    public int Locals { get; private set; }

    /// <summary>Checks one part.</summary>
    public Bound Bind(Syntax syntax) => syntax switch
    {
        LiteralSyntax literal => new Bound(new ConstantNode(literal.Value), literal.Value.Kind),
        BadSyntax bad => Error(bad.Offset, bad.Message),
        ListSyntax list => BindList(list),
        UnarySyntax unary => BindUnary(unary),
        BinarySyntax binary => BindBinary(binary),
        ConditionalSyntax conditional => BindConditional(conditional),
        CallSyntax call => BindCall(call),
        _ => BindName(syntax),
    };

    private Bound Error(int offset, string message)
    {
        errors.Add(new ExpressionError(offset, message));
        return Bound.Wrong;
    }

    /// <summary>Binds where these names are known to be present.</summary>
    private Bound BindWith(Syntax syntax, IEnumerable<string> present)
    {
        var before = _present;
        _present = [.. before, .. present];
        var bound = Bind(syntax);
        _present = before;
        return bound;
    }

    private Bound BindList(ListSyntax list)
    {
        var items = list.Items.Select(Bind).ToList();
        FieldType? element = items.Count == 0 ? FieldType.Any : items[0].Type;
        for (var i = 1; i < items.Count && element is { } type; i++)
        {
            element = TypeRules.Join(type, items[i].Type);
            if (element is null) Error(list.Items[i].Offset, $"the items of a list have one type; this is {TypeNames.Of(items[i].Type)}, the ones before are {TypeNames.Of(type)}");
        }

        // A list of constants is made once, not at each evaluation.
        Node node = list.Items.All(x => x is LiteralSyntax)
            ? new ConstantNode(Value.From([.. list.Items.Cast<LiteralSyntax>().Select(x => x.Value)]))
            : new ListNode([.. items.Select(x => x.Node)]);
        return new Bound(node, FieldType.List, element ?? FieldType.Any);
    }

    private Bound BindUnary(UnarySyntax unary)
    {
        var operand = Bind(unary.Operand);
        if (unary.Operator == '!')
        {
            return operand.MayBe(FieldType.Bool)
                ? Bound.Condition(new NotNode(operand.Node))
                : Error(unary.Offset, $"'!' needs a boolean, not {TypeNames.Of(operand.Type)}");
        }

        return operand.MayBeNumber
            ? new Bound(new NegateNode(operand.Node), operand.Type)
            : Error(unary.Offset, $"'-' needs a number, not {TypeNames.Of(operand.Type)}");
    }

    private Bound BindConditional(ConditionalSyntax conditional)
    {
        var condition = Bind(conditional.Condition);
        if (!condition.MayBe(FieldType.Bool)) Error(conditional.Offset, $"'?' needs a boolean before it, not {TypeNames.Of(condition.Type)}");
        var then = BindWith(conditional.Then, Presence.Of(conditional.Condition, true));
        var otherwise = BindWith(conditional.Else, Presence.Of(conditional.Condition, false));
        return TypeRules.Join(then.Type, otherwise.Type) is { } type
            ? new Bound(new ConditionalNode(condition.Node, then.Node, otherwise.Node), type, TypeRules.Join(then.Element, otherwise.Element) ?? FieldType.Any)
            : Error(conditional.Offset, $"both sides of ':' must have one type; they are {TypeNames.Of(then.Type)} and {TypeNames.Of(otherwise.Type)}");
    }

    private Bound BindBinary(BinarySyntax binary)
    {
        var left = Bind(binary.Left);
        if (binary.Operator is "&&" or "||")
        {
            var and = binary.Operator == "&&";
            var other = BindWith(binary.Right, Presence.Of(binary.Left, and));
            return left.MayBe(FieldType.Bool) && other.MayBe(FieldType.Bool)
                ? Bound.Condition(new LogicNode(left.Node, other.Node, and))
                : Mismatch(binary, "needs booleans", left, other);
        }

        var right = Bind(binary.Right);
        if (binary.Operator is "==" or "!=")
        {
            CheckValue(left, binary.Right);
            CheckValue(right, binary.Left);
        }

        if (binary is { Operator: "in", Right: ListSyntax list }) foreach (var item in list.Items) CheckValue(left, item);
        return binary.Operator switch
        {
            "==" or "!=" => TypeRules.Comparable(left.Type, right.Type)
                ? Bound.Condition(new EqualityNode(left.Node, right.Node, binary.Operator == "=="))
                : Mismatch(binary, "needs two values of one simple type", left, right),
            "in" => right.MayBe(FieldType.List) && TypeRules.Comparable(left.Type, right.Element)
                ? Bound.Condition(new InNode(left.Node, right.Node))
                : Mismatch(binary, right.Type == FieldType.List ? $"looks in a list of {TypeNames.Of(right.Element)}" : "needs a list on its right", left, right),
            "<" or "<=" or ">" or ">=" => TypeRules.Ordered(left.Type, right.Type)
                ? Bound.Condition(new CompareNode(binary.Operator, left.Node, right.Node))
                : Mismatch(binary, "needs two numbers, durations or texts", left, right),
            _ => BindArithmetic(binary, left, right),
        };
    }

    /// <summary>A comparison with what a name can never be is a slip of the pen.</summary>
    private void CheckValue(Bound name, Syntax other)
    {
        if (name.Values is { Count: > 0 } values && other is LiteralSyntax { Value: { Kind: FieldType.String } text } && !values.Contains(text.Text, StringComparer.Ordinal))
            errors.Add(new ExpressionError(other.Offset, $"it is never '{text.Text}'{Spelling.Hint(text.Text, values)}"));
    }

    private Bound BindArithmetic(BinarySyntax binary, Bound left, Bound right)
    {
        var symbol = binary.Operator[0];
        if (symbol is '/' or '%' && binary.Right is LiteralSyntax { Value: { Kind: FieldType.Int or FieldType.Double } divisor } && divisor.Double == 0)
            return Error(binary.Right.Offset, $"'{symbol}' by zero has no value");
        var joined = TypeRules.Join(left.Type, right.Type);
        var fits = joined switch
        {
            FieldType.Int or FieldType.Double => true,
            FieldType.Duration => symbol is '+' or '-',
            FieldType.String => symbol == '+',
            FieldType.Any => Fits(left.Type, symbol) && Fits(right.Type, symbol),
            _ => false,
        };
        return fits ? new Bound(new ArithmeticNode(symbol, left.Node, right.Node), joined!.Value) : Mismatch(binary, "needs two numbers", left, right);
    }

    private static bool Fits(FieldType type, char symbol) => type switch
    {
        FieldType.Any or FieldType.Int or FieldType.Double => true,
        FieldType.Duration => symbol is '+' or '-',
        FieldType.String => symbol == '+',
        _ => false,
    };

    private Bound Mismatch(BinarySyntax binary, string needs, Bound left, Bound right)
    {
        errors.Add(new ExpressionError(binary.Offset, $"'{binary.Operator}' {needs}; here are {TypeNames.Of(left.Type)} and {TypeNames.Of(right.Type)}"));
        return binary.Operator is "+" or "-" or "*" or "/" or "%" ? Bound.Wrong : Bound.Wrong with { Type = FieldType.Bool };
    }

    private string Hint(string word, IEnumerable<string> known) => Spelling.Hint(word, known.Concat(_variables.Select(x => x.Name)));
}
