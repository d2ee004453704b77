using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Yaml;

namespace Guardian.Playbooks.Validation;

internal sealed partial class PlaybookReader
{
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
            var template = new WithReader(names, [], sink, vocabulary).Read(with, probe.Inputs, probe.Name, node);
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

    private (IReadOnlyList<RollbackCause> On, RollbackEnd Then) ReadRollback(MapReader? rollback)
    {
        if (rollback is null) return ([RollbackCause.StepFailed, RollbackCause.Cancelled], RollbackEnd.Escalate);
        IReadOnlyList<RollbackCause> causes = rollback.Take("on") is null
            ? [RollbackCause.StepFailed, RollbackCause.Cancelled]
            : [.. rollback.List("on").Select(x => YamlValues.Enum<RollbackCause>(x, sink, "on")).OfType<RollbackCause>().Distinct()];
        Only(rollback, "order", "reverse");
        var then = rollback.Enum("then", RollbackEnd.Escalate);
        rollback.Finish();
        return (causes, then);
    }

    private void Only(MapReader map, string key, string value)
    {
        if (map.Take(key) is { } node && node.Text != value)
            sink.Add(node, $"'{key}' must be {value}, not {node.Describe()}");
    }
}
