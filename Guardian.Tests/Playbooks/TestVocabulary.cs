using Guardian.Playbooks.Model;

namespace Guardian.Tests.Playbooks;

/// <summary>The vocabulary that playbook tests are checked against, shaped like the built-in actions and probes.</summary>
internal static class TestVocabulary
{
    public static Vocabulary Instance { get; } = new(
        BuiltInIncidents.All,
        [
            Action("severity.assess", RiskClass.None, [In("violations", FieldType.Int)], [Out("severity", FieldType.String), Out("score", FieldType.Int)]),
            Action("blacklist.add", RiskClass.Contain, [In("principal", FieldType.String), In("for", FieldType.Duration)], [Out("principal", FieldType.String), Out("until", FieldType.String), Out("offences", FieldType.Int)], undo: true),
            Action("blacklist.remove", RiskClass.Contain, [In("principal", FieldType.String)], [], undo: true),
            Action("bus.rate_limit", RiskClass.Contain,
                [In("topic", FieldType.String), In("rate", FieldType.Rate), In("for", FieldType.Duration), Optional("denialsOnly", FieldType.Bool), Optional("principal", FieldType.String)],
                [Out("mitigation", FieldType.String), Out("until", FieldType.String)], undo: true),
            Action("bus.restart", RiskClass.Disrupt, [], [Out("restarts", FieldType.Int)]),
            Action("notify", RiskClass.None, [In("channel", FieldType.String), In("text", FieldType.String), Optional("severity", FieldType.String)], []),
            Action("task.create", RiskClass.None, [In("title", FieldType.String), Optional("body", FieldType.String)], [Out("item", FieldType.String)]),
            Action("wait", RiskClass.None, [In("for", FieldType.Duration) with { Rule = InputRule.WithinTimeout }], []),
        ],
        [
            new ProbeSpec("bus.violations", [In("subject", FieldType.String), Optional("window", FieldType.Duration)], [Out("count", FieldType.Int)]),
            new ProbeSpec("bus.health", [], [Out("healthy", FieldType.Bool), Out("restarts", FieldType.Int), Out("queued", FieldType.Int), Out("parked", FieldType.Int)]),
            new ProbeSpec("blacklist.contains", [In("principal", FieldType.String)], [Out("banned", FieldType.Bool), Optional("until", FieldType.String)]),
            new ProbeSpec("http.get", [In("url", FieldType.String), Optional("timeout", FieldType.Duration)], [Out("status", FieldType.Int), Out("elapsedMs", FieldType.Int)]),
        ]);

    private static ActionSpec Action(string name, RiskClass risk, FieldSpec[] inputs, FieldSpec[] outputs, bool undo = false) =>
        new(name, risk, inputs, outputs, undo, true);

    private static FieldSpec In(string name, FieldType type) => new(name, type, true);

    private static FieldSpec Out(string name, FieldType type) => new(name, type, true);

    private static FieldSpec Optional(string name, FieldType type) => new(name, type, false);
}
