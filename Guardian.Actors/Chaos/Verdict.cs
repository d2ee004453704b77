namespace Guardian.Actors.Chaos;

/// <summary>How a drill ended.</summary>
internal enum Verdict
{
    Pass,

    /// <summary>An expectation was missed.</summary>
    Fail,

    /// <summary>Something lost, doubled or executed though denied.</summary>
    Unsafe,

    /// <summary>No evidence of the fault, or too few operations.</summary>
    Inconclusive,

    /// <summary>A guardrail was breached or an operator stopped it.</summary>
    Aborted,

    /// <summary>The fault may still be active.</summary>
    UndoUnproven,

    /// <summary>The harness could not do its work.</summary>
    HarnessError,
}

internal static class Verdicts
{
    /// <summary>Worst first: what is known about Guardian's safety, then about its promises, then about the drill.</summary>
    private static readonly Verdict[] WorstFirst =
        [Verdict.Unsafe, Verdict.Fail, Verdict.UndoUnproven, Verdict.Aborted, Verdict.HarnessError, Verdict.Inconclusive, Verdict.Pass];

    public static int ExitCode(this Verdict verdict) => verdict switch
    {
        Verdict.Pass => 0,
        Verdict.Fail => 1,
        Verdict.Unsafe => 2,
        Verdict.Inconclusive => 3,
        Verdict.Aborted => 4,
        Verdict.UndoUnproven => 5,
        _ => 6,
    };

    public static string Name(this Verdict verdict) => verdict switch
    {
        Verdict.UndoUnproven => "undo_unproven",
        Verdict.HarnessError => "harness_error",
        _ => verdict.ToString().ToLowerInvariant(),
    };

    /// <summary>The worst of several; of none: a harness error, for nothing was proven.</summary>
    public static Verdict Worst(IReadOnlyCollection<Verdict> verdicts) =>
        verdicts.Count == 0 ? Verdict.HarnessError : WorstFirst.First(verdicts.Contains);
}
