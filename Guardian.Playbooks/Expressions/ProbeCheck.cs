using Guardian.Playbooks.Model;

namespace Guardian.Playbooks.Expressions;

/// <summary>A condition on a probe's result alone, as an action may take it.</summary>
internal static class ProbeCheck
{
    /// <summary>The condition, or what is wrong with it; the same for the loader and for the action.</summary>
    public static (CompiledExpression? Check, IReadOnlyList<ExpressionError> Errors) Compile(string text, ProbeSpec probe) =>
        ExpressionCompiler.Compile(text, NameTable.Empty.WithResult(probe.Results), FieldType.Bool);
}
