namespace Guardian.Playbooks.Expressions;

/// <summary>Bounds on an expression. Not options: they keep hostile or mistaken text cheap, no sensible condition comes near them.</summary>
internal static class ExpressionLimits
{
    /// <summary>Longest text in characters. A condition that needs more belongs in a registered action or probe.</summary>
    public const int Length = 1_024;

    /// <summary>Deepest nesting of brackets, and most conditionals: together they bound the parser's recursion to a few kB of stack per level.</summary>
    public const int Depth = 32;

    /// <summary>Deepest tree, e.g. operators in one chain. Bounds the recursion of checker and evaluator.</summary>
    public const int TreeDepth = 128;

    /// <summary>Longest pattern of <c>matches()</c>; the automaton grows with it.</summary>
    public const int Pattern = 256;

    /// <summary>
    /// Budget of one evaluation: elements visited times operators applied to each, plus a unit for every 8 characters handled.
    /// Worth about a millisecond at most.
    /// </summary>
    public const int Cost = 100_000;

    /// <summary>Largest rendered input in bytes; a quarter of the bus's largest message.</summary>
    public const int Rendered = 64 * 1024;
}
