namespace Guardian.Playbooks.Expressions;

/// <summary>A node of an expression as written. <see cref="Offset"/> is the place in the text where errors about it point.</summary>
internal abstract record Syntax(int Offset);

/// <summary>A constant.</summary>
internal sealed record LiteralSyntax(int Offset, Value Value) : Syntax(Offset);

/// <summary>What looks like a constant but is none.</summary>
internal sealed record BadSyntax(int Offset, string Message) : Syntax(Offset);

/// <summary>A name without a dot before it.</summary>
internal sealed record NameSyntax(int Offset, string Name) : Syntax(Offset);

/// <summary><c>target.name</c>.</summary>
internal sealed record MemberSyntax(int Offset, Syntax Target, string Name) : Syntax(Offset);

/// <summary><c>name(args)</c> or <c>target.name(args)</c>.</summary>
internal sealed record CallSyntax(int Offset, Syntax? Target, string Name, IReadOnlyList<Syntax> Arguments) : Syntax(Offset);

/// <summary><c>[a, b]</c>.</summary>
internal sealed record ListSyntax(int Offset, IReadOnlyList<Syntax> Items) : Syntax(Offset);

/// <summary><c>!a</c>, <c>-a</c>.</summary>
internal sealed record UnarySyntax(int Offset, char Operator, Syntax Operand) : Syntax(Offset);

/// <summary><c>a op b</c>.</summary>
internal sealed record BinarySyntax(int Offset, string Operator, Syntax Left, Syntax Right) : Syntax(Offset);

/// <summary><c>a ? b : c</c>.</summary>
internal sealed record ConditionalSyntax(int Offset, Syntax Condition, Syntax Then, Syntax Else) : Syntax(Offset);

/// <summary>What is wrong with an expression, and at which character.</summary>
internal sealed record ExpressionError(int Offset, string Message);
