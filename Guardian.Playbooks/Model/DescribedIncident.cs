using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Guardian.Playbooks.Yaml;

namespace Guardian.Playbooks.Model;

/// <summary>An incident that somebody describes by some of its fields: in a test, for a plan, or to start a run by hand.</summary>
public static class DescribedIncident
{
    /// <summary>The type that a described incident has: its <c>type</c>, or the only one that starts the playbook; null with the reason where neither tells.</summary>
    public static (IncidentType? Type, string? Error) TypeFor(Playbook playbook, Vocabulary vocabulary, JsonElement given)
    {
        ArgumentNullException.ThrowIfNull(playbook);
        ArgumentNullException.ThrowIfNull(vocabulary);
        if (Unreadable(given, "") is { } problem) return (null, problem);
        List<string> events = [.. playbook.Triggers.Select(x => x.Event).Distinct(StringComparer.Ordinal)];
        if (Text(given, "type") is not { } name)
            return events.Count == 1 ? (vocabulary.Incidents[events[0]], null) : (null, $"the incident needs a 'type': one of {string.Join(", ", events)}");
        return events.Contains(name) ? (vocabulary.Incidents[name], null) : (null, $"'{YamlNode.Shorten(name)}' does not start {playbook.Name}{Spelling.Hint(name, events)}");
    }

    /// <summary>The type that an event names by its <c>type</c>; null with the reason where it names none.</summary>
    public static (IncidentType? Type, string? Error) TypeFor(Vocabulary vocabulary, JsonElement given)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        if (Unreadable(given, "") is { } problem) return (null, problem);
        if (Text(given, "type") is not { } name) return (null, "the event needs a 'type', e.g. message_bus.acl_violation.spam_attack");
        return vocabulary.Incidents.TryGetValue(name, out var type)
            ? (type, null)
            : (null, $"no incident type is called '{YamlNode.Shorten(name)}'{Spelling.Hint(name, vocabulary.Incidents.Keys)}");
    }

    /// <summary>What is wrong with the given fields: unknown ones, wrong types, missing ones; empty where nothing is.</summary>
    public static IReadOnlyList<string> Check(IncidentType type, JsonElement given)
    {
        ArgumentNullException.ThrowIfNull(type);
        if (given.ValueKind != JsonValueKind.Object) return ["the incident must be an object with its fields"];
        if (Unreadable(given, "") is { } problem) return [problem];
        var errors = new List<string>();
        List<FieldSpec> fields = [.. IncidentType.Common, .. type.Fields];
        foreach (var member in given.EnumerateObject())
        {
            var field = fields.Find(x => x.Name == member.Name);
            if (field is null) errors.Add($"'{type.Name}' has no field '{YamlNode.Shorten(member.Name)}'{Spelling.Hint(member.Name, fields.Select(x => x.Name))}");
            else if (!Fits(member.Value, field.Type)) errors.Add($"'{member.Name}' must be {Validation.Literals.Form(field.Type)}");
        }

        foreach (var missing in type.Fields.Where(x => x.Required && !given.TryGetProperty(x.Name, out _)))
            errors.Add($"'{type.Name}' needs the field '{missing.Name}'{(missing.Summary.Length == 0 ? "" : $": {missing.Summary}")}");
        return errors;
    }

    /// <summary>The whole incident: what is not given of the fields that every incident has is filled in.</summary>
    public static JsonElement Complete(IncidentType type, JsonElement given, string node, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(type);
        var all = new JsonObject
        {
            ["id"] = "described",
            ["type"] = type.Name,
            ["severity"] = "medium",
            ["node"] = node,
            ["subject"] = Subject(given) ?? type.Name,
            ["openedAt"] = now.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
            ["occurrences"] = 1,
        };
        if (given.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in given.EnumerateObject()) all[member.Name] = JsonNode.Parse(member.Value.GetRawText());
        }

        all["type"] = type.Name;
        all["key"] = KeyOf(type, JsonSerializer.SerializeToElement(all));
        return JsonSerializer.SerializeToElement(all);
    }

    /// <summary>The key that the type defines, else the given one, else of type and subject; of an incident with all its fields.</summary>
    public static string KeyOf(IncidentType type, JsonElement given)
    {
        ArgumentNullException.ThrowIfNull(type);
        return (given.ValueKind == JsonValueKind.Object ? type.Key?.Invoke(given) : null)
            ?? Text(given, "key") ?? $"{type.Name}/{Subject(given) ?? type.Name}";
    }

    /// <summary>The blamed principal, else the topic: what monitors take where it is not given; null where neither is.</summary>
    public static string? Subject(JsonElement given) => Text(given, "subject") ?? Text(given, "principal") ?? Text(given, "topic");

    /// <summary>JSON may spell half of a surrogate pair, which is no text: nothing can read, compare or store it. Says where; null where all of it is text.</summary>
    private static string? Unreadable(JsonElement given, string at)
    {
        try
        {
            switch (given.ValueKind)
            {
                case JsonValueKind.String:
                    given.GetString();
                    return null;
                case JsonValueKind.Array:
                    return given.EnumerateArray().Select((x, i) => Unreadable(x, string.Create(CultureInfo.InvariantCulture, $"{at}[{i}]"))).FirstOrDefault(x => x is not null);
                case JsonValueKind.Object:
                    return given.EnumerateObject().Select(x => Unreadable(x.Value, at.Length == 0 ? x.Name : $"{at}.{x.Name}")).FirstOrDefault(x => x is not null);
                default:
                    return null;
            }
        }
        catch (InvalidOperationException)
        {
            var place = given.ValueKind == JsonValueKind.Object ? at.Length == 0 ? "the name of a field" : $"the name of a field in '{YamlNode.Shorten(at)}'" : $"'{YamlNode.Shorten(at)}'";
            return $"{place} is no text: \\ud800 to \\udfff stand only in pairs, a high and a low one";
        }
    }

    private static string? Text(JsonElement given, string name) =>
        given.ValueKind == JsonValueKind.Object && given.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool Fits(JsonElement value, FieldType type) => type switch
    {
        FieldType.Any => value.ValueKind != JsonValueKind.Null,
        FieldType.Bool => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        FieldType.Int => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        FieldType.Double => value.ValueKind == JsonValueKind.Number,
        FieldType.Duration => value.ValueKind == JsonValueKind.String && Duration.TryParse(value.GetString(), out _),
        FieldType.Rate => value.ValueKind == JsonValueKind.String && Rate.TryParse(value.GetString(), out _),
        FieldType.List => value.ValueKind == JsonValueKind.Array,
        FieldType.Object => value.ValueKind == JsonValueKind.Object,
        _ => value.ValueKind == JsonValueKind.String,
    };
}
