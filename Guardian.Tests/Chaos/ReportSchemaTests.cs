using System.Text.Json;
using System.Text.Json.Nodes;
using Guardian.Actors.Chaos;
using Guardian.Actors.Chaos.Drills;
using Guardian.Actors.Chaos.Reports;
using Guardian.Tests.Playbooks;

namespace Guardian.Tests.Chaos;

/// <summary>The published schema is what the code says, and a real report fits it to the last field.</summary>
public sealed class ReportSchemaTests
{
    [Fact]
    public void The_published_schema_is_that_of_the_code() =>
        File.ReadAllText(Path.Combine(RepositoryFiles.Folder("docs"), "schemas", "guardian.chaos.v1.schema.json")).Should().Be(ReportSchema.Text(), "'guardian chaos schema' prints it");

    [Fact]
    public async Task A_report_has_the_fields_of_the_schema_and_no_others()
    {
        var plan = new ScenarioPlan(ChaosTexts.Spam(ChaosTexts.SpamText.Replace("slack: 20ms", "slack: 5s", StringComparison.Ordinal)), 1);
        var record = await new DrillRunner(new ScriptedTarget(), TimeProvider.System, DrillLog.None, _ => { }, new DrillTiming { WarmUp = TimeSpan.FromMilliseconds(100), Poll = TimeSpan.FromMilliseconds(10) }).RunAsync(plan, default);
        var report = new ChaosReport(DateTimeOffset.UnixEpoch, 1, "a test", "1.2.3", "guardian chaos run S02 --seed 1", [new DrillReport(plan, 1, record, DrillJudge.Judge(plan, record))]);
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer)) JsonReport.Write(json, report);
        using var document = JsonDocument.Parse(buffer.ToArray());
        var schema = JsonNode.Parse(ReportSchema.Text())!.AsObject();
        Problems(document.RootElement, schema, "$").Should().BeEmpty();
        document.RootElement.GetProperty("drills")[0].GetProperty("runs").GetArrayLength().Should().Be(1, "the lists must not be empty, else nothing of them is checked");

        var broken = JsonNode.Parse(document.RootElement.GetRawText())!.AsObject();
        broken["drills"]![0]!.AsObject().Remove("seed");
        broken["drills"]![0]!["verdict"] = "fine";
        Problems(JsonSerializer.SerializeToElement(broken), schema, "$").Should().ContainSingle().Which.Should().Contain("$.drills[0].verdict");
    }

    private static IEnumerable<string> Problems(JsonElement value, JsonObject schema, string at)
    {
        if (schema["const"] is { } only && value.ToString() != only.ToString()) yield return $"{at} is not {only}";
        if (schema["enum"] is JsonArray choices && !choices.Any(x => x!.ToString() == value.ToString())) yield return $"{at} is {value}";
        if (schema["type"] is { } type && !Fits(value, type)) yield return $"{at} is a {value.ValueKind}, not {type}";
        if (value.ValueKind == JsonValueKind.Array && schema["items"] is JsonObject items)
        {
            var i = 0;
            foreach (var item in value.EnumerateArray())
            {
                foreach (var problem in Problems(item, items, $"{at}[{i}]")) yield return problem;
                i++;
            }
        }

        if (value.ValueKind != JsonValueKind.Object || schema["properties"] is not JsonObject properties) yield break;
        foreach (var required in schema["required"]!.AsArray())
        {
            if (!value.TryGetProperty(required!.ToString(), out _)) yield return $"{at} lacks {required}";
        }

        foreach (var member in value.EnumerateObject())
        {
            if (properties[member.Name] is not JsonObject inner) yield return $"{at} has {member.Name}, which the schema does not know";
            else
            {
                foreach (var problem in Problems(member.Value, inner, $"{at}.{member.Name}")) yield return problem;
            }
        }
    }

    private static bool Fits(JsonElement value, JsonNode type) => type is JsonArray several ? several.Any(x => Fits(value, x!)) : type.ToString() switch
    {
        "string" => value.ValueKind == JsonValueKind.String,
        "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        "number" => value.ValueKind == JsonValueKind.Number,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "null" => value.ValueKind == JsonValueKind.Null,
        "array" => value.ValueKind == JsonValueKind.Array,
        _ => value.ValueKind == JsonValueKind.Object,
    };
}
