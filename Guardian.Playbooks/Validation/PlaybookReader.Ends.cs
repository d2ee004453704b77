using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Yaml;

namespace Guardian.Playbooks.Validation;

internal sealed partial class PlaybookReader
{
    private static readonly string[] Verdicts = ["resolved", "rolled_back", "escalated", "cancelled", "observed"];

    private List<Verification> ReadVerifications(IReadOnlyList<YamlNode> nodes, NameTable names)
    {
        var verifications = new List<Verification>();
        foreach (var node in nodes)
        {
            if (MapReader.Of(node, sink, "a verification") is not { } map) continue;
            var id = ReadId(map, "a verification's id");
            var probe = Lookup(map.Require("probe"), vocabulary.Probes, "probe");
            var with = map.Take("with");
            var checkNode = map.Require("check");
            var every = map.Duration("every", TimeSpan.FromMilliseconds(500), PlaybookLimits.ShortestPause, PlaybookLimits.LongestAttempt);
            var passes = map.Int("succeedAfter", 1, 1, PlaybookLimits.Passes);
            var within = map.Duration("within", TimeSpan.FromSeconds(10), PlaybookLimits.ShortestTimeout, PlaybookLimits.LongestRun);
            map.Finish();
            if (every * (passes - 1) >= within)
                sink.Add(node, $"{passes} passes every {new Duration(every)} take longer than 'within' ({new Duration(within)}); this can never succeed");
            if (within / every > PlaybookLimits.Measurements)
                sink.Add(node, $"'within' ({new Duration(within)}) holds more than {PlaybookLimits.Measurements} measurements every {new Duration(every)}; raise 'every'");
            if (probe is null) continue;
            var template = new WithReader(names, [], sink, vocabulary.Secrets).Read(with, probe.Inputs, probe.Name, node);
            var check = Condition(checkNode, names.WithResult(probe.Results), "check");
            if (id is null || check is null) continue;
            verifications.Add(new Verification
            {
                Id = id,
                Probe = probe.Name,
                With = template,
                Check = check,
                Every = every,
                SucceedAfter = passes,
                Within = within,
            });
        }

        return verifications;
    }

    private IReadOnlyList<RollbackCause> ReadRollback(MapReader? rollback)
    {
        if (rollback is null) return [RollbackCause.StepFailed, RollbackCause.Cancelled];
        IReadOnlyList<RollbackCause> causes = rollback.Take("on") is null
            ? [RollbackCause.StepFailed, RollbackCause.Cancelled]
            : [.. rollback.List("on").Select(x => YamlValues.Enum<RollbackCause>(x, sink, "on")).OfType<RollbackCause>().Distinct()];
        Only(rollback, "order", "reverse");
        Only(rollback, "then", "escalate");
        rollback.Finish();
        return causes;
    }

    private void Only(MapReader map, string key, string value)
    {
        if (map.Take(key) is { } node && node.Text != value)
            sink.Add(node, $"'{key}: {YamlNode.Shorten(node.Text)}' is not supported by this release; only '{value}' is");
    }

    /// <summary>Reads the in-file tests.</summary>
    private List<PlaybookTest> ReadTests(IReadOnlyList<YamlNode> nodes, IReadOnlyList<IncidentType> types, IReadOnlyList<Step> steps)
    {
        var tests = new List<PlaybookTest>();
        foreach (var node in nodes)
        {
            if (MapReader.Of(node, sink, "a test") is not { } test) continue;
            var name = test.RequireText("name");
            var given = ReadGiven(MapReader.Of(test.Require("given"), sink, "'given'"), types);
            if (MapReader.Of(test.Require("expect"), sink, "'expect'") is { } expect)
            {
                var ran = StepIds(expect, "ran", steps);
                var skipped = StepIds(expect, "skipped", steps);
                var verdict = expect.Take("verdict");
                if (verdict is not null && !Verdicts.Contains(verdict.Text))
                    sink.Add(verdict, $"'verdict' must be one of {string.Join(", ", Verdicts)}, not {verdict.Describe()}");
                expect.Finish();
                if (name is not null && given is var (type, incident)) tests.Add(new PlaybookTest(name, type, incident, ran, skipped, verdict?.Text, node.Line));
            }

            test.Finish();
        }

        return tests;
    }

    private (string Event, System.Text.Json.JsonElement Incident)? ReadGiven(MapReader? given, IReadOnlyList<IncidentType> types)
    {
        if (given is null) return null;
        var at = given.Require("event");
        var incident = given.Map("incident");
        given.Finish();
        var type = types.FirstOrDefault(x => x.Name == at?.Text);
        if (at is not null && type is null) sink.Add(at, $"{at.Describe()} does not start this playbook{Spelling.Hint(at.Text, types.Select(x => x.Name))}");
        if (type is null) return null;
        if (incident is null) return (type.Name, Template.Empty.Render(new EvaluationScope()));
        var errors = sink.Count;
        var fields = IncidentType.Common.Concat(type.Fields).ToList();
        foreach (var entry in incident.Node.Entries)
        {
            var field = fields.FirstOrDefault(x => x.Name == entry.Key);
            if (field is null)
                sink.Add(entry.KeyNode, $"'{type.Name}' has no field '{YamlNode.Shorten(entry.Key)}'{Spelling.Hint(entry.Key, fields.Select(x => x.Name))}");
            else if (!entry.Value.IsNull && !Literals.Fits(entry.Value, field.Type))
                sink.Add(entry.Value, $"'{entry.Key}' must be {Literals.Form(field.Type)}, not {entry.Value.Describe()}");
        }

        if (sink.Count > errors) return null;
        var members = incident.Node.Entries.Where(x => !x.Value.IsNull)
            .Select(x => (x.Key, Typed(x.Value, fields.First(f => f.Name == x.Key).Type)));
        return (type.Name, new Template(new TemplatePart.Map([.. members])).Render(new EvaluationScope()));
    }

    /// <summary>A number for a text would be one to every condition; what the field declares counts.</summary>
    private static TemplatePart Typed(YamlNode node, FieldType type) =>
        node.Kind == YamlKind.Scalar && type != FieldType.Any ? new TemplatePart.Constant(Literals.Scalar(node, type)) : Literals.Part(node);

    private IReadOnlyList<string>? StepIds(MapReader expect, string key, IReadOnlyList<Step> steps)
    {
        if (expect.Take(key) is null) return null;
        var nodes = expect.List(key);
        CheckStepIds(nodes, steps);
        return [.. nodes.Select(x => x.Text)];
    }

    private void CheckStepIds(IReadOnlyList<YamlNode> ids, IReadOnlyList<Step> steps)
    {
        foreach (var node in ids.Where(x => steps.All(step => step.Id != x.Text)))
            sink.Add(node, $"no step has the id {node.Describe()}{Spelling.Hint(node.Text, steps.Select(x => x.Id))}");
    }
}
