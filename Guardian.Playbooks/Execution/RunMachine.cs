using System.Text.Json;
using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;

namespace Guardian.Playbooks.Execution;

/// <summary>
/// Decides what a run of one playbook does next. Pure: no clock, no I/O, no Akka.
/// The shell persists <see cref="RunDecision.Events"/>, folds them, asks again, and carries out commands only after that.
/// </summary>
public sealed partial class RunMachine(Playbook playbook, Vocabulary vocabulary)
{
    /// <summary>What goes on is told again by its monitor at least once a minute.</summary>
    private static readonly TimeSpan RarestRepeat = TimeSpan.FromSeconds(90);

    /// <summary>What grows is told ten times a second, on a machine that is at its end a few seconds late. A shorter silence is not calm.</summary>
    private static readonly TimeSpan ShortestCalm = TimeSpan.FromSeconds(5);

    private readonly Lazy<HashSet<string>> _counted = new(() => vocabulary.Incidents.Values.SelectMany(x => x.Fields).Where(x => x.Counted).Select(x => $"incident.{x.Name}").ToHashSet(StringComparer.Ordinal));

    private static readonly RunDecision Nothing = new([], [], null);

    /// <summary>The playbook.</summary>
    public Playbook Playbook { get; } = playbook;

    /// <summary>The vocabulary it was checked against.</summary>
    public Vocabulary Vocabulary { get; } = vocabulary;

    /// <summary>The first event of a run.</summary>
    public RunStarted Start(string runId, string incidentId, string incidentKey, string node, int seed, string because, RunView view) => new()
    {
        At = view.Now,
        RunId = runId,
        IncidentId = incidentId,
        IncidentKey = incidentKey,
        Playbook = Playbook.Name,
        Version = Playbook.Version,
        Hash = Playbook.Hash,
        Definition = Playbook.Definition,
        Incident = view.Incident.Clone(),
        Because = because,
        Node = node,
        Seed = seed,
        Steps = [.. Playbook.Steps.Concat(Playbook.Finally).Select(x => new StepOutline(x.Id, x.Action))],
        Verify = [.. Playbook.Verify.Select(x => x.Id)],
    };

    /// <summary>What follows from the state alone at <see cref="RunView.Now"/>.</summary>
    public RunDecision Decide(RunState state, RunView view)
    {
        if (state.Start is null || state.Ended) return Nothing;
        if (Hold(state, view) is { } hold) return hold;
        if (state.Cancel is { } cancel && state.Rollback?.Then != RunPhase.Cancelled)
            return TurnBack(state, view, RunPhase.Cancelled, $"cancelled by {cancel.By}: {cancel.Reason}", [.. Undoing(state).Union(Undoable(state, RollbackCause.Cancelled))]);
        if (state.Rollback is { } rollback) return Recall(state, view, rollback) ?? Undo(state, view) ?? AfterUndo(state, view, rollback);

        var end = RunDeadline(state);
        if (view.Now >= end)
            return TurnBack(state, view, RunPhase.Escalated, $"not through within {new Duration(Playbook.Timeout)}", []);
        var decision = Advance(state, view);
        return decision.Events.Count > 0 ? decision : decision with { WakeAt = Earlier(decision.WakeAt, end) };
    }

    /// <summary>What is being undone goes on to be, whatever is decided meanwhile.</summary>
    private static IEnumerable<string> Undoing(RunState state) => state.Rollback?.StepIds.Where(x => state.Step(x) is { Undo: "pending" or "running" }) ?? [];

    /// <summary>Turns to people at once, e.g. where the stored definition cannot be read any more. Decide goes on from there.</summary>
    public static IReadOnlyList<RunEvent> Abandon(RunState state, string reason, DateTimeOffset now) => state.Ended || state.Rollback is not null
        ? []
        : [new RollbackStarted { At = now, Reason = reason, StepIds = [], Then = RunPhase.Escalated }];

    private RunDecision Advance(RunState state, RunView view)
    {
        if (MainStep(state, view) is { } step) return step;
        var observed = state.Steps.Exists(x => x.Observed) && !state.Steps.Exists(x => x.Attempt > 0);
        if (observed) return Finish(state, view, RunPhase.Observed, "mode observe: recorded only");
        if (Verification(state, view) is { } check) return check;
        var undo = UndoOnResolved(state);
        return undo.Count > 0
            ? TurnBack(state, view, RunPhase.Resolved, "resolved: lifts what its steps say", undo)
            : Finish(state, view, RunPhase.Resolved, Playbook.Verify.Count == 0 ? "all steps are through" : "verified");
    }

