using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Yaml;

namespace Guardian.Playbooks.Testing;

/// <summary>What came of one in-file test.</summary>
/// <param name="Playbook">The playbook.</param>
/// <param name="Test">The test.</param>
/// <param name="Failures">What was otherwise than expected, one line each; empty where it passed.</param>
/// <param name="Explain">The run's own account of what it did and why.</param>
public sealed record PlaybookTestResult(Playbook Playbook, PlaybookTest Test, IReadOnlyList<string> Failures, IReadOnlyList<string> Explain)
{
    /// <summary>True where everything was as expected.</summary>
    public bool Passed => Failures.Count == 0;
}

/// <summary>Runs the tests that stand in playbooks' files.</summary>
public static class PlaybookTester
{
    /// <summary>All tests of a playbook, in the file's order.</summary>
    public static IReadOnlyList<PlaybookTestResult> Run(Playbook playbook, Vocabulary vocabulary)
    {
        ArgumentNullException.ThrowIfNull(playbook);
        return [.. playbook.Tests.Select(test => Run(playbook, test, vocabulary))];
    }

    private static PlaybookTestResult Run(Playbook playbook, PlaybookTest test, Vocabulary vocabulary)
    {
        var run = RunSimulation.Run(playbook, vocabulary, test);
        var failures = new List<string>();
        if (run.Stuck is { } stuck) failures.Add($"the run has no end: {stuck}");
        Compare(failures, "ran", test.Ran, run.Ran, ordered: true);
        Compare(failures, "skipped", test.Skipped, Ids(run, x => x is { Phase: StepPhase.Skipped, Observed: false }), ordered: false);
        Compare(failures, "observed", test.Observed, Ids(run, x => x.Observed), ordered: false);
        Compare(failures, "undone", test.Undone, run.Undone, ordered: true);
        if (test.Verdict is { } verdict && run.Stuck is null && run.State.Phase != verdict)
            failures.Add($"verdict: expected {YamlValues.Snake(verdict)}, but it is {YamlValues.Snake(run.State.Phase)}: {run.State.Reason}");
        return new PlaybookTestResult(playbook, test, failures, run.State.Explain);
    }

    private static IReadOnlyList<string> Ids(SimulatedRun run, Func<StepState, bool> which) => [.. run.State.Steps.Where(which).Select(x => x.Id)];

    private static void Compare(List<string> failures, string what, IReadOnlyList<string>? expected, IReadOnlyList<string> actual, bool ordered)
    {
        if (expected is null) return;
        if (ordered ? expected.SequenceEqual(actual, StringComparer.Ordinal) : expected.ToHashSet(StringComparer.Ordinal).SetEquals(actual)) return;
        var missing = expected.Except(actual, StringComparer.Ordinal).ToList();
        var extra = actual.Except(expected, StringComparer.Ordinal).ToList();
        var difference = (missing, extra) switch
        {
            ({ Count: 0 }, { Count: 0 }) => "another order",
            ({ Count: 0 }, _) => $"too many: {string.Join(", ", extra)}",
            (_, { Count: 0 }) => $"missing: {string.Join(", ", missing)}",
            _ => $"missing: {string.Join(", ", missing)}; too many: {string.Join(", ", extra)}",
        };
        failures.Add($"{what}: expected [{string.Join(", ", expected)}], but it is [{string.Join(", ", actual)}] ({difference})");
    }
}
