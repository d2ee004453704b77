using System.Text.Json;
using System.Text.Json.Nodes;
using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;

namespace Guardian.Playbooks.Execution;

public sealed partial class RunMachine
{
    /// <summary>An undo is worth more than one try, but people must hear of it soon: three tries within about seven seconds of waiting.</summary>
    private static readonly RetryPolicy UndoRetry = new(3, true, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(4), true);

    /// <summary>An agent that is there answers at once; one that is not may have carried it out.</summary>
    private static readonly TimeSpan RecallTimeout = TimeSpan.FromSeconds(5);

    /// <summary>For an undo of a step that the definition does not have any more.</summary>
    private static readonly TimeSpan UndoTimeout = TimeSpan.FromSeconds(30);

    /// <summary>People should hear of an escalation even while the outbox is slow; after these the journal and the lists still show it.</summary>
    private static readonly RetryPolicy NoticeRetry = new(5, true, TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(10), true);

    private static readonly TimeSpan NoticeTimeout = TimeSpan.FromSeconds(10);

    private const string NoticeAction = "notify";

    private RunDecision TurnBack(RunState state, RunView view, RunPhase then, string reason, List<string> undo) =>
        undo.Count == 0 && Playbook.Finally.Count == 0 && then != RunPhase.Escalated && state.Steps.TrueForAll(x => x.Over || x.Phase == StepPhase.Pending)
            ? Events(new RunEnded { At = view.Now, Phase = then, Reason = reason })
            : Events(new RollbackStarted { At = view.Now, Reason = reason, StepIds = undo, Then = then });

    /// <summary>Turns back for a failure; where nothing is undone nothing was put right, and people are told.</summary>
    private RunDecision Fail(RunState state, RunView view, string reason, RollbackCause cause)
    {
        var undo = Undoable(state, cause);
        return TurnBack(state, view, undo.Count > 0 && Playbook.RollbackThen == RollbackEnd.End ? RunPhase.RolledBack : RunPhase.Escalated, reason, undo);
    }

    /// <summary>What this cause takes back, in reverse order. Containment outlives failure, unless its step says otherwise; a cancel lifts it.</summary>
    private List<string> Undoable(RunState state, RollbackCause cause)
    {
        var name = cause switch { RollbackCause.StepFailed => "step_failed", RollbackCause.VerifyFailed => "verify_failed", _ => "cancelled" };
        var declared = Playbook.RollbackOn.Contains(cause);
        return Reverse(state, step => step.UndoOn.Contains(name)
            || (Risk(step.Action) == RiskClass.Contain ? cause == RollbackCause.Cancelled : declared));
    }

    private List<string> UndoOnResolved(RunState state) => Reverse(state, step => step.UndoOn.Contains("resolved"));

    private List<string> Reverse(RunState state, Func<Step, bool> wanted) =>
    [
        .. Playbook.Steps.Reverse().Where(wanted)
            .SelectMany(step => step.On.Many ? (state.Step(step.Id)?.Nodes ?? []).Reverse().Select(node => $"{step.Id}@{node}") : [step.Id])
            .Where(id => state.Step(id) is { Undoable: true, HasEffect: true, Undo: null or "pending" or "running" }),
    ];

    /// <summary>
    /// What is still under way when the run turns back, and will not be undone, is called off: its agent refuses the key from then on, and
    /// says how it ended. Null when nothing is in the air.
    /// </summary>
    private RunDecision? Recall(RunState state, RunView view, RollbackStarted rollback)
    {
        List<RunCommand> commands = [];
        var escalates = rollback.Then == RunPhase.Escalated || state.Steps.Exists(x => x.Undo == "failed");
        var end = (state.FreeSince > rollback.At ? state.FreeSince : rollback.At) + RecallTimeout; // nothing is called off during a hold
        foreach (var s in state.Steps)
        {
            if (s.Phase is not (StepPhase.Running or StepPhase.Unknown) || s.Nodes is not null || rollback.StepIds.Contains(s.Id)) continue;
            // Final steps go on after this, and so does the notice where the end is still an escalation.
            if (PlanFor(state, s.Id) is { Bounded: true } && (s.Id != NoticeId(state) || escalates)) continue;
            if (view.Now >= end || Gone(view, s.Node!))
            {
                return Events(new StepFailed
                {
                    At = view.Now, StepId = s.Id, Unknown = true, TargetGone = Gone(view, s.Node!),
                    Reason = Gone(view, s.Node!) ? $"node {s.Node} left the cluster" : $"it was called off, and its agent gave no answer within {new Duration(RecallTimeout)}",
                });
            }

            commands.Add(new RunCommand.Cancel(s.Key!, state.Epoch, s.Node!));
        }

        if (commands.Count > 0) return new([], commands, end);
        var open = state.Steps.Find(s => s is { Nodes: not null, Over: false } && !Declared(s.Id).Final);
        return open is null ? null : Events(new StepFailed { At = view.Now, StepId = open.Id, Reason = "the run turned back before every node was done" });
    }