    /// <summary>Nothing goes on while held, except what an operator's cancel asks for.</summary>
    private RunDecision? Hold(RunState state, RunView view)
    {
        if (state.Cancel is not null) return null;
        var untouched = state.Rollback is null && state.VerifyingSince is null && state.Steps.TrueForAll(x => x is { Phase: StepPhase.Pending, Attempt: 0 });
        var until = HoldsUntil(state, view);
        var waits = untouched && Playbook.HoldFor > TimeSpan.Zero && view.Now < until;
        var reason = view.Held ?? (waits ? $"holdFor {new Duration(Playbook.HoldFor)}" : null);
        if (reason is not null)
        {
            // A hold that comes while it waits for its guards takes their place: their patience has an end, an operator's has none.
            return state.HeldSince is null || state.HeldByGuards ? Events(new RunHeld { At = view.Now, Reason = reason }) : Wait(waits ? until : null);
        }

        if (untouched && Playbook.HoldFor > TimeSpan.Zero && state.Admission is null && !StillFires(state, view))
            return Events(new RunEnded { At = view.Now, Phase = RunPhase.Resolved, Reason = $"not seen again within holdFor {new Duration(Playbook.HoldFor)}" });
        if (state.HeldSince is not null && !state.HeldByGuards) return Events(new RunReleased { At = view.Now });
        if (Admission(state, view) is { } asks) return asks;
        return state.HeldSince is not null ? Events(new RunReleased { At = view.Now }) : null;
    }

    /// <summary>
    /// What is not seen again is over only when its monitors had the time to tell. Whoever took a run or its incident over was not told what
    /// happened meanwhile.
    /// </summary>
    private DateTimeOffset HoldsUntil(RunState state, RunView view)
    {
        var until = state.Start!.At + Playbook.HoldFor;
        var taken = Time(view.Incident, "recoveredAt");
        if (state.TakenOverAt > state.Start.At && !(taken > state.TakenOverAt)) taken = state.TakenOverAt;
        if (state.Admission is not null || StillFires(state, view)) return until;
        var told = taken + RarestRepeat is { } repeated && repeated > state.Start.At + ShortestCalm ? repeated : state.Start.At + ShortestCalm;
        return told > until ? told : until;
    }

    /// <summary>What a cancel asks for is done during a hold too.</summary>
    private static bool IsHalted(RunState state, RunView view) => state.Cancel is null && (state.HeldSince is not null || view.Held is not null);

    /// <summary>Nothing is done before the guards of the start agreed. What re-applies containment does not ask.</summary>
    private RunDecision? Admission(RunState state, RunView view)
    {
        if (!Playbook.Guards.AskedAtStart || state.Admission is not null || state.ContainmentOnly || state.Rollback is not null) return null;
        var end = state.FreeSince + Playbook.Timeout;
        if (view.Now >= end)
            return TurnBack(state, view, RunPhase.Escalated, $"its guards did not let it go on within {new Duration(Playbook.Timeout)}: {state.Reason ?? "they gave no answer"}", []);
        try
        {
            return new([], [new RunCommand.Admit(Playbook.Guards.Lock?.RenderText(Scope(state, view, null)))], end);
        }
        catch (EvaluationException e)
        {
            return TurnBack(state, view, RunPhase.Escalated, $"the name of its lock has no value: {e.Message}", []);
        }
    }

    /// <summary>
    /// Seen since the start and not long before now; where the incident does not tell, it is taken to go on: unknown is not calm.
    /// </summary>
    private bool StillFires(RunState state, RunView view) =>
        Time(view.Incident, "lastSeenAt") is not { } at || (at > state.Start!.At && at > state.Start.At + Playbook.HoldFor - RarestRepeat);

    private static DateTimeOffset? Time(JsonElement incident, string field) =>
        incident.ValueKind == JsonValueKind.Object && incident.TryGetProperty(field, out var text) && text.TryGetDateTimeOffset(out var at) ? at : null;

    private DateTimeOffset RunDeadline(RunState state) => state.Start!.At + Playbook.Timeout + state.HeldFor;

    private static RunDecision Events(params IReadOnlyList<RunEvent> events) => new(events, [], null);

    private static RunDecision Wait(DateTimeOffset? until) => new([], [], until);

    private static DateTimeOffset? Earlier(DateTimeOffset? a, DateTimeOffset? b) => a is null ? b : b is null || a < b ? a : b;
}
