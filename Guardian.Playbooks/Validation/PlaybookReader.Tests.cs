using System.Text.Json;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Yaml;

namespace Guardian.Playbooks.Validation;

internal sealed partial class PlaybookReader
{
    private static readonly RunPhase[] Verdicts = [RunPhase.Resolved, RunPhase.RolledBack, RunPhase.Escalated, RunPhase.Cancelled, RunPhase.Observed];

    private List<PlaybookTest> ReadTests(
        IReadOnlyList<YamlNode> nodes, IReadOnlyList<IncidentType> types, IReadOnlyList<Step> steps, IReadOnlyList<Step> final, IReadOnlyList<Verification> verify)
    {
        var tests = new List<PlaybookTest>();
        var actions = steps.Concat(final).ToDictionary(x => x.Id, x => vocabulary.Actions.GetValueOrDefault(x.Action)?.Outputs ?? [], StringComparer.Ordinal);
        var probes = verify.Select(x => (x.Id, x.Probe)).Concat(steps.Concat(final).Where(x => x.SkipWhen is not null).Select(x => (x.Id, x.SkipWhen!.Probe)))
            .ToDictionary(x => x.Item1, x => vocabulary.Probes[x.Item2].Results, StringComparer.Ordinal);
        foreach (var node in nodes)
        {
            if (MapReader.Of(node, sink, "a test") is not { } map) continue;
            var name = map.RequireText("name");
            if (name is not null && tests.Exists(x => x.Name == name)) sink.Add(map.Take("name")!, $"another test is called '{YamlNode.Shorten(name)}' already");
            var test = new PlaybookTest { Name = name ?? "", At = new Place(node.Line, node.Column), Event = "", Incident = default };
            test = ReadGiven(MapReader.Of(map.Require("given"), sink, "'given'"), test, types, actions, probes);
            test = ReadExpect(MapReader.Of(map.Require("expect"), sink, "'expect'"), test, actions.Keys);
            map.Finish();
            tests.Add(test);
        }

        return tests;
    }

    private PlaybookTest ReadGiven(MapReader? given, PlaybookTest test, IReadOnlyList<IncidentType> types,
        Dictionary<string, IReadOnlyList<FieldSpec>> actions, Dictionary<string, IReadOnlyList<FieldSpec>> probes)
    {
        if (given is null) return test;
        var at = given.Require("event");
        var type = types.FirstOrDefault(x => x.Name == at?.Text);
        if (at is not null && type is null) sink.Add(at, $"{at.Describe()} does not start this playbook{Spelling.Hint(at.Text, types.Select(x => x.Name))}");
        var incident = given.Map("incident");
        if (type is not null && incident is not null) Fields(incident.Node, [.. IncidentType.Common, .. type.Fields], $"'{type.Name}'");
        var cancelAfter = given.Take("cancelAfter");
        if (cancelAfter is not null) CheckIds([cancelAfter], actions.Keys, "step");
        var result = test with
        {
            Event = type?.Name ?? "",
            Incident = incident is null ? JsonElement.Parse("{}") : Constant(incident.Node),
            Mode = given.Enum("mode", OperatingMode.Enforce),
            Outcomes = Scripts(given.Map("outcomes"), actions, "step", ReadOutcome),
            UndoOutcomes = Scripts(given.Map("undo"), actions, "step", ReadOutcome),
            Probes = Scripts(given.Map("probes"), probes, "verification", ReadResult),
            Approvals = Scripts(given.Map("approvals"), actions, "step", ReadApprovalWord).ToDictionary(x => x.Key, x => x.Value[0], StringComparer.Ordinal),
            CancelAfter = cancelAfter?.Text,
        };
        given.Finish();
        return result;
    }

    private PlaybookTest ReadExpect(MapReader? expect, PlaybookTest test, IReadOnlyCollection<string> stepIds)
    {
        if (expect is null) return test;
        var verdict = expect.Take("verdict");
        var phase = Verdicts.FirstOrDefault(x => YamlValues.Snake(x) == verdict?.Text);
        if (verdict is not null && phase == default)
            sink.Add(verdict, $"'verdict' must be one of {string.Join(", ", Verdicts.Select(YamlValues.Snake))}, not {verdict.Describe()}");
        var result = test with
        {
            Ran = Ids(expect, "ran", stepIds),
            Skipped = Ids(expect, "skipped", stepIds),
            Observed = Ids(expect, "observed", stepIds),
            Undone = Ids(expect, "undone", stepIds),
            Verdict = verdict is null ? null : phase,
        };
        expect.Finish();
        return result;
    }

