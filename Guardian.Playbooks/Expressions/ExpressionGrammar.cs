using System.Globalization;
using Guardian.Playbooks.Model;
using Parlot;
using Parlot.Fluent;
using static Parlot.Fluent.Parsers;

namespace Guardian.Playbooks.Expressions;

/// <summary>The grammar: a subset of CEL (github.com/google/cel-spec, "Syntax"), with duration literals.</summary>
internal static class ExpressionGrammar
{
    // What an optional part gives where it is not there.
    private static readonly IReadOnlyList<Syntax> Absent = null!;

    private static readonly Parser<Syntax> Root = Build();

    /// <summary>Parses a text that <see cref="ExpressionText.Check"/> found harmless.</summary>
    public static Syntax? Parse(string text, List<ExpressionError> errors)
    {
        var context = new ParseContext(new Scanner(text));
        try
        {
            if (!Root.TryParse(context, out var syntax, out var error))
            {
                errors.Add(new ExpressionError(error?.Position.Offset ?? 0, error?.Message ?? "an expression is expected here"));
                return null;
            }

            var rest = context.Scanner.Cursor.Offset;
            while (rest < text.Length && char.IsWhiteSpace(text[rest])) rest++;
            if (rest == text.Length) return syntax;
            errors.Add(new ExpressionError(rest, Unexpected(text, rest)));
        }
        catch (ParseException e)
        {
            errors.Add(new ExpressionError(e.Position.Offset, e.Message));
        }

        return null;
    }

    private static string Unexpected(string text, int at) => text[at] switch
    {
        '=' => "'=' is no operator; compare with '=='",
        '&' => "'&' is no operator; write '&&'",
        '|' => "'|' is no operator; write '||'",
        '\'' or '"' => "the text is not closed, or has an escape that does not exist",
        '[' => "indexing is not supported; use exists() or all()",
        var c => $"unexpected '{c}'",
    };

    private static Parser<Syntax> Build()
    {
        var expression = Deferred<Syntax>();
        var identifier = Terms.Identifier()
            .When((_, x) => x.Span is not ("in" or "true" or "false" or "null"))
            .Then((_, start, _, x) => new NameSyntax(start, x.ToString()));
        var arguments = Terms.Char('(')
            .SkipAnd(Separated(Terms.Char(','), expression).Else([]))
            .AndSkip(Terms.Char(')').ElseError("')' is expected here"));

        var number = Terms.Pattern(x => char.IsAsciiLetterOrDigit(x) || x == '.')
            .When((_, x) => char.IsAsciiDigit(x.Span[0]))
            .Then((_, start, _, x) => Number(start, x.ToString()));
        var text = Terms.String(StringLiteralQuotes.SingleOrDouble)
            .Then<Syntax>((_, start, _, x) => new LiteralSyntax(start, Value.Literal(x.ToString())));
        var boolean = Terms.Keyword("true").Or(Terms.Keyword("false"))
            .Then<Syntax>((_, start, _, x) => new LiteralSyntax(start, Value.From(x == "true")));
        var nothing = Terms.Keyword("null")
            .Then<Syntax>((_, start, _, _) => new BadSyntax(start, "there is no null; ask with has(name) whether a value is there"));
        var list = Terms.Char('[').Then((_, start, _, _) => start)
            .And(Separated(Terms.Char(','), expression).Else([]))
            .AndSkip(Terms.Char(']').ElseError("']' is expected here"))
            .Then<Syntax>(x => new ListSyntax(x.Item1, x.Item2));
        var group = Terms.Char('(').SkipAnd(expression.ElseError("an expression is expected after '('")).AndSkip(Terms.Char(')').ElseError("')' is expected here"));
        var nameOrCall = identifier.And(arguments.Else(Absent))
            .Then<Syntax>(x => x.Item2 is null ? x.Item1 : new CallSyntax(x.Item1.Offset, null, x.Item1.Name, x.Item2));
        var primary = OneOf(number, text, boolean, nothing, list, group, nameOrCall);

        var member = Terms.Char('.').SkipAnd(identifier.ElseError("a name is expected after '.'")).And(arguments.Else(Absent));
        var postfix = primary.And(ZeroOrMany(member)).Then(x => x.Item2.Aggregate(x.Item1, (target, m) => m.Item2 is null
            ? new MemberSyntax(m.Item1.Offset, target, m.Item1.Name)
            : new CallSyntax(m.Item1.Offset, target, m.Item1.Name, m.Item2)));

        var prefix = Terms.Char('!').Or(Terms.Char('-')).Then((_, start, _, x) => (Offset: start, Operator: x));
        var unary = ZeroOrMany(prefix).And(postfix)
            .Then(x => x.Item1.Reverse().Aggregate(x.Item2, (operand, p) => new UnarySyntax(p.Offset, p.Operator, operand)));

        var product = Level(unary, "*", "/", "%");
        var sum = Level(product, "+", "-");
        var relation = Level(sum, "==", "!=", "<=", ">=", "<", ">", "in");
        var and = Level(relation, "&&");
        var or = Level(and, "||");
        var branches = Terms.Char('?').Then((_, start, _, _) => start)
            .And(expression.ElseError("an expression is expected after '?'"))
            .AndSkip(Terms.Char(':').ElseError("':' is expected here"))
            .And(expression.ElseError("an expression is expected after ':'"))
            .Then(x => new ConditionalSyntax(x.Item1, null!, x.Item2, x.Item3));
        expression.Parser = or.And(branches.Else((ConditionalSyntax)null!))
            .Then(x => x.Item2 is null ? x.Item1 : x.Item2 with { Condition = x.Item1 });
        return expression;
    }

    /// <summary>One level of left-associative operators above <paramref name="next"/>. Longer operators come before their beginnings.</summary>
    private static Parser<Syntax> Level(Parser<Syntax> next, params string[] operators)
    {
        var any = OneOf([.. operators.Select(x => x == "in" ? Terms.Keyword(x) : Terms.Text(x))])
            .Then((_, start, _, x) => (Offset: start, Operator: x));
        var tail = any.And(next.ElseError("an expression is expected after the operator"));
        return next.And(ZeroOrMany(tail))
            .Then(x => x.Item2.Aggregate(x.Item1, (left, t) => new BinarySyntax(t.Item1.Offset, t.Item1.Operator, left, t.Item2)));
    }

    private static Syntax Number(int offset, string text)
    {
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var whole)) return new LiteralSyntax(offset, Value.From(whole));
        const NumberStyles styles = NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        if (text.AsSpan().ContainsAny('.', 'e') && double.TryParse(text, styles, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number))
            return new LiteralSyntax(offset, Value.From(number));
        if (Duration.TryParse(text, out var duration)) return new LiteralSyntax(offset, Value.From(duration.Value));
        return new BadSyntax(offset, text.All(char.IsAsciiDigit)
            ? $"'{text}' is too large for a whole number"
            : $"'{text}' is neither a number nor a duration such as 200ms, 10s, 5m, 1h");
    }
}
