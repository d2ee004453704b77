namespace Guardian.Actors.Chaos.Reports;

/// <summary>One drill with its verdict.</summary>
internal sealed record DrillReport(ScenarioPlan Plan, int Repetition, DrillRecord Record, DrillJudgement Judgement);

/// <summary>A scenario for which this machine lacks something.</summary>
/// <param name="Scenario">Its name.</param>
/// <param name="Missing">What, and how to get it.</param>
internal sealed record SkippedScenario(string Scenario, string Missing);

/// <summary>A whole <c>chaos run</c>.</summary>
internal sealed record ChaosReport(DateTimeOffset StartedAt, int Seed, string Target, string Version, string Replay, IReadOnlyList<DrillReport> Drills)
{
    /// <summary>Left out of <c>all</c>; asked for by name they are inconclusive.</summary>
    public IReadOnlyList<SkippedScenario> Skipped { get; init; } = [];

    public Verdict Worst => Verdicts.Worst([.. Drills.Select(x => x.Judgement.Verdict)]);

    public int Passed => Drills.Count(x => x.Judgement.Verdict == Verdict.Pass);
}
