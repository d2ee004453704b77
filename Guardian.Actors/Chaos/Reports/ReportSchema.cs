using System.Text.Json;
using System.Text.Json.Nodes;

namespace Guardian.Actors.Chaos.Reports;

/// <summary>The published JSON schema of <c>run.json</c>: <c>docs/schemas/guardian.chaos.v1.schema.json</c>. A test holds it to what <see cref="JsonReport"/> writes.</summary>
internal static class ReportSchema
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static string Text() => Create().ToJsonString(Indented) + "\n";

    private static JsonObject Create()
    {
        var schema = Object(
            ("schema", new JsonObject { ["const"] = JsonReport.Schema }), ("startedAt", Type("string", "RFC 3339, UTC")), ("version", Type("string", "Of Guardian")),
            ("seed", Type("integer", "Repeats the run")), ("target", Type("string", "What was broken")), ("replay", Type("string", "The command that repeats the run")),
            ("verdict", Verdict()), ("exitCode", Type("integer", "0 to 6")), ("passed", Type("integer")), ("total", Type("integer")), ("drills", List(Drill())),
            ("skipped", List(Object(("scenario", Type("string")), ("missing", Type("string", "What this machine lacks for it"))))));
        schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
        schema["$id"] = "guardian.chaos.v1.schema.json";
        schema["title"] = "Guardian chaos run. Times are milliseconds after t0, when the fault was proven active; null is: did not happen.";
        return schema;
    }

    private static JsonObject Drill() => Object(
        ("scenario", Type("string")), ("title", Type("string")), ("repetition", Type("integer", "From 1")), ("verdict", Verdict()), ("reasons", List(Type("string"))),
        ("detectMs", Time()), ("actMs", Time()), ("recoverMs", Time()), ("resolveMs", Time()), ("bannedMs", Time()), ("takenOverMs", Time()), ("recoverAfterWithdrawalMs", Time()), ("durationMs", Time()),
        ("flood", Object(("sent", Count()), ("refused", Count()), ("aclDenied", Count()), ("blacklisted", Count()), ("limited", Count()), ("accepted", Count()), ("delivered", Count()), ("unknown", Count()),
            ("witnessed", Type("boolean", "Whether somebody allowed to read the topic watched it")))),
        ("load", Optional(Object(("operations", Count()), ("operationsInFault", Count()), ("ok", Count()), ("fail", Count()), ("info", Count()), ("delivered", Count()), ("anomalies", Count())),
            ("p99QuietMs", Time()), ("p99FaultMs", Time()), ("p99LimitMs", Time()))),
        ("incidents", List(Optional(Object(("id", Type("string")), ("type", Type("string")), ("subject", Type("string")), ("state", Type("string"))), ("violations", Count())))),
        ("runs", List(Object(("id", Type("string")), ("playbook", Type("string")), ("incident", Type("string")), ("state", Type("string")), ("steps", new JsonObject { ["type"] = "object", ["additionalProperties"] = Type("string") })))),
        ("banned", List(Type("string"))),
        ("verify", List(Object(("check", Type("string")), ("passed", Type("boolean")), ("explanation", Type("string"))))));

    private static JsonObject Verdict() => new() { ["enum"] = new JsonArray([.. Enum.GetValues<Verdict>().Select(x => (JsonNode)x.Name())]) };

    private static JsonObject Time() => new() { ["type"] = new JsonArray("number", "null") };

    private static JsonObject Count() => Type("integer");

    private static JsonObject Type(string type, string? description = null)
    {
        var schema = new JsonObject { ["type"] = type };
        if (description is not null) schema["description"] = description;
        return schema;
    }

    private static JsonObject List(JsonObject items) => new() { ["type"] = "array", ["items"] = items };

    private static JsonObject Object(params (string Name, JsonObject Schema)[] properties) => new()
    {
        ["type"] = "object",
        ["properties"] = new JsonObject(properties.Select(x => KeyValuePair.Create(x.Name, (JsonNode?)x.Schema))),
        ["required"] = new JsonArray([.. properties.Select(x => (JsonNode)x.Name)]),
        ["additionalProperties"] = false,
    };

    private static JsonObject Optional(JsonObject schema, params (string Name, JsonObject Schema)[] properties)
    {
        foreach (var (name, property) in properties) schema["properties"]!.AsObject()[name] = property;
        return schema;
    }
}
