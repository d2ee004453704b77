using System.Text.Json;
using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;

namespace Guardian.Tests.Playbooks.Expressions;

/// <summary>Names and values that the expression tests share.</summary>
internal static class ExpressionFixture
{
    public static NameTable Names { get; } = NameTable.Empty
        .WithIncident([
            new("principal", FieldType.String, false), new("topic", FieldType.String, true), new("violations", FieldType.Int, true),
            new("load", FieldType.Double, true), new("lease", FieldType.Duration, true), new("tags", FieldType.List, true),
            new("firing", FieldType.Bool, true), new("extra", FieldType.Any, false),
        ])
        .With("steps", NameDeclaration.Group(new Dictionary<string, NameDeclaration>
        {
            ["assess"] = NameDeclaration.Record([new("severity", FieldType.String, true), new("score", FieldType.Int, true)]),
            ["later"] = new(FieldType.Object, Refusal: "step 'later' runs later"),
        }))
        .With("vars", NameDeclaration.Group(new Dictionary<string, NameDeclaration> { ["channel"] = new(FieldType.String) }))
        .With("run", NameTable.Run)
        .With("node", new NameDeclaration(FieldType.String))
        .WithResult([new("count", FieldType.Int, true), new("until", FieldType.String, false), new("rows", FieldType.List, true)]);

    public static EvaluationScope Scope { get; } = new()
    {
        Incident = Json("""
            {"id":"i1","key":"acl/principal/rogue","type":"t","severity":"high","node":"n1","subject":"rogue","openedAt":"2026-01-01T00:00:00Z",
             "occurrences":1,"topic":"system.control","violations":237,"load":0.5,"lease":"10m","tags":["a","b"],"firing":true,"principal":null,"extra":{"x":1}}
            """),
        Steps = new Dictionary<string, JsonElement> { ["assess"] = Json("""{"severity":"high","score":7}""") },
        Vars = new Dictionary<string, JsonElement> { ["channel"] = Json("\"security\"") },
        Run = Json("""{"id":"i1.1","playbook":"p","epoch":3}"""),
        Node = "n1",
        Result = Json("""{"count":0,"rows":[{"name":"a","n":1},{"name":"b","n":5}]}"""),
    };

    public static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;

    public static bool Test(string text) => ExpressionCompiler.Require(text, Names, FieldType.Bool).Test(Scope);

    public static IReadOnlyList<ExpressionError> Errors(string text, FieldType expected = FieldType.Bool) => ExpressionCompiler.Compile(text, Names, expected).Errors;
}
