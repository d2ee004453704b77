using Guardian.Playbooks.Model;
using Guardian.Playbooks.Yaml;

namespace Guardian.Playbooks.Expressions;

internal sealed partial class Binder
{
    /// <summary>A variable, a name of the scope, or a member of either.</summary>
    private Bound BindName(Syntax syntax)
    {
        if (Segments(syntax) is not { } segments)
        {
            var member = (MemberSyntax)syntax;
            return BindMember(member, Bind(member.Target));
        }

        var variable = _variables.FindLastIndex(x => x.Name == segments[0].Name);
        if (variable < 0) return BindPath(segments, optionalAllowed: false);
        return syntax is MemberSyntax below ? BindMember(below, Bind(below.Target)) : _variables[variable].Variable;
    }

    private Bound BindMember(MemberSyntax member, Bound target) => target.MayBe(FieldType.Object)
        ? new Bound(new MemberNode(target.Node, member.Name), FieldType.Any)
        : Error(member.Offset, $"{TypeNames.Of(target.Type)} has no members");

    /// <summary>Walks the declarations along a path; every wrong name is reported where it stands.</summary>
    private Bound BindPath(List<(int Offset, string Name)> path, bool optionalAllowed)
    {
        if (!names.Roots.TryGetValue(path[0].Name, out var declaration))
            return Error(path[0].Offset, $"unknown name '{path[0].Name}'{Hint(path[0].Name, names.Roots.Keys)}");
        var type = declaration.Type;
        var optional = false;
        for (var i = 0; i < path.Count; i++)
        {
            if (i > 0)
            {
                var owner = string.Join('.', path.Take(i).Select(x => x.Name));
                if (type is not (FieldType.Object or FieldType.Any)) return Error(path[i].Offset, $"'{owner}' is {TypeNames.Of(type)} and has no members");
                if (declaration?.Members is not { } members) (declaration, type) = (null, FieldType.Any);
                else if (members.TryGetValue(path[i].Name, out declaration)) type = declaration.Type;
                else return Error(path[i].Offset, $"'{owner}' has no '{path[i].Name}'{Spelling.Hint(path[i].Name, members.Keys)}");
            }

            if (declaration?.Refusal is { } refusal) return Error(path[i].Offset, refusal);
            optional |= declaration is { Optional: true } && !IsPresent(string.Join('.', path.Take(i + 1).Select(x => x.Name)));
        }

        if (path is [{ Name: "steps" or "vars" }]) return Error(path[0].Offset, $"'{path[0].Name}' is no value; name one of its members");
        var text = string.Join('.', path.Select(x => x.Name));
        if (optional && !optionalAllowed)
            return Error(path[0].Offset, $"'{text}' may be missing; ask has({text}) first");
        if (!_paths.TryGetValue(text, out var node)) _paths[text] = node = new PathNode([.. path.Select(x => x.Name)], type);
        return new Bound(node, type) { Values = declaration?.Values ?? [] };
    }

    /// <summary>True where has() vouched for the name or for something below it.</summary>
    private bool IsPresent(string path) =>
        _present.Any(x => x.StartsWith(path, StringComparison.Ordinal) && (x.Length == path.Length || x[path.Length] == '.'));

    /// <summary>The names of <c>a.b.c</c>; null where it does not begin with a name.</summary>
    private static List<(int Offset, string Name)>? Segments(Syntax syntax)
    {
        switch (syntax)
        {
            case NameSyntax name:
                return [(name.Offset, name.Name)];
            case MemberSyntax member when Segments(member.Target) is { } segments:
                segments.Add((member.Offset, member.Name));
                return segments;
            default:
                return null;
        }
    }
}

/// <summary>Which optional names are present once a condition turned out true or false.</summary>
internal static class Presence
{
    /// <summary>Names that has() vouches for.</summary>
    public static IEnumerable<string> Of(Syntax condition, bool outcome) => condition switch
    {
        CallSyntax { Target: null, Name: "has", Arguments: [var argument] } when outcome && Path(argument) is { } path => [path],
        UnarySyntax { Operator: '!' } x => Of(x.Operand, !outcome),
        BinarySyntax { Operator: "&&" } x when outcome => Of(x.Left, true).Concat(Of(x.Right, true)),
        BinarySyntax { Operator: "||" } x when !outcome => Of(x.Left, false).Concat(Of(x.Right, false)),
        _ => [],
    };

    private static string? Path(Syntax syntax) => syntax switch
    {
        NameSyntax name => name.Name,
        MemberSyntax member when Path(member.Target) is { } owner => $"{owner}.{member.Name}",
        _ => null,
    };
}
