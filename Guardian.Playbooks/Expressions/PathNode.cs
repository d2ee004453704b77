using System.Text;
using System.Text.Json;
using Guardian.Playbooks.Model;

namespace Guardian.Playbooks.Expressions;

/// <summary>A name of the scope with its members, <c>incident.violations</c>: looked up by names that were encoded once.</summary>
internal sealed class PathNode : Node
{
    private readonly string _root;
    private readonly string _entry;
    private readonly byte[][] _members;
    private readonly FieldType _declared;
    private readonly bool _outcome;

    public PathNode(IReadOnlyList<string> path, FieldType declared)
    {
        Path = string.Join('.', path);
        _root = path[0];
        var keyed = _root is "steps" or "vars";
        _entry = keyed ? path[1] : "";
        _members = [.. path.Skip(keyed ? 2 : 1).Select(Encoding.UTF8.GetBytes)];
        _outcome = path is ["steps", _, NameTable.Outcome];
        _declared = declared;
    }

    /// <summary>As written.</summary>
    public string Path { get; }

    public override Value Evaluate(ref Frame frame)
    {
        if (!TryResolve(frame.Scope, out var value)) frame.Fail($"{Path} is missing");
        if (_declared is FieldType.Any || value.Kind == _declared) return value;
        if (_declared is FieldType.Rate or FieldType.Size or FieldType.Percentage && value.Kind == FieldType.String) return value;
        if (_declared is FieldType.Double && value.Kind == FieldType.Int) return Value.From(value.Double);
        if (_declared is FieldType.Duration && value.Kind == FieldType.String && Duration.TryParse(value.Text, out var duration)) return Value.From(duration.Value);
        frame.Fail($"{Path} is {TypeNames.Of(value.Kind)} but was declared as {TypeNames.Of(_declared)}");
        return default;
    }

    /// <summary>The value as it is now, of whatever type; false where it is missing or null.</summary>
    public bool TryResolve(EvaluationScope scope, out Value value)
    {
        if (_outcome && scope.Outcomes.TryGetValue(_entry, out var outcome))
        {
            value = Value.From(outcome);
            return true;
        }

        JsonElement json;
        switch (_root)
        {
            case "incident": json = scope.Incident; break;
            case "result": json = scope.Result; break;
            case "run": json = scope.Run; break;
            case "steps": scope.Steps.TryGetValue(_entry, out json); break;
            case "vars": scope.Vars.TryGetValue(_entry, out json); break;
            default:
                value = scope.Node is null ? default : Value.From(scope.Node);
                return scope.Node is not null;
        }

        foreach (var member in _members)
        {
            if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty(member, out json))
            {
                value = default;
                return false;
            }
        }

        return Value.TryFrom(json, out value);
    }
}

/// <summary>A member of a computed object, <c>x.name</c> where x is a variable.</summary>
internal sealed class MemberNode(Node target, string name) : Node
{
    private readonly byte[] _name = Encoding.UTF8.GetBytes(name);

    public override int Size => target.Size + 1;

    public override Value Evaluate(ref Frame frame)
    {
        if (!TryResolve(ref frame, out var value)) frame.Fail($"a value has no member '{name}'");
        return value;
    }

    public bool TryResolve(ref Frame frame, out Value value)
    {
        var owner = target.Evaluate(ref frame);
        value = default;
        return owner.Kind == FieldType.Object && owner.Json.TryGetProperty(_name, out var json) && Value.TryFrom(json, out value);
    }
}

/// <summary><c>has(incident.principal)</c>.</summary>
internal sealed class HasPathNode(PathNode path) : ConditionNode
{
    public override bool Test(ref Frame frame) => path.TryResolve(frame.Scope, out _);
}

/// <summary><c>has(x.name)</c>.</summary>
internal sealed class HasMemberNode(MemberNode member) : ConditionNode
{
    public override int Size => member.Size + 1;

    public override bool Test(ref Frame frame) => member.TryResolve(ref frame, out _);
}

/// <summary>A constant.</summary>
internal sealed class ConstantNode(Value value) : Node
{
    public override Value Evaluate(ref Frame frame) => value;
}

/// <summary>A variable of exists() or all().</summary>
internal sealed class LocalNode(int slot) : Node
{
    public override Value Evaluate(ref Frame frame) => frame.Locals[slot];
}

/// <summary>A list made by the expression. One of constants is made once.</summary>
internal sealed class ListNode(IReadOnlyList<Node> items) : Node
{
    public override int Size => 1 + items.Sum(x => x.Size);

    public override Value Evaluate(ref Frame frame)
    {
        var values = new Value[items.Count];
        for (var i = 0; i < values.Length; i++) values[i] = items[i].Evaluate(ref frame);
        return Value.From(values);
    }
}
