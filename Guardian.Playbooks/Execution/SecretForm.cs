using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Guardian.Playbooks.Execution;

/// <summary>
/// How a secret stands in a rendered input, and so in the journal: by its name,
/// <c>{"$secret": ["Bearer ", {"name": "token"}]}</c>. Only the agent that carries the action out puts the value in.
/// </summary>
public static class SecretForm
{
    internal const string Member = "$secret";
    internal const string Name = "name";

    /// <summary>The input with the values of its secrets, looked up by name; below the given inputs alone.</summary>
    /// <param name="input">A rendered input, an object.</param>
    /// <param name="fields">The inputs that are secret.</param>
    /// <param name="lookup">The value of a secret by name; throws where there is none.</param>
    public static JsonElement Resolve(JsonElement input, IEnumerable<string> fields, Func<string, string> lookup)
    {
        ArgumentNullException.ThrowIfNull(fields);
        ArgumentNullException.ThrowIfNull(lookup);
        if (input.ValueKind != JsonValueKind.Object) return input;
        JsonObject? changed = null;
        foreach (var field in fields)
        {
            if (!input.TryGetProperty(field, out var value)) continue;
            changed ??= JsonObject.Create(input)!;
            changed[field] = Resolve(value, lookup);
        }

        return changed is null ? input : JsonSerializer.SerializeToElement(changed);
    }

    private static JsonNode? Resolve(JsonElement value, Func<string, string> lookup) => value.ValueKind switch
    {
        JsonValueKind.Object when value.TryGetProperty(Member, out var pieces) && pieces.ValueKind == JsonValueKind.Array => Text(pieces, lookup),
        JsonValueKind.Object => new JsonObject(value.EnumerateObject().Select(x => KeyValuePair.Create(x.Name, Resolve(x.Value, lookup)))),
        JsonValueKind.Array => new JsonArray([.. value.EnumerateArray().Select(x => Resolve(x, lookup))]),
        _ => JsonValue.Create(value),
    };

    private static JsonValue Text(JsonElement pieces, Func<string, string> lookup)
    {
        var text = new StringBuilder();
        foreach (var piece in pieces.EnumerateArray())
            text.Append(piece.ValueKind == JsonValueKind.Object ? lookup(piece.GetProperty(Name).GetString()!) : piece.GetString());
        return JsonValue.Create(text.ToString());
    }
}
