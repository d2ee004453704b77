using System.Buffers;
using System.Text;
using System.Text.Json;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions;

/// <summary><c>Guardian:Secrets:&lt;name&gt;</c>: where a secret that playbooks name is found. One of the two.</summary>
public sealed class SecretOptions
{
    /// <summary>Name of an environment variable.</summary>
    public string FromEnvironment { get; set; } = "";

    /// <summary>Path of a file that holds it, e.g. one mounted by the orchestrator; a line end at its end is not part of it.</summary>
    public string FromFile { get; set; } = "";
}

/// <summary>
/// The secrets of this node, read anew for each use, so that a rotated one holds at once. The journal and the messages between nodes
/// hold names; here the value is put in just before an action is carried out, and taken out of whatever the action says.
/// </summary>
internal sealed class SecretStore(IReadOnlyDictionary<string, SecretOptions> configured)
{
    /// <summary>A mounted secret is a key or a password.</summary>
    private const int LongestFile = 64 * 1024;

    /// <summary>Shorter ones would blank out ordinary words.</summary>
    private const int ShortestHidden = 4;

    public static SecretStore None { get; } = new(new Dictionary<string, SecretOptions>());

    public IEnumerable<string> Names => configured.Keys;

    /// <summary>The input with its secrets, and their values.</summary>
    /// <exception cref="ActionFailedException">One cannot be had; the message has its name and where it was looked for.</exception>
    public (JsonElement Input, IReadOnlyDictionary<string, string> Used) Fill(JsonElement input, IReadOnlyList<FieldSpec> fields)
    {
        var used = new Dictionary<string, string>(StringComparer.Ordinal);
        var filled = SecretForm.Resolve(input, fields.Where(x => x.Secret).Select(x => x.Name), name => used[name] = Read(name));
        return (filled, used);
    }

    /// <summary>The text without the values that were used.</summary>
    public static string? Hide(string? text, IReadOnlyDictionary<string, string> used)
    {
        if (text is null) return null;
        foreach (var (name, value) in used)
        {
            if (value.Length < ShortestHidden) continue;
            text = text.Replace(value, $"(secret {name})", StringComparison.Ordinal);
            text = text.Replace(JsonEncodedText.Encode(value).ToString(), $"(secret {name})", StringComparison.Ordinal);
        }

        return text;
    }

    /// <summary>The same, in every text of the value and in the names of its fields; numbers and literals stay what they are.</summary>
    public static JsonElement Hide(JsonElement value, IReadOnlyDictionary<string, string> used)
    {
        if (used.Count == 0) return value;
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer)) Write(writer, value, used);
        return JsonElement.Parse(buffer.WrittenSpan);
    }

    private static void Write(Utf8JsonWriter writer, JsonElement value, IReadOnlyDictionary<string, string> used)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var field in value.EnumerateObject())
                {
                    writer.WritePropertyName(Hide(field.Name, used)!);
                    Write(writer, field.Value, used);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in value.EnumerateArray()) Write(writer, item, used);
                writer.WriteEndArray();
                break;
            case JsonValueKind.String:
                writer.WriteStringValue(Hide(value.GetString(), used));
                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }

    private string Read(string name)
    {
        if (!configured.TryGetValue(name, out var place))
            throw new ActionFailedException($"secret '{name}' is not configured on this node; set Guardian:Secrets:{name}");
        if (place.FromEnvironment.Length > 0)
        {
            return Environment.GetEnvironmentVariable(place.FromEnvironment) is { Length: > 0 } value
                ? value
                : throw new ActionFailedException($"secret '{name}': the environment variable {place.FromEnvironment} is not set on this node");
        }

        try
        {
            if (new FileInfo(place.FromFile) is { Exists: true, Length: > LongestFile })
                throw new ActionFailedException($"secret '{name}': {place.FromFile} is larger than {LongestFile} bytes");
            return File.ReadAllText(place.FromFile, Encoding.UTF8).TrimEnd('\r', '\n') is { Length: > 0 } value
                ? value
                : throw new ActionFailedException($"secret '{name}': {place.FromFile} is empty");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ActionFailedException($"secret '{name}': {place.FromFile} cannot be read: {e.Message}", e);
        }
    }
}
