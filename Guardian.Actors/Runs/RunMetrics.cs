using System.Collections.Frozen;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text.Json;
using Guardian.Playbooks.Execution;

namespace Guardian.Actors.Runs;

/// <summary>
/// What runs on this node did, on the meter <c>Guardian</c>. Counted when an event enters the journal, so that a recovery counts nothing
/// twice; names of playbooks and actions come from files and are few.
/// </summary>
internal static class RunMetrics
{
    private static readonly Meter Meter = new(Telemetry.GuardianMetrics.MeterName);
    private static readonly Counter<long> Started = Meter.CreateCounter<long>("guardian.runs.started", "{run}", "Runs started, by playbook.");
    private static readonly Counter<long> TakenOver = Meter.CreateCounter<long>("guardian.runs.taken_over", "{run}", "Runs taken over after a crash or a move, by playbook.");
    private static readonly Counter<long> Narrowed = Meter.CreateCounter<long>("guardian.runs.narrowed", "{run}", "Runs that guards let take their containment steps alone, by playbook.");
    private static readonly Counter<long> Held = Meter.CreateCounter<long>("guardian.runs.held", "{hold}", "Times that a run began to wait without acting: a hold, a silence, a guard.");
    private static readonly Counter<long> Ended = Meter.CreateCounter<long>("guardian.runs.ended", "{run}", "Runs ended, by playbook and state.");
    private static readonly Histogram<double> Duration = Meter.CreateHistogram<double>("guardian.runs.duration", "s", "From the start of a run to its end, by playbook and state.");
    private static readonly Counter<long> Steps = Meter.CreateCounter<long>("guardian.runs.steps", "{step}", "Steps of ended runs, by action and state.");

    private static readonly FrozenDictionary<RunPhase, string> Phases = Names<RunPhase>();
    private static readonly FrozenDictionary<StepPhase, string> StepPhases = Names<StepPhase>();

    /// <summary>Counts an event that is in the journal now.</summary>
    /// <param name="e">The event.</param>
    /// <param name="state">The run with it.</param>
    public static void Note(RunEvent e, RunState state)
    {
        if (state.Start is not { } start) return;
        var playbook = new KeyValuePair<string, object?>("playbook", start.Playbook);
        switch (e)
        {
            case RunStarted: Started.Add(1, playbook); break;
            case RunRecovered: TakenOver.Add(1, playbook); break;
            case RunAdmitted { ContainmentOnly: true }: Narrowed.Add(1, playbook); break;
            case RunHeld: Held.Add(1, playbook); break;
            case RunEnded x:
                var end = new TagList { playbook, new("state", Phases[x.Phase]) };
                Ended.Add(1, end);
                Duration.Record((x.At - start.At).TotalSeconds, end);
                foreach (var step in state.Steps) Steps.Add(1, new("action", step.Action), new("state", StepPhases[step.Phase]));
                break;
        }
    }

    private static FrozenDictionary<T, string> Names<T>()
        where T : struct, Enum => Enum.GetValues<T>().ToFrozenDictionary(x => x, x => JsonNamingPolicy.SnakeCaseLower.ConvertName(x.ToString()));
}
