using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;
using Guardian.Playbooks.Yaml;

namespace Guardian.Actors.Chaos;

/// <summary>One thing that a scenario should exercise.</summary>
/// <param name="Kind"><c>playbook</c>, <c>incident</c>, <c>action</c> or <c>invariant</c>.</param>
/// <param name="Name">Its name; an invariant's number.</param>
/// <param name="By">The scenarios that exercise it.</param>
/// <param name="Reason">Why none does yet, where that was written down.</param>
internal sealed record CoverageRow(string Kind, string Name, IReadOnlyList<string> By, string? Reason)
{
    public bool Covered => By.Count > 0;
}

/// <summary>
/// Which playbooks, kinds of incident, actions and invariants the scenarios exercise. A playbook is exercised where a scenario
/// expects it, an action where such a playbook has it, an invariant where a scenario says that it proves it.
/// </summary>
internal static class Coverage
{
    /// <summary>The invariants of the architecture, each provable by a scenario.</summary>
    public const int Invariants = 13;

    /// <summary>Folder beside the scenarios with the list of what is not covered yet.</summary>
    public const string ExceptionsFile = "coverage/not-covered.yaml";

    public static IReadOnlyList<CoverageRow> Of(IReadOnlyList<Scenario> scenarios, IReadOnlyList<Playbook> playbooks, Vocabulary vocabulary, IReadOnlyDictionary<string, string> exceptions)
    {
        IReadOnlyList<string> Naming(Func<Scenario, bool> match) => [.. scenarios.Where(match).Select(x => x.Name)];
        CoverageRow Row(string kind, string name, IReadOnlyList<string> by) => new(kind, name, by, by.Count == 0 ? exceptions.GetValueOrDefault($"{kind}/{name}") : null);

        var rows = playbooks.OrderBy(x => x.Name, StringComparer.Ordinal).Select(x => Row("playbook", x.Name, Naming(s => s.Expects(x.Name)))).ToList();
        rows.AddRange(vocabulary.Incidents.Keys.Order(StringComparer.Ordinal).Select(x => Row("incident", x, Naming(s => s.Expect.Incident == x))));
        foreach (var action in vocabulary.Actions.Keys.Order(StringComparer.Ordinal))
        {
            var using_ = playbooks.Where(x => x.Steps.Concat(x.Finally).Any(s => s.Action == action)).Select(x => x.Name).ToList();
            rows.Add(Row("action", action, Naming(s => using_.Exists(s.Expects))));
        }

        rows.AddRange(Enumerable.Range(1, Invariants).Select(n => Row("invariant", n.ToString(System.Globalization.CultureInfo.InvariantCulture), Naming(s => s.Proves.Contains(n)))));
        return rows;
    }

    /// <summary>Playbooks that no scenario exercises and nobody gave a reason for: a build must not pass with them.</summary>
    public static IReadOnlyList<CoverageRow> Missing(IReadOnlyList<CoverageRow> rows) => [.. rows.Where(x => x is { Kind: "playbook", Covered: false, Reason: null })];

    /// <summary>Reasons by <c>kind/name</c>. A file that is not there has none.</summary>
    public static (IReadOnlyDictionary<string, string> Reasons, IReadOnlyList<FileError> Errors) Exceptions(string path)
    {
        var reasons = new Dictionary<string, string>(StringComparer.Ordinal);
        var sink = new ErrorSink(path);
        if (!File.Exists(path)) return (reasons, []);
        if (MapReader.Of(YamlReader.ReadFile(path, sink).Root, sink, "the list") is not { } map) return (reasons, sink.Errors);
        foreach (var (kind, key) in new[] { ("playbook", "playbooks"), ("incident", "incidents"), ("action", "actions"), ("invariant", "invariants") })
        {
            foreach (var entry in map.Take(key)?.Entries ?? [])
            {
                if (string.IsNullOrWhiteSpace(entry.Value.Text)) sink.Add(entry.KeyNode, $"'{entry.Key}' needs a reason");
                reasons[$"{kind}/{entry.Key}"] = entry.Value.Text;
            }
        }

        map.Finish();
        return (reasons, sink.Errors);
    }
}
