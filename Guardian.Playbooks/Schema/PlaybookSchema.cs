using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Yaml;

namespace Guardian.Playbooks.Schema;

/// <summary>
/// The JSON schema (draft 7) of playbooks, for editors: the records of the file's form, and one branch for each registered action,
/// probe and incident type. Written with <c>enum</c> and <c>oneOf</c> alone, which every evaluator and every editor understands.
/// </summary>
public static class PlaybookSchema
{
    /// <summary>The shipped file's name, as playbooks name it in their first line.</summary>
    public const string FileName = "guardian.playbook.v1.schema.json";

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The schema's text for what is registered; the same text for the same vocabulary.</summary>
    public static string Generate(Vocabulary vocabulary)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        var root = new JsonObject { ["$schema"] = "http://json-schema.org/draft-07/schema#", ["title"] = "Guardian playbook" };
        foreach (var (key, value) in FormSchema.Of<PlaybookForm>().ToList()) root[key] = value?.DeepClone();
        root["definitions"] = Definitions(vocabulary);
        return root.ToJsonString(Readable) + "\n";
    }

    private static JsonObject Definitions(Vocabulary vocabulary)
    {
        var actions = vocabulary.Actions.Values.OrderBy(x => x.Name, StringComparer.Ordinal).ToList();
        var probes = vocabulary.Probes.Values.OrderBy(x => x.Name, StringComparer.Ordinal).ToList();
        var incidents = vocabulary.Incidents.Values.OrderBy(x => x.Name, StringComparer.Ordinal).ToList();
        var definitions = new JsonObject
        {
            ["event"] = new JsonObject { ["type"] = "string", ["enum"] = Texts(incidents.Select(x => x.Name)), ["description"] = "A registered incident type; gives 'incident' its fields." },
            ["steps"] = ListOf(Ref("step"), "Steps in order."),
            ["verify"] = ListOf(Ref("check"), "Verifications, side by side."),
            ["stepForm"] = FormSchema.Of<StepForm>(),
            ["checkForm"] = FormSchema.Of<VerifyForm>(),
            ["skipWhenForm"] = FormSchema.Of<SkipWhenForm>(),
            ["givenForm"] = FormSchema.Of<GivenForm>(),
        };
        foreach (var action in actions) definitions["with." + action.Name] = With(action.Inputs, action.Summary);
        foreach (var probe in probes) definitions["with." + probe.Name] = With(probe.Inputs, probe.Summary);
        foreach (var action in actions) definitions["undo." + action.Name] = Branch("action", action.Name, action.Summary, action.Inputs, null);
        definitions["undo"] = new JsonObject { ["oneOf"] = new JsonArray([.. actions.Select(x => (JsonNode)Ref("undo." + x.Name))]), ["description"] = "An action that takes this step back." };
        foreach (var action in actions) definitions["step." + action.Name] = Step(action, definitions["stepForm"]!.AsObject());
        foreach (var probe in probes)
        {
            definitions["check." + probe.Name] = Branch("probe", probe.Name, probe.Summary, probe.Inputs, ("checkForm", definitions["checkForm"]!.AsObject()));
            definitions["skipWhen." + probe.Name] = Branch("probe", probe.Name, probe.Summary, probe.Inputs, ("skipWhenForm", definitions["skipWhenForm"]!.AsObject()));
        }

        foreach (var incident in incidents) definitions["given." + incident.Name] = Given(incident, definitions["givenForm"]!.AsObject());
        definitions["step"] = OneOf("step.", actions.Select(x => x.Name));
        definitions["check"] = OneOf("check.", probes.Select(x => x.Name));
        definitions["skipWhen"] = OneOf("skipWhen.", probes.Select(x => x.Name));
        definitions["given"] = OneOf("given.", incidents.Select(x => x.Name));
        return definitions;
    }

    private static JsonObject Step(ActionSpec action, JsonObject form)
    {
        var summary = $"{action.Summary} Risk: {YamlValues.Snake(action.Risk)}{(action.HasUndo ? "; can be undone" : "")}.";
        var branch = Branch("action", action.Name, summary, action.Inputs, ("stepForm", form));
        branch["properties"]!["undo"] = action.HasUndo
            ? new JsonObject
            {
                ["description"] = "How it is taken back: auto (the action's inverse), or another action.",
                ["oneOf"] = new JsonArray(new JsonObject { ["type"] = "string", ["enum"] = new JsonArray("auto") }, Ref("undo")),
            }
            : Ref("undo");
        return branch;
    }

    /// <summary>A closed object in which <paramref name="key"/> has one value, with the inputs that belong to it and what the form adds.</summary>
    private static JsonObject Branch(string key, string name, string summary, IReadOnlyList<FieldSpec> inputs, (string Name, JsonObject Schema)? form)
    {
        var properties = new JsonObject { [key] = new JsonObject { ["type"] = "string", ["enum"] = new JsonArray(name), ["description"] = summary }, ["with"] = Ref("with." + name) };
        List<string> required = [key];
        if (inputs.Any(x => x.Required)) required.Add("with");
        if (form is { } common)
        {
            foreach (var (property, _) in common.Schema["properties"]!.AsObject()) properties[property] = Ref($"{common.Name}/properties/{property}");
            required.AddRange((common.Schema["required"] as JsonArray ?? []).Select(x => x!.GetValue<string>()));
        }

        return Closed(name, summary, properties, required);
    }

    private static JsonObject Given(IncidentType incident, JsonObject form)
    {
        var fields = new JsonObject();
        foreach (var field in IncidentType.Common.Concat(incident.Fields)) fields[field.Name] = Value(field, substituted: false);
        var properties = new JsonObject
        {
            ["event"] = new JsonObject { ["type"] = "string", ["enum"] = new JsonArray(incident.Name), ["description"] = "The incident type that starts the run." },
            ["incident"] = Closed(null, "Its fields; a field that is left out is missing, except those that every incident has.", fields, []),
        };
        foreach (var (property, _) in form["properties"]!.AsObject()) properties[property] = Ref($"givenForm/properties/{property}");
        return Closed(incident.Name, "The incident, and how steps and measurements end.", properties, ["event"]);
    }

    private static JsonObject With(IReadOnlyList<FieldSpec> inputs, string summary)
    {
        var properties = new JsonObject();
        foreach (var input in inputs) properties[input.Name] = Value(input, substituted: true);
        return Closed(null, summary, properties, inputs.Where(x => x.Required).Select(x => x.Name));
    }

    private static JsonObject Closed(string? title, string description, JsonObject properties, IEnumerable<string> required)
    {
        var schema = new JsonObject { ["type"] = "object", ["properties"] = properties, ["additionalProperties"] = false };
        if (title is not null) schema["title"] = title;
        if (description.Length > 0) schema["description"] = description;
        if (Texts(required) is { Count: > 0 } names) schema["required"] = names;
        return schema;
    }

    /// <summary>A value of a field as a file writes it; where it may be computed, also as <c>${…}</c>.</summary>
    private static JsonObject Value(FieldSpec field, bool substituted)
    {
        var schema = field switch
        {
            { Secret: true, Type: FieldType.String } => new JsonObject { ["type"] = "string", ["pattern"] = "\\$\\{ *secrets\\.", ["examples"] = new JsonArray("${secrets.name}") },
            { Values.Count: > 0 } => new JsonObject { ["type"] = "string", ["enum"] = Texts(field.Values) },
            { Type: FieldType.Bool } => new JsonObject { ["type"] = "boolean" },
            { Type: FieldType.Int } => new JsonObject { ["type"] = "integer" },
            { Type: FieldType.Double } => new JsonObject { ["type"] = "number" },
            { Type: FieldType.Duration } => FormSchema.Text(FormSchema.DurationPattern, "10s"),
            { Type: FieldType.Rate } => FormSchema.Text(FormSchema.RatePattern, "10/s"),
            { Type: FieldType.Size } => FormSchema.Text(FormSchema.SizePattern, "64MiB"),
            { Type: FieldType.Percentage } => FormSchema.Text(FormSchema.PercentagePattern, "50%"),
            { Type: FieldType.List } => new JsonObject { ["type"] = "array" },
            { Type: FieldType.Object } => new JsonObject { ["type"] = "object" },
            { Type: FieldType.String } => new JsonObject { ["type"] = "string" },
            _ => [],
        };
        if (substituted && !field.Secret && field.Type is not (FieldType.Any or FieldType.String) || substituted && field is { Values.Count: > 0 })
            schema = new JsonObject { ["anyOf"] = new JsonArray(schema, new JsonObject { ["type"] = "string", ["pattern"] = "\\$\\{" }) };
        if (field.Summary.Length > 0) schema["description"] = field.Summary;
        return schema;
    }

    private static JsonObject OneOf(string prefix, IEnumerable<string> names) => new() { ["oneOf"] = new JsonArray([.. names.Select(x => (JsonNode)Ref(prefix + x))]) };

    private static JsonObject ListOf(JsonObject item, string description) => new() { ["type"] = "array", ["items"] = item, ["description"] = description };

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(x => (JsonNode)JsonValue.Create(x))]);

    private static JsonObject Ref(string definition) => FormSchema.Ref(definition);
}
