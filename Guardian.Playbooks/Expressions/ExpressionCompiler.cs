using Guardian.Playbooks.Model;

namespace Guardian.Playbooks.Expressions;

/// <summary>Turns the text of an expression into one that can be evaluated, or into what is wrong with it.</summary>
internal static class ExpressionCompiler
{
    /// <summary>
    /// Parses and checks. The expression is null where there are errors; their offsets are into <paramref name="text"/>.
    /// </summary>
    /// <param name="text">The expression, without <c>${}</c>.</param>
    /// <param name="names">Names it may use.</param>
    /// <param name="expected">Type that is needed; Any takes all.</param>
    /// <param name="present">Optional names known to be present, from the <see cref="CompiledExpression.Vouches"/> of a condition tested before.</param>
    public static (CompiledExpression? Expression, IReadOnlyList<ExpressionError> Errors) Compile(
        string text, NameTable names, FieldType expected, IEnumerable<string>? present = null)
    {
        if (ExpressionText.Check(text) is { } refusal) return (null, [refusal]);
        var errors = new List<ExpressionError>();
        var syntax = ExpressionGrammar.Parse(text, errors);
        if (syntax is null) return (null, errors);
        if (Depth(syntax) > ExpressionLimits.TreeDepth) return (null, [new ExpressionError(0, $"more than {ExpressionLimits.TreeDepth} operators in one chain")]);
        var binder = new Binder(names, errors, present ?? []);
        var bound = binder.Bind(syntax);
        if (errors.Count == 0 && !TypeRules.Assignable(expected, bound.Type))
            errors.Add(new ExpressionError(FirstOffset(text), $"{TypeNames.Of(expected)} is needed here, not {TypeNames.Of(bound.Type)}"));
        if (errors.Count > 0) return (null, [.. errors.OrderBy(x => x.Offset)]);
        return (new CompiledExpression(text, bound, [.. binder.Paths], binder.Locals, [.. Presence.Of(syntax, true)]), []);
    }

    /// <summary>Compiles a text that is known to be right.</summary>
    /// <exception cref="FormatException">It is not; the message lists the errors.</exception>
    public static CompiledExpression Require(string text, NameTable names, FieldType expected)
    {
        var (expression, errors) = Compile(text, names, expected);
        return expression ?? throw new FormatException(string.Join("; ", errors.Select(x => $"{text}:{x.Offset}: {x.Message}")));
    }

    private static int FirstOffset(string text) => text.Length - text.AsSpan().TrimStart().Length;

    private static int Depth(Syntax syntax) => 1 + syntax switch
    {
        MemberSyntax x => Depth(x.Target),
        CallSyntax x => Math.Max(x.Target is null ? 0 : Depth(x.Target), x.Arguments.Select(Depth).DefaultIfEmpty().Max()),
        ListSyntax x => x.Items.Select(Depth).DefaultIfEmpty().Max(),
        UnarySyntax x => Depth(x.Operand),
        BinarySyntax x => Math.Max(Depth(x.Left), Depth(x.Right)),
        ConditionalSyntax x => Math.Max(Depth(x.Condition), Math.Max(Depth(x.Then), Depth(x.Else))),
        _ => 0,
    };
}
