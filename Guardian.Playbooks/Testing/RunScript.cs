using System.Text.Json;
using System.Text.Json.Nodes;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Playbooks.Testing;

/// <summary>What a test says about the world: how attempts and measurements end.</summary>
internal sealed class RunScript(PlaybookTest test, Vocabulary vocabulary)
{
    private readonly Dictionary<string, int> _measured = new(StringComparer.Ordinal);

    /// <summary>The end of an attempt, by default a success; null where nobody answers.</summary>
    public RunInput.Outcome? Outcome(string key, string action, bool undo, int attempt)
    {
        undo |= key.EndsWith("/undo", StringComparison.Ordinal);
        var id = key.Split('/')[1].Split('@')[0];
        var scripted = (undo ? test.UndoOutcomes : test.Outcomes).GetValueOrDefault(id);
        var outcome = scripted is null ? new ScriptedOutcome(OutcomeKind.Succeeded) : scripted[Math.Clamp(attempt - 1, 0, scripted.Count - 1)];
        if (outcome.Kind is not { } kind) return null;
        var output = kind == OutcomeKind.Succeeded && !undo ? Fill(vocabulary.Actions[action].Outputs, outcome.Output) : default;
        return new RunInput.Outcome(key, kind, output, kind == OutcomeKind.Succeeded ? null : $"the test says {kind.ToString().ToLowerInvariant()}", attempt);
    }

    /// <summary>The next measurement of a verification; null where the test says nothing of it.</summary>
    public RunInput.Probed? Measurement(string id)
    {
        if (test.Probes.GetValueOrDefault(id) is not { } scripted) return null;
        var n = _measured.GetValueOrDefault(id);
        _measured[id] = n + 1;
        return scripted[Math.Min(n, scripted.Count - 1)] is { } result
            ? new RunInput.Probed(id, result, null)
            : new RunInput.Probed(id, default, "the test says failed");
    }

    /// <summary>What was given, and for each further field that is always there a value of its type.</summary>
    private static JsonElement Fill(IReadOnlyList<FieldSpec> fields, JsonElement? given)
    {
        var all = new JsonObject();
        foreach (var field in fields.Where(x => x.Required)) all[field.Name] = Sample(field);
        if (given is { ValueKind: JsonValueKind.Object } some)
        {
            foreach (var member in some.EnumerateObject()) all[member.Name] = JsonNode.Parse(member.Value.GetRawText());
        }

        return JsonSerializer.SerializeToElement(all);
    }

    private static JsonNode Sample(FieldSpec field) => field.Type switch
    {
        FieldType.Bool => false,
        FieldType.Int or FieldType.Double => 0,
        FieldType.Duration => "1s",
        FieldType.Rate => "1/s",
        FieldType.Size => "1B",
        FieldType.Percentage => "1%",
        FieldType.List => new JsonArray(),
        FieldType.Object => new JsonObject(),
        _ => field.Name,
    };
}
