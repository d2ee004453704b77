namespace Guardian.Actors.Chaos.Reports;

/// <summary>One drill with its verdict.</summary>
internal sealed record DrillReport(ScenarioPlan Plan, int Repetition, DrillRecord Record, DrillJudgement Judgement);

/// <summary>A whole <c>chaos run</c>.</summary>
internal sealed record ChaosReport(DateTimeOffset StartedAt, int Seed, string Target, string Version, string Replay, IReadOnlyList<DrillReport> Drills)
{
    public Verdict Worst => Verdicts.Worst([.. Drills.Select(x => x.Judgement.Verdict)]);

    public int Passed => Drills.Count(x => x.Judgement.Verdict == Verdict.Pass);
}
