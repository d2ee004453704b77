using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Yaml;

namespace Guardian.Playbooks.Validation;

/// <summary>Builds the names in scope from what a playbook declares.</summary>
internal static class Names
{
    /// <summary>True for a name that an expression can write: a letter or underscore, then letters, digits, underscores; at most 64.</summary>
    public static bool IsIdentifier(string text) =>
        text.Length is > 0 and <= 64 && !char.IsAsciiDigit(text[0]) && text.All(x => char.IsAsciiLetterOrDigit(x) || x == '_')
        && text is not ("in" or "true" or "false" or "null");

    /// <summary>
    /// The fields of <c>incident</c> under several events: what all have is there, others may be missing;
    /// where their types differ, the type is known only at run time.
    /// </summary>
    public static IReadOnlyList<FieldSpec> IncidentFields(IReadOnlyList<IncidentType> types)
    {
        var fields = new List<FieldSpec>();
        foreach (var group in types.SelectMany(x => x.Fields).GroupBy(x => x.Name, StringComparer.Ordinal))
        {
            var first = group.First();
            var type = group.All(x => x.Type == first.Type) ? first.Type : FieldType.Any;
            fields.Add(first with { Type = type, Required = group.Count() == types.Count && group.All(x => x.Required) });
        }

        return fields;
    }

    /// <summary>
    /// <c>steps</c> as seen from one place: outputs of the steps before it; naming itself or a later one is an error that says so.
    /// What a conditional or tolerated step returns may be missing.
    /// </summary>
    public static NameDeclaration Steps(IEnumerable<Step> before, IEnumerable<string> others, Vocabulary vocabulary, bool allOptional = false)
    {
        var members = new Dictionary<string, NameDeclaration>(StringComparer.Ordinal);
        foreach (var step in before)
        {
            var optional = allOptional || step.If is not null || step.SkipWhen is not null || step.ContinueOnError;
            members[step.Id] = WithOutcome(NameDeclaration.Record(Outputs(step, vocabulary), optional));
        }

        foreach (var id in others)
            members.TryAdd(id, new NameDeclaration(FieldType.Object, Refusal: $"step '{id}' has not run here yet; only outputs of earlier steps can be used"));
        return NameDeclaration.Group(members);
    }

    /// <summary>The outputs of a step: those of its action, or, where it runs on many nodes, a list of what each gave.</summary>
    public static IReadOnlyList<FieldSpec> Outputs(Step step, Vocabulary vocabulary) =>
        step.On.Many ? ManyOutputs : vocabulary.Actions.TryGetValue(step.Action, out var action) ? action.Outputs : [];

    private static readonly FieldSpec[] ManyOutputs = [new("nodes", FieldType.List, true, "One entry per node: node, outcome, output.")];

    /// <summary>How it ended is known of every step that is over, also of one that was skipped.</summary>
    private static NameDeclaration WithOutcome(NameDeclaration step) => NameDeclaration.Group(
        new Dictionary<string, NameDeclaration>(step.Members!, StringComparer.Ordinal) { [NameTable.Outcome] = new(FieldType.String) { Values = NameTable.Outcomes } });

    /// <summary><c>vars</c> by the types of their values.</summary>
    public static NameDeclaration Vars(YamlNode? vars) => NameDeclaration.Group(
        (vars?.Entries ?? []).ToDictionary(x => x.Key, x => Declare(x.Value), StringComparer.Ordinal));

    private static NameDeclaration Declare(YamlNode node) => node.Kind == YamlKind.Map ? Vars(node) : new NameDeclaration(Literals.Infer(node));
}
