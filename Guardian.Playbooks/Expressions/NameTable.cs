using Guardian.Playbooks.Model;

namespace Guardian.Playbooks.Expressions;

/// <summary>What a name stands for.</summary>
/// <param name="Type">Its static type.</param>
/// <param name="Optional">True where it may be missing: it is used only where has() was asked before.</param>
/// <param name="Members">Members of a record; null where they are not declared (their type is Any).</param>
/// <param name="Refusal">Set: the name exists, but using it here is an error, and this says why.</param>
internal sealed record NameDeclaration(
    FieldType Type, bool Optional = false, IReadOnlyDictionary<string, NameDeclaration>? Members = null, string? Refusal = null)
{
    /// <summary>The texts that it may be; empty: any.</summary>
    public IReadOnlyList<string> Values { get; init; } = [];

    /// <summary>A record with these fields.</summary>
    public static NameDeclaration Record(IEnumerable<FieldSpec> fields, bool optional = false) =>
        Group(fields.ToDictionary(x => x.Name, x => new NameDeclaration(x.Type, optional || !x.Required) { Values = x.Values }, StringComparer.Ordinal));

    /// <summary>A record with these members.</summary>
    public static NameDeclaration Group(IReadOnlyDictionary<string, NameDeclaration> members) => new(FieldType.Object, false, members);
}

/// <summary>The names an expression may use, below the roots that <see cref="EvaluationScope"/> has: incident, steps, vars, run, node, result.</summary>
internal sealed class NameTable
{
    private NameTable(IReadOnlyDictionary<string, NameDeclaration> roots) => Roots = roots;

    /// <summary>How a step ended, <c>steps.&lt;id&gt;.outcome</c>: succeeded, failed, timed_out, skipped or target_gone.</summary>
    public const string Outcome = "outcome";

    /// <summary>What <see cref="Outcome"/> may be.</summary>
    public static IReadOnlyList<string> Outcomes { get; } = ["succeeded", "failed", "timed_out", "skipped", "target_gone"];

    /// <summary><c>secrets</c> where it must not be used.</summary>
    public static NameDeclaration Secrets { get; } = new(FieldType.Object,
        Refusal: "a secret stands only in an input that an action declares secret, as the whole of ${secrets.<name>}");

    /// <summary>No names.</summary>
    public static NameTable Empty { get; } = new(new Dictionary<string, NameDeclaration>());

    /// <summary><c>run</c> as every run has it.</summary>
    public static NameDeclaration Run { get; } = NameDeclaration.Record(
        [new("id", FieldType.String, true), new("playbook", FieldType.String, true), new("epoch", FieldType.Int, true)]);

    /// <summary>Declarations of the roots.</summary>
    public IReadOnlyDictionary<string, NameDeclaration> Roots { get; }

    /// <summary>The same names and one more.</summary>
    public NameTable With(string root, NameDeclaration declaration)
    {
        if (root is not ("incident" or "steps" or "vars" or "run" or "node" or "result" or "secrets")) throw new ArgumentException($"no scope has '{root}'", nameof(root));
        return new NameTable(new Dictionary<string, NameDeclaration>(Roots, StringComparer.Ordinal) { [root] = declaration });
    }

    /// <summary><c>incident</c> with the fields of every incident and these.</summary>
    public NameTable WithIncident(IEnumerable<FieldSpec> fields) => With("incident", NameDeclaration.Record(IncidentType.Common.Concat(fields)));

    /// <summary><c>result</c> with a probe's fields.</summary>
    public NameTable WithResult(IEnumerable<FieldSpec> fields) => With("result", NameDeclaration.Record(fields));
}