    /// <summary>One undo after the other; null when all are over.</summary>
    private RunDecision? Undo(RunState state, RunView view)
    {
        foreach (var id in state.Rollback!.StepIds)
        {
            var s = state.Step(id);
            if (s is null or { Undo: "undone" or "failed" }) continue;
            var timeout = TimeoutOf(id);
            var key = s.Key + "/undo";
            if (s.Undo != "running")
            {
                if (s.UndoRetryAt > view.Now) return Wait(s.UndoRetryAt);
                return Events(UndoOf(state, view, s, key, timeout));
            }

            if (WentWithNode(view, s, s.UndoCall?.Node ?? s.Node!) is { } went) return Events(went);
            // Nobody is asked during a hold: its time counts for no undo.
            var end = s.UndoInDoubt || state.FreeSince + timeout > s.UndoDeadline!.Value ? state.FreeSince + timeout : s.UndoDeadline.Value;
            if (view.Now >= end) return Events(UndoFailure(state, s, view.Now, $"no answer within {new Duration(timeout)}"));
            var inverse = s.UndoCall?.Action is null;
            var (action, input, node) = (s.UndoCall?.Action ?? s.Action, s.UndoCall?.Input ?? s.Input!.Value, s.UndoCall?.Node ?? s.Node!);
            return new([],
                [
                    s.UndoInDoubt
                        ? new RunCommand.Resolve(key, state.Epoch, action, input, inverse, node, s.UndoAttempt)
                        : new RunCommand.Dispatch(key, state.Epoch, action, input, inverse, node, end, s.Key, inverse ? s.Output ?? default : default, s.UndoAttempt, !inverse),
                ], end);
        }

        return null;
    }

    /// <summary>
    /// The undo as it is asked for. Of a node that left, only what need not be done on a certain node is still undone, by the one that
    /// carries the run: the rest went with its node, and on another it would undo what nobody did there.
    /// </summary>
    private RunEvent UndoOf(RunState state, RunView view, StepState s, string key, TimeSpan timeout)
    {
        if (WentWithNode(view, s, s.Node!) is { } went) return went;
        var undo = new UndoDispatched
        {
            At = view.Now, StepId = s.Id, Attempt = s.UndoAttempt + 1, Key = key, Deadline = view.Now + timeout,
            Node = Gone(view, s.Node!) ? Reachable(view, s.Node!) : null,
        };
        if (Declared(s.Id) is not ({ Undo: { Action: { } action, With: { } with } } step, var node, _)) return undo;
        try
        {
            return undo with { Action = action, Input = s.UndoCall?.Input ?? with.Render(Scope(state, view, PlanOf(step, false, node))).Clone() };
        }
        catch (EvaluationException e)
        {
            return new UndoEnded { At = view.Now, StepId = s.Id, Undone = false, Reason = $"the input of its undo has no value: {e.Message}" };
        }
    }

    private UndoEnded? WentWithNode(RunView view, StepState s, string node) => Gone(view, node) && !IsAnywhere(Declared(s.Id).Step?.Undo?.Action ?? s.Action)
        ? new UndoEnded { At = view.Now, StepId = s.Id, Undone = true, Reason = $"it went with node {node}, which left the cluster" }
        : null;

    private TimeSpan TimeoutOf(string id) => Declared(id).Step?.Timeout ?? UndoTimeout;

    private static UndoEnded UndoFailure(RunState state, StepState s, DateTimeOffset now, string reason) => new()
    {
        At = now,
        StepId = s.Id,
        Undone = false,
        Reason = reason,
        RetryAt = s.UndoAttempt < UndoRetry.Attempts ? now + Backoff.Wait(UndoRetry, s.UndoAttempt, state.Start!.Seed, s.Id) : null,
    };

    private RunDecision AfterUndo(RunState state, RunView view, RollbackStarted rollback)
    {
        var failed = state.Steps.Where(x => x.Undo == "failed").Select(x => x.Id).ToList();
        return failed.Count == 0
            ? Finish(state, view, rollback.Then, rollback.Reason)
            : Finish(state, view, RunPhase.Escalated, $"{rollback.Reason}; could not undo {string.Join(", ", failed)}");
    }

    /// <summary>What comes at every end, then the end.</summary>
    private RunDecision Finish(RunState state, RunView view, RunPhase phase, string reason)
    {
        foreach (var step in Playbook.Finally)
        {
            var s = state.Step(step.Id) ?? new StepState(step.Id, step.Action);
            if (!s.Over) return StepDecision(state, view, step, s, final: true);
        }

        if (phase == RunPhase.Escalated && Vocabulary.Actions.ContainsKey(NoticeAction))
        {
            var plan = Notice(state, reason);
            var s = state.Step(plan.Id) ?? new StepState(plan.Id, plan.Action);
            if (!s.Over) return OneDecision(state, view, plan, s);
        }

        return Events(new RunEnded { At = view.Now, Phase = phase, Reason = reason });
    }

    /// <summary>
    /// Tells people that the run could not help itself, under the key <c>&lt;run&gt;/escalation</c>, to the first of the playbook's
    /// vars whose name ends in <c>channel</c>, else to the log.
    /// </summary>
    private Plan Notice(RunState state, string reason)
    {
        var channel = Playbook.Vars
            .Where(x => x.Key.EndsWith("channel", StringComparison.OrdinalIgnoreCase) && x.Value.ValueKind == JsonValueKind.String)
            .OrderBy(x => x.Key, StringComparer.Ordinal).Select(x => x.Value.GetString()).FirstOrDefault() ?? "log";
        var input = JsonSerializer.SerializeToElement(new JsonObject
        {
            ["channel"] = channel,
            ["text"] = $"{state.Start!.Playbook} escalated {state.Start.IncidentKey} (incident {state.Start.IncidentId}, run {state.Start.RunId}): {reason}",
        });
        return new Plan(NoticeId(state), NoticeAction, null, _ => input, NoticeRetry, NoticeTimeout, Bounded: true);
    }

    private static string NoticeId(RunState state) => state.Start!.Steps.Any(x => x.Id == "escalation") ? "guardian.escalation" : "escalation";
}