    /// <summary>Values of declared fields, as JSON.</summary>
    private JsonElement Fields(YamlNode node, IReadOnlyList<FieldSpec> fields, string what)
    {
        foreach (var entry in node.Entries)
        {
            var field = fields.FirstOrDefault(x => x.Name == entry.Key);
            if (field is null)
                sink.Add(entry.KeyNode, $"{what} has no field '{YamlNode.Shorten(entry.Key)}'{Spelling.Hint(entry.Key, fields.Select(x => x.Name))}");
            else if (entry.Value.IsNull)
                sink.Add(entry.KeyNode, $"'{entry.Key}' is empty; give it a value or remove it");
            else if (!Literals.Fits(entry.Value, field.Type))
                sink.Add(entry.Value, $"'{entry.Key}' must be {Literals.Form(field.Type)}, not {entry.Value.Describe()}");
        }

        return Constant(node);
    }

    private List<string>? Ids(MapReader map, string key, IReadOnlyCollection<string> known)
    {
        if (map.Take(key) is null) return null;
        var nodes = map.List(key);
        CheckIds(nodes, known, "step");
        return [.. nodes.Select(x => x.Text)];
    }

    private void CheckIds(IReadOnlyList<YamlNode> ids, IReadOnlyCollection<string> known, string what)
    {
        foreach (var node in ids.Where(x => !known.Contains(x.Text)))
            sink.Add(node, $"no {what} has the id {node.Describe()}{Spelling.Hint(node.Text, known)}");
    }

    /// <summary>What happens at each id: one value, or a list of them for one attempt after the other.</summary>
    private Dictionary<string, IReadOnlyList<T>> Scripts<T>(
        MapReader? map, Dictionary<string, IReadOnlyList<FieldSpec>> known, string what, Func<YamlNode, IReadOnlyList<FieldSpec>, T> read)
    {
        var scripts = new Dictionary<string, IReadOnlyList<T>>(StringComparer.Ordinal);
        foreach (var entry in map?.Node.Entries ?? [])
        {
            CheckIds([entry.KeyNode], known.Keys, what);
            if (entry.Value is { Kind: YamlKind.List, Items.Count: 0 }) sink.Add(entry.Value, $"'{entry.Key}' is an empty list; give it a value or remove it");
            IReadOnlyList<YamlNode> values = entry.Value is { Kind: YamlKind.List, Items.Count: > 0 } list ? list.Items : [entry.Value];
            scripts[entry.Key] = [.. values.Select(x => read(x, known.GetValueOrDefault(entry.Key) ?? []))];
        }

        return scripts;
    }

    private ScriptedOutcome ReadOutcome(YamlNode node, IReadOnlyList<FieldSpec> outputs)
    {
        if (node.Kind == YamlKind.Map) return new ScriptedOutcome(OutcomeKind.Succeeded, Fields(node, outputs, "the action's output"));
        switch (node.Text)
        {
            case "succeeded": return new ScriptedOutcome(OutcomeKind.Succeeded);
            case "failed": return new ScriptedOutcome(OutcomeKind.Failed);
            case "unknown": return new ScriptedOutcome(OutcomeKind.Unknown);
            case "no_answer": return new ScriptedOutcome(null);
            default:
                sink.Add(node, $"an outcome is succeeded, failed, unknown, no_answer, or a map of the action's outputs, not {node.Describe()}");
                return new ScriptedOutcome(null);
        }
    }

    private JsonElement? ReadResult(YamlNode node, IReadOnlyList<FieldSpec> results)
    {
        if (node.Kind == YamlKind.Map) return Fields(node, results, "the probe's result");
        if (node.Text != "failed") sink.Add(node, $"a measurement is failed or a map of the probe's results, not {node.Describe()}");
        return null;
    }

    private bool ReadApprovalWord(YamlNode node, IReadOnlyList<FieldSpec> _)
    {
        if (node.Text is not ("approved" or "rejected")) sink.Add(node, $"an approval is approved or rejected, not {node.Describe()}");
        return node.Text == "approved";
    }
}
