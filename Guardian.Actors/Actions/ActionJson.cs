using System.Text.Json;
using System.Text.Json.Serialization;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions;

/// <summary>
/// How <c>with:</c> becomes an action's input record and an output record becomes JSON: camelCase names, durations,
/// rates, sizes and percentages as their text, enums in snake_case. An input with a missing, unknown or wrongly typed field is refused with its name.
/// </summary>
internal static class ActionJson
{
    public static JsonSerializerOptions Options { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectNullableAnnotations = true,
        Converters =
        {
            new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower),
            new TextConverter<Duration>(Duration.Parse, x => x.ToString()),
            new TextConverter<TimeSpan>(x => Duration.Parse(x).Value, x => new Duration(x).ToString()),
            new TextConverter<Rate>(Rate.Parse, x => x.ToString()),
            new TextConverter<ByteSize>(ByteSize.Parse, x => x.ToString()),
            new TextConverter<Percentage>(Percentage.Parse, x => x.ToString()),
        },
    };

    /// <summary>Reads an input record.</summary>
    /// <exception cref="ActionFailedException">The input does not fit; the message names action and field.</exception>
    public static T Read<T>(string owner, JsonElement input, IReadOnlyList<FieldSpec> fields)
        where T : class
    {
        if (input.ValueKind == JsonValueKind.Undefined) input = JsonElement.Parse("{}");
        if (input.ValueKind != JsonValueKind.Object)
            throw new ActionFailedException($"{owner}: the input is not an object but {Kind(input)}");
        foreach (var given in input.EnumerateObject())
        {
            if (!fields.Any(x => x.Name == given.Name))
                throw new ActionFailedException($"{owner}: unknown field '{given.Name}'; it takes {Names(fields)}");
        }

        foreach (var field in fields)
        {
            if (field.Required && !input.TryGetProperty(field.Name, out _))
                throw new ActionFailedException($"{owner}: field '{field.Name}' is missing; it takes {Names(fields)}");
        }

        try
        {
            return input.Deserialize<T>(Options) ?? throw new ActionFailedException($"{owner}: the input is null");
        }
        catch (JsonException e)
        {
            throw new ActionFailedException($"{owner}: {Explain(e, input, fields)}", e);
        }
    }

    /// <summary>An output record as an object.</summary>
    public static JsonElement Write<T>(T output) => JsonSerializer.SerializeToElement(output, Options);

    private static string Explain(JsonException e, JsonElement input, IReadOnlyList<FieldSpec> fields)
    {
        var name = e.Path?.Split('.', '[').ElementAtOrDefault(1);
        var field = fields.FirstOrDefault(x => x.Name == name);
        if (field is null || !input.TryGetProperty(field.Name, out var value)) return e.Message;
        return e.InnerException is FormatException format
            ? $"field '{field.Name}': {format.Message}"
            : $"field '{field.Name}' must be of type {field.Type}, but is {Kind(value)} {Shorten(value)}";
    }

    private static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => "text",
        JsonValueKind.Number => "the number",
        JsonValueKind.Array => "a list",
        JsonValueKind.Object => "an object",
        JsonValueKind.Null => "null",
        _ => "the value",
    };

    private static string Shorten(JsonElement value)
    {
        if (value.ValueKind is not (JsonValueKind.String or JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False)) return "";
        var text = value.GetRawText();
        return text.Length <= 40 ? text : text[..40] + "…";
    }

    private static string Names(IReadOnlyList<FieldSpec> fields) =>
        fields.Count == 0 ? "no fields" : string.Join(", ", fields.Select(x => x.Name));

    private sealed class TextConverter<T>(Func<string?, T> parse, Func<T, string> format) : JsonConverter<T>
    {
        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType != JsonTokenType.String) throw new JsonException();
            try
            {
                return parse(reader.GetString());
            }
            catch (FormatException e)
            {
                throw new JsonException(null, e);
            }
        }

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(format(value));
    }
}
