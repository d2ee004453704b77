namespace Guardian.Actors.Chaos.Drills;

/// <summary>What a drill waits for, in the words of the live progress.</summary>
internal static class DrillPhase
{
    /// <summary>Everything that is waited for has been seen.</summary>
    public const string Healed = "healed";

    public static string Of(Expectation expect, NodeWatch watch, bool proven, bool recovered)
    {
        if (!proven) return "fault";
        if (expect.Incident is not null && watch.Incidents.Count == 0) return "waiting for detection";
        var run = watch.Runs.FirstOrDefault(x => x.Playbook == expect.Playbook);
        if (expect.Playbook is not null && run is null) return "detected";
        if (run is { EndedSeen: null }) return run.StepsDone is null ? "acting" : "verifying";
        return recovered ? Healed : "recovering";
    }
}
