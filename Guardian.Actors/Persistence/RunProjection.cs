using System.Text.Json;
using Guardian.Playbooks.Execution;

namespace Guardian.Actors.Persistence;

/// <summary>A run's view. Folded by the run's own <see cref="RunState.Apply"/>, so that lists and the run never disagree. Pure.</summary>
internal static class RunProjection
{
    /// <summary>The state after <paramref name="e"/>; null where the run's start was never seen. A start that comes again changes nothing.</summary>
    public static RunState? Apply(RunState? state, RunEvent e) => (state, e) switch
    {
        // The definition stays in the journal: it is the same in every row and no list shows it.
        (null, RunStarted started) => RunState.Empty.Apply(started with { Definition = "" }),
        (null, _) or (_, RunStarted) => state,
        _ => state.Apply(e),
    };

    /// <summary>What lists and details show.</summary>
    public static RunDetail View(RunState state)
    {
        var start = state.Start!;
        return new RunDetail
        {
            Id = start.RunId,
            Playbook = start.Playbook,
            Version = start.Version,
            Hash = start.Hash,
            Incident = start.IncidentId,
            IncidentKey = start.IncidentKey,
            State = Name(state.Phase),
            StartedAt = start.At,
            EndedAt = state.EndedAt,
            Reason = state.Reason,
            Steps = [.. state.Steps.Select(View)],
            Verify = [.. state.Verify.Select(v => new VerifyDetail { Id = v.Id, Passed = v.Passed, Result = v.Result, Reason = v.Reason })],
            Explain = state.Explain,
        };
    }

    /// <summary>A state as JSON has it.</summary>
    public static string Name<T>(T phase) where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(phase.ToString());

    private static StepDetail View(StepState s) => new()
    {
        Id = s.Id,
        Action = s.Action,
        State = Name(s.Phase),
        Attempt = s.Attempt,
        StartedAt = s.StartedAt,
        EndedAt = s.EndedAt,
        Input = s.Input,
        Output = s.Output,
        Reason = s.Reason,
        Undo = s.Undo,
    };
}
