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
            if (probe is null) continue;
            var template = new WithReader(names, [], sink).Read(with, probe.Inputs, probe.Name, node);
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

    /// <summary>Checks the shape and the names of the in-file tests.</summary>
    private void ReadTests(IReadOnlyList<YamlNode> tests, IReadOnlyList<IncidentType> types, IReadOnlyList<Step> steps)
    {
        foreach (var node in tests)
        {
            if (MapReader.Of(node, sink, "a test") is not { } test) continue;
            test.RequireText("name");
            ReadGiven(MapReader.Of(test.Require("given"), sink, "'given'"), types);
            if (MapReader.Of(test.Require("expect"), sink, "'expect'") is { } expect)
            {
                CheckStepIds(expect.List("ran"), steps);
                CheckStepIds(expect.List("skipped"), steps);
                if (expect.Take("verdict") is { } verdict && !Verdicts.Contains(verdict.Text))
                    sink.Add(verdict, $"'verdict' must be one of {string.Join(", ", Verdicts)}, not {verdict.Describe()}");
                expect.Finish();
            }

            test.Finish();
        }
    }

    private void ReadGiven(MapReader? given, IReadOnlyList<IncidentType> types)
    {
        if (given is null) return;
        var at = given.Require("event");
        var incident = given.Map("incident");
        given.Finish();
        var type = types.FirstOrDefault(x => x.Name == at?.Text);
        if (at is not null && type is null) sink.Add(at, $"{at.Describe()} does not start this playbook{Spelling.Hint(at.Text, types.Select(x => x.Name))}");
        if (type is null || incident is null) return;
        var fields = IncidentType.Common.Concat(type.Fields).ToList();
        foreach (var entry in incident.Node.Entries)
        {
            var field = fields.FirstOrDefault(x => x.Name == entry.Key);
            if (field is null)
                sink.Add(entry.KeyNode, $"'{type.Name}' has no field '{YamlNode.Shorten(entry.Key)}'{Spelling.Hint(entry.Key, fields.Select(x => x.Name))}");
            else if (!entry.Value.IsNull && !Literals.Fits(entry.Value, field.Type))
                sink.Add(entry.Value, $"'{entry.Key}' must be {Literals.Form(field.Type)}, not {entry.Value.Describe()}");
        }
    }

    private void CheckStepIds(IReadOnlyList<YamlNode> ids, IReadOnlyList<Step> steps)
    {
        foreach (var node in ids.Where(x => steps.All(step => step.Id != x.Text)))
            sink.Add(node, $"no step has the id {node.Describe()}{Spelling.Hint(node.Text, steps.Select(x => x.Id))}");
    }
}
