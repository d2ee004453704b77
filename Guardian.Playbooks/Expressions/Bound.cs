using Guardian.Playbooks.Model;

namespace Guardian.Playbooks.Expressions;

/// <summary>A checked part of an expression.</summary>
/// <param name="Node">Evaluates it.</param>
/// <param name="Type">Its static type.</param>
/// <param name="Element">Type of a list's items where it is known.</param>
internal readonly record struct Bound(Node Node, FieldType Type, FieldType Element = FieldType.Any)
{
    /// <summary>The texts that it may be; empty: any.</summary>
    public IReadOnlyList<string> Values { get; init; } = [];

    /// <summary>Stands for what was wrong and is reported: everything may be done with it, so that one mistake gives one error.</summary>
    public static Bound Wrong { get; } = new(new ConstantNode(Value.From(false)), FieldType.Any);

    /// <summary>True where it is a number or may be one.</summary>
    public bool MayBeNumber => Type is FieldType.Int or FieldType.Double or FieldType.Any;

    /// <summary>True where it is of this type or may be.</summary>
    public bool MayBe(FieldType type) => Type == type || Type == FieldType.Any;

    /// <summary>A condition.</summary>
    public static Bound Condition(Node node) => new(node, FieldType.Bool);
}

/// <summary>Which types go together.</summary>
internal static class TypeRules
{
    /// <summary>True where == of the two makes sense.</summary>
    public static bool Comparable(FieldType a, FieldType b) =>
        a is not (FieldType.List or FieldType.Object) && b is not (FieldType.List or FieldType.Object)
        && (a == FieldType.Any || b == FieldType.Any || a == b || (IsNumber(a) && IsNumber(b)));

    /// <summary>True where &lt; of the two makes sense.</summary>
    public static bool Ordered(FieldType a, FieldType b) =>
        Comparable(a, b) && HasOrder(a) && HasOrder(b);

    /// <summary>The type of what is one or the other; null where they do not go together.</summary>
    public static FieldType? Join(FieldType a, FieldType b) =>
        a == b ? a
        : a == FieldType.Any || b == FieldType.Any ? FieldType.Any
        : IsNumber(a) && IsNumber(b) ? FieldType.Double
        : null;

    /// <summary>True where a value of <paramref name="actual"/> may be given for <paramref name="expected"/>.</summary>
    public static bool Assignable(FieldType expected, FieldType actual) =>
        expected == actual || expected == FieldType.Any || actual == FieldType.Any || (expected == FieldType.Double && actual == FieldType.Int);

    private static bool HasOrder(FieldType type) => type is not (FieldType.Bool or FieldType.Rate or FieldType.Size or FieldType.Percentage);

    private static bool IsNumber(FieldType type) => type is FieldType.Int or FieldType.Double;
}
