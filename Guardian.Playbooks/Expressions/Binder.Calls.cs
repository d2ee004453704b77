using System.Text.RegularExpressions;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Yaml;

namespace Guardian.Playbooks.Expressions;

internal sealed partial class Binder
{
    private static readonly string[] Functions = ["has", "size", "min", "max"];
    private static readonly string[] Methods = ["startsWith", "endsWith", "contains", "matches", "exists", "all", "size"];

    private Bound BindCall(CallSyntax call)
    {
        if (call.Target is null)
        {
            return call.Name switch
            {
                "has" => BindHas(call),
                "size" => BindSize(call, call.Arguments),
                "min" or "max" => BindExtreme(call),
                _ when Methods.Contains(call.Name) => Error(call.Offset, $"'{call.Name}' follows its subject: x.{call.Name}(…)"),
                _ => Error(call.Offset, $"unknown function '{call.Name}'{Spelling.Hint(call.Name, Functions.Concat(Methods))}"),
            };
        }

        return call.Name switch
        {
            "startsWith" or "endsWith" or "contains" => BindText(call),
            "matches" => BindMatches(call),
            "exists" or "all" => BindQuantifier(call),
            "size" => BindSize(call, [call.Target, .. call.Arguments]),
            _ => Error(call.Offset, $"unknown function '{call.Name}'{Spelling.Hint(call.Name, Methods)}"),
        };
    }

    private Bound BindHas(CallSyntax call)
    {
        if (call.Arguments is not [var argument] || argument is not (NameSyntax or MemberSyntax))
            return Error(call.Offset, "has() takes one name, e.g. has(incident.principal)");
        if (Segments(argument) is { } path && _variables.All(x => x.Name != path[0].Name))
        {
            var bound = BindPath(path, optionalAllowed: true);
            return bound.Node is PathNode node ? Bound.Condition(new HasPathNode(node)) : bound with { Type = FieldType.Bool };
        }

        return Bind(argument).Node is MemberNode member
            ? Bound.Condition(new HasMemberNode(member))
            : Error(argument.Offset, "has() needs a name with a member, e.g. has(x.name)");
    }

    private Bound BindSize(CallSyntax call, IReadOnlyList<Syntax> arguments)
    {
        if (arguments is not [var argument]) return Error(call.Offset, "size() takes one value");
        var bound = Bind(argument);
        return bound.Type is FieldType.Any or FieldType.String or FieldType.List or FieldType.Object
            ? new Bound(new SizeNode(bound.Node), FieldType.Int)
            : Error(call.Offset, $"size() needs a text or a list, not {TypeNames.Of(bound.Type)}");
    }

    private Bound BindExtreme(CallSyntax call)
    {
        var bounds = call.Arguments.Select(Bind).ToList();
        if (bounds.Count == 0) return Error(call.Offset, $"{call.Name}() takes a list or values");
        if (call.Arguments is [ListSyntax { Items.Count: 0 }]) return Error(call.Offset, $"{call.Name}() of an empty list has no value");
        var types = bounds.Count == 1 && bounds[0].Type == FieldType.List ? [bounds[0].Element] : bounds.Select(x => x.Type).ToList();
        var type = types.Aggregate((FieldType?)types[0], (a, b) => a is { } x ? TypeRules.Join(x, b) : null);
        return type is FieldType.Int or FieldType.Double or FieldType.Duration || (type is FieldType.Any && types.All(x => x is FieldType.Any or FieldType.Int or FieldType.Double or FieldType.Duration))
            ? new Bound(new ExtremeNode(call.Name, [.. bounds.Select(x => x.Node)], call.Name == "max"), type.Value)
            : Error(call.Offset, $"{call.Name}() needs numbers or durations, not {string.Join(", ", types.Distinct().Select(TypeNames.Of))}");
    }

    private Bound BindText(CallSyntax call)
    {
        if (call.Arguments is not [var argument]) return Error(call.Offset, $"{call.Name}() takes one text");
        var target = Bind(call.Target!);
        var part = Bind(argument);
        return target.MayBe(FieldType.String) && part.MayBe(FieldType.String)
            ? Bound.Condition(new TextCallNode(call.Name, target.Node, part.Node))
            : Error(call.Offset, $"{call.Name}() needs two texts; here are {TypeNames.Of(target.Type)} and {TypeNames.Of(part.Type)}");
    }

    private Bound BindMatches(CallSyntax call)
    {
        var target = Bind(call.Target!);
        if (!target.MayBe(FieldType.String)) return Error(call.Offset, $"matches() needs a text, not {TypeNames.Of(target.Type)}");
        if (call.Arguments is not [LiteralSyntax { Value.Kind: FieldType.String } literal])
            return Error(call.Offset, "matches() takes one pattern, written as a text in quotes");
        var pattern = literal.Value.Text;
        if (pattern.Length > ExpressionLimits.Pattern) return Error(literal.Offset, $"the pattern has {pattern.Length} characters; at most {ExpressionLimits.Pattern} are allowed");
        try
        {
            var regex = new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
            return Bound.Condition(new MatchesNode(target.Node, regex));
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return Error(literal.Offset, $"the pattern is not usable: {e.Message}");
        }
    }

    private Bound BindQuantifier(CallSyntax call)
    {
        var list = Bind(call.Target!);
        if (call.Arguments is not [NameSyntax variable, var body]) return Error(call.Offset, $"{call.Name}() takes a variable and a condition: list.{call.Name}(x, x > 0)");
        if (!list.MayBe(FieldType.List)) return Error(call.Offset, $"{call.Name}() needs a list, not {TypeNames.Of(list.Type)}");
        if (names.Roots.ContainsKey(variable.Name) || _variables.Any(x => x.Name == variable.Name))
            return Error(variable.Offset, $"'{variable.Name}' is taken; choose another name for the variable");
        var slot = _variables.Count;
        _variables.Add((variable.Name, new Bound(new LocalNode(slot), list.Element)));
        Locals = Math.Max(Locals, _variables.Count);
        var condition = Bind(body);
        _variables.RemoveAt(slot);
        return condition.MayBe(FieldType.Bool)
            ? Bound.Condition(new QuantifierNode(list.Node, slot, condition.Node, call.Name == "all"))
            : Error(body.Offset, $"{call.Name}() needs a condition, not {TypeNames.Of(condition.Type)}");
    }
}
