using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Guardian.Playbooks.Model;

namespace Guardian.Playbooks.Schema;

/// <summary>JSON schemas of the form records, and of values as a file writes them.</summary>
internal static class FormSchema
{
    public const string DurationPattern = "[0-9]*\\.?[0-9]+(ms|s|m|h|d)";
    public const string RatePattern = "[0-9]+/(s|m|h)";
    public const string SizePattern = "[0-9]*\\.?[0-9]+(B|KiB|MiB|GiB|TiB)";
    public const string PercentagePattern = "[0-9]*\\.?[0-9]+%";

    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    };

    private static readonly JsonSchemaExporterOptions Exporting = new() { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = Transform };

    /// <summary>Closed: what is not named is an error.</summary>
    public static JsonObject Of<T>() => Options.GetJsonSchemaAsNode(typeof(T), Exporting).AsObject();

    /// <summary>A whole text of this form.</summary>
    public static JsonObject Text(string pattern, string example) =>
        new() { ["type"] = "string", ["pattern"] = $"^{pattern}$", ["examples"] = new JsonArray(example) };

    public static JsonObject Ref(string definition) => new() { ["$ref"] = $"#/definitions/{definition}" };

    private static JsonObject Transform(JsonSchemaExporterContext context, JsonNode schema)
    {
        var attributes = context.PropertyInfo?.AttributeProvider;
        T? Find<T>() where T : Attribute => attributes?.GetCustomAttributes(typeof(T), false).Cast<T>().FirstOrDefault();
        if (Find<DefinedAttribute>() is { } defined) return Ref(defined.Name);
        var type = Nullable.GetUnderlyingType(context.TypeInfo.Type) ?? context.TypeInfo.Type;
        var result = type switch
        {
            _ when type == typeof(Duration) => Text(DurationPattern, "10s"),
            _ when type == typeof(Percentage) => Text(PercentagePattern, "50%"),
            _ when type == typeof(ExpressionForm) => new JsonObject { ["type"] = new JsonArray("string", "boolean") },
            _ => WithoutNull(schema),
        };
        if (Find<OnlyAttribute>() is { } only) result["enum"] = new JsonArray([.. only.Values.Select(x => (JsonNode)JsonValue.Create(x))]);
        if (Find<PatternAttribute>() is { } pattern) result["pattern"] = pattern.Pattern;
        if (Find<RangeAttribute>() is { Minimum: int min, Maximum: int max })
        {
            result["minimum"] = min;
            if (max < int.MaxValue) result["maximum"] = max;
        }

        if (Find<DescriptionAttribute>() is { } description) result["description"] = description.Description;
        return result;
    }

    /// <summary>A key without a value is a mistake, not a null.</summary>
    private static JsonObject WithoutNull(JsonNode schema)
    {
        if (schema is not JsonObject map) return []; // 'true': any value
        if (map["type"] is JsonArray types && types.Select(x => x!.GetValue<string>()).Where(x => x != "null").ToList() is [var only]) map["type"] = only;
        if (map["enum"] is JsonArray values)
        {
            for (var i = values.Count - 1; i >= 0; i--)
            {
                if (values[i] is null) values.RemoveAt(i);
            }
        }

        if (map["type"]?.GetValueKind() == JsonValueKind.String && map["type"]!.GetValue<string>() == "integer") map.Remove("pattern");
        return map;
    }
}
