using Akka.Actor;
using Akka.Event;
using Guardian.Actors.Autonomy;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions;

/// <summary>
/// The only actor that performs actions on its node. It decides nothing: the run has decided whether, the
/// <see cref="AgentLedger"/> decides whether again. Actions run on the thread pool; their outcome comes back as a message.
/// During a hold it leaves dispatches with a risk unanswered, so that they cost the run time but no attempt; and so it does
/// where who keeps an effect does not answer, since a shard that moves is nobody's failure.
/// </summary>
internal sealed class NodeAgent : ReceiveActor
{
    /// <summary>Bound on finding out what became of a key; the first answer of a shard region may take 3 s after a start.</summary>
    private static readonly TimeSpan ResolveWithin = TimeSpan.FromSeconds(10);

    private readonly GuardianRegistry _registry;
    private readonly ModeView _mode;
    private readonly TimeProvider _time;
    private readonly AgentLimits _limits;
    private readonly AgentMemory _memory;
    private readonly ILoggingAdapter _log = Context.GetLogger();

    public NodeAgent(GuardianRegistry registry, ModeView mode, TimeProvider time, AgentLimits limits, AgentMemory memory)
    {
        (_registry, _mode, _time, _limits, _memory) = (registry, mode, time, limits, memory);
        Receive<DispatchAction>(OnDispatch);
        Receive<ResolveAction>(OnResolve);
        Receive<CancelAction>(OnCancel);
        Receive<Ended>(OnEnded);
        Receive<HangingEnded>(OnHangingEnded);
        Receive<RunProbe>(OnProbe);
        Receive<ProbeEnded>(OnProbeEnded);
        Receive<GetAgentStatus>(OnStatus);
    }

    /// <summary>The ledger and what is under way survive a restart of the actor.</summary>
    public static Props Props(GuardianRegistry registry, ModeView mode, TimeProvider time, AgentLimits? limits = null)
    {
        var memory = new AgentMemory();
        var bounds = limits ?? new AgentLimits();
        return Akka.Actor.Props.Create(() => new NodeAgent(registry, mode, time, bounds, memory));
    }

    private void OnDispatch(DispatchAction dispatch)
    {
        _registry.TryGetAction(dispatch.Action, out var binding);
        var decision = _memory.Ledger.Dispatch(dispatch.Key, dispatch.RunId, dispatch.Epoch, dispatch.Attempt, dispatch.Cancels, binding?.Action.Idempotent ?? false);
        switch (decision.Verdict)
        {
            case LedgerVerdict.AwaitCancelled:
                // What only waited is over at once and the ledger can decide again; what runs is told to end.
                if (CancelJob(dispatch.Cancels!)) OnDispatch(dispatch);
                break;
            case LedgerVerdict.Execute when decision.Outcome is { Open: true } && dispatch.Deadline <= _time.GetUtcNow():
                break; // a late repeat of what was left open: the run asks anew
            case LedgerVerdict.Execute when binding is null:
                Answer(Sender, dispatch.Key, dispatch.Epoch, dispatch.Attempt, new KeyOutcome(OutcomeKind.Failed, Reason: UnknownAction(dispatch.Action)));
                break;
            case LedgerVerdict.Execute when AgentJob.IsHeld(binding, dispatch) && HeldFor(dispatch) is { } reason:
                Drop(dispatch, reason);
                break;
            case LedgerVerdict.Execute when AgentJob.IsHeld(binding, dispatch) && Forbidden(binding.Action.Risk, dispatch) is { } reason:
                Answer(Sender, dispatch.Key, dispatch.Epoch, dispatch.Attempt, new KeyOutcome(OutcomeKind.Failed, Reason: reason));
                break;
            case LedgerVerdict.Execute:
                Accept(new AgentJob(dispatch, binding, resolves: false), dispatch.Epoch, dispatch.Attempt);
                break;
            case LedgerVerdict.Running when _memory.Jobs.TryGetValue(dispatch.Key, out var job) && job.Resolves:
                job.Followers[Sender] = dispatch; // what a look at the past says is no answer to a new order
                break;
            default:
                AnswerKnown(dispatch.Key, dispatch.Epoch, dispatch.Attempt, decision);
                break;
        }
    }

    private void OnResolve(ResolveAction resolve)
    {
        var dispatch = resolve.Dispatch;
        var decision = _memory.Ledger.Resolve(dispatch.Key, dispatch.RunId, dispatch.Epoch, dispatch.Attempt);
        if (decision.Verdict != LedgerVerdict.Probe)
            AnswerKnown(dispatch.Key, dispatch.Epoch, 0, decision);
        else if (_registry.TryGetAction(dispatch.Action, out var binding))
            Accept(new AgentJob(dispatch with { Deadline = _time.GetUtcNow() + ResolveWithin }, binding, resolves: true), dispatch.Epoch, 0);
        else
            Answer(Sender, dispatch.Key, dispatch.Epoch, 0, new KeyOutcome(OutcomeKind.Unknown, Reason: UnknownAction(dispatch.Action)));
    }

    private void OnCancel(CancelAction cancel)
    {
        var decision = _memory.Ledger.Cancel(cancel.Key, cancel.RunId, cancel.Epoch);
        if (decision.Verdict != LedgerVerdict.AwaitCancelled)
        {
            Answer(Sender, cancel.Key, cancel.Epoch, 0, decision.Outcome ?? new KeyOutcome(OutcomeKind.Failed, Reason: decision.Reason));
            return;
        }

        if (_memory.Jobs.TryGetValue(cancel.Key, out var job)) job.Askers[Sender] = (cancel.Epoch, 0);
        CancelJob(cancel.Key);
    }

    private void AnswerKnown(string key, long epoch, int attempt, LedgerDecision decision)
    {
        if (decision.Verdict == LedgerVerdict.Running)
        {
            // After a restart of this actor in the middle of a message the job may be gone; the next repeat finds its outcome.
            if (_memory.Jobs.TryGetValue(key, out var job)) job.Askers[Sender] = (epoch, attempt);
            return;
        }

        Answer(Sender, key, epoch, attempt, decision.Outcome ?? new KeyOutcome(OutcomeKind.Failed, Reason: decision.Reason));
    }

    private void Accept(AgentJob job, long epoch, int attempt)
    {
        job.Askers[Sender] = (epoch, attempt);
        _memory.Ledger.Begin(job.Dispatch.Key, epoch, job.Resolves ? 0 : job.Dispatch.Attempt); // a question is no attempt
        _memory.Jobs[job.Dispatch.Key] = job;
        var lane = LaneOf(job);
        if (_memory.Hanging >= _limits.Hanging)
            Refuse(job, $"{_memory.Hanging} actions on this node did not end at their deadline; nothing new is started until they do");
        else if (lane.Running < _limits.Concurrent)
            Start(job, lane);
        else if (lane.Waiting.Count < _limits.Queue)
            lane.Waiting.Enqueue(job);
        else
            Refuse(job, $"the agent is full: {lane.Running} actions run and {lane.Waiting.Count} wait");
    }

    private void Refuse(AgentJob job, string reason)
    {
        _memory.RefusedFull++;
        if (!job.Resolves)
        {
            Finish(job, new KeyOutcome(OutcomeKind.Failed, Reason: reason));
            return;
        }

        // A question is repeated until it is answered; "unknown" would end the run for want of a moment.
        _memory.Ledger.Forget(job.Dispatch.Key);
        Close(job);
    }

    private void Start(AgentJob job, AgentLane lane)
    {
        lane.Running++;
        job.Started = true;
        if (!job.Resolves) _memory.Executed++;
        var (binding, dispatch, secrets) = (job.Binding, job.Dispatch, _registry.Secrets);
        Func<string?> held = job.ObeysHold ? () => HeldFor(dispatch) : static () => null; // asked on another thread; the view is safe for that
        ActionAttempt
            .RunAsync(token => job.Resolves ? ActionWork.ResolveAsync(binding, dispatch, secrets, token) : ActionWork.PerformAsync(binding, dispatch, secrets, held, token),
                dispatch.Deadline, _time, job.Cancellation.Token)
            .PipeTo(Self, success: result => new Ended(job, result));
    }

    private void OnEnded(Ended ended)
    {
        var (job, result) = ended;
        var dispatch = job.Dispatch;
        var lane = LaneOf(job);
        lane.Running--;
        if (result.Fault is { } fault)
            _log.Warning(fault, "Action {0} of {1} failed unexpectedly", dispatch.Action, dispatch.Key);
        if (result.Hanging is { } hanging)
        {
            _memory.Hanging++;
            _log.Warning("Action {0} of {1} did not end at its deadline {2:O}; it is left behind", dispatch.Action, dispatch.Key, dispatch.Deadline);
            hanging.PipeTo(Self, success: late => new HangingEnded(job, late));
        }

        // A cancel waits for an answer; else silence costs the run time, and no attempt.
        if (result.Outcome.Open && !job.Cancellation.IsCancellationRequested) LeaveOpen(job, result.Outcome);
        else Finish(job, result.Outcome with { Open = false }, hangs: result.Hanging is not null && !job.Resolves);
        StartNext(lane);
    }

    private void StartNext(AgentLane lane)
    {
        while (lane.Running < _limits.Concurrent && lane.Waiting.TryDequeue(out var next))
        {
            if (next.Over) continue;
            if (!next.ObeysHold || HeldFor(next.Dispatch) is not { } reason)
            {
                Start(next, lane);
                continue;
            }

            Drop(next.Dispatch, reason);
            _memory.Ledger.Forget(next.Dispatch.Key);
            Close(next);
        }
    }

    private void Finish(AgentJob job, KeyOutcome outcome, bool hangs = false)
    {
        var key = job.Dispatch.Key;
        _memory.Ledger.Finish(key, outcome, hangs);
        Close(job);
        foreach (var (asker, question) in job.Askers) Answer(asker, key, question.Epoch, question.Attempt, outcome);
        if (job.Resolves || job.Binding.Action.Risk != RiskClass.None || outcome.Kind != OutcomeKind.Succeeded)
        {
            _log.Info("{0} {1} of {2}, attempt {3}: {4} {5}", job.Resolves ? "Resolved" : job.Dispatch.Undo ? "Undo of" : "Action",
                job.Dispatch.Action, key, job.Dispatch.Attempt, outcome.Kind, outcome.Reason ?? "");
        }
    }

    private void LeaveOpen(AgentJob job, KeyOutcome outcome)
    {
        _memory.Ledger.Finish(job.Dispatch.Key, outcome);
        Close(job);
        _log.Warning("{0} of {1}, attempt {2}, is left open until its run asks again: {3}", job.Dispatch.Action, job.Dispatch.Key, job.Dispatch.Attempt, outcome.Reason!);
    }

    private void Close(AgentJob job)
    {
        job.Over = true;
        _memory.Jobs.Remove(job.Dispatch.Key);
        foreach (var (asker, dispatch) in job.Followers) Self.Tell(dispatch, asker);
        job.Dispose();
    }

    /// <summary>True where the key only waited and is over now.</summary>
    private bool CancelJob(string key)
    {
        if (!_memory.Jobs.TryGetValue(key, out var job)) return false;
        if (job.Started)
        {
            _ = job.Cancellation.CancelAsync(); // callbacks of the action do not run on this thread
            return false;
        }

        Finish(job, new KeyOutcome(OutcomeKind.Failed, Reason: "cancelled before it was started"));
        return true;
    }

    private void OnHangingEnded(HangingEnded ended)
    {
        _memory.Hanging--;
        if (!ended.Job.Resolves) _memory.Ledger.Learn(ended.Job.Dispatch.Key, ended.Job.Dispatch.Attempt, ended.Late.Outcome);
        _log.Info("Action {0} of {1} ended long after its deadline: {2} {3}", ended.Job.Dispatch.Action, ended.Job.Dispatch.Key, ended.Late.Outcome.Kind, ended.Late.Outcome.Reason ?? "");
    }

    private void OnProbe(RunProbe probe)
    {
        if (!_registry.TryGetProbe(probe.Probe, out var binding))
        {
            Sender.Tell(new ProbeAnswer { Id = probe.Id, Error = $"no probe '{probe.Probe}' is registered on this node; known are {string.Join(", ", _registry.Vocabulary.Probes.Keys.Order())}" });
            return;
        }

        var (measurement, refusal) = _memory.Probes.Ask(probe, Sender, _limits.Probes);
        if (refusal is not null) Sender.Tell(new ProbeAnswer { Id = probe.Id, Error = refusal });
        if (measurement is null) return;
        ActionAttempt
            .RunAsync(async token => new KeyOutcome(OutcomeKind.Succeeded, await binding.MeasureAsync(probe.With, token).ConfigureAwait(false)),
                probe.Deadline, _time, CancellationToken.None)
            .PipeTo(Self, success: result => new ProbeEnded(measurement, result));
    }

    private void OnProbeEnded(ProbeEnded ended)
    {
        var (measurement, result) = ended;
        foreach (var (asker, id) in _memory.Probes.End(measurement, hangs: result.Hanging is not null))
        {
            asker.Tell(result.Outcome.Kind == OutcomeKind.Succeeded
                ? new ProbeAnswer { Id = id, Result = result.Outcome.Output }
                : new ProbeAnswer { Id = id, Error = result.Outcome.Kind == OutcomeKind.Unknown ? measurement.Late : result.Outcome.Reason });
        }

        result.Hanging?.PipeTo(Self, success: late => new ProbeEnded(measurement, late));
    }

    private void OnStatus(GetAgentStatus _) => Sender.Tell(new AgentStatus(
        _memory.Effects.Running + _memory.Harmless.Running, _memory.Effects.Waiting.Count + _memory.Harmless.Waiting.Count, _memory.Executed,
        _memory.RefusedFull, _memory.DroppedHeld, _memory.Hanging, _memory.Probes.Count, _memory.Ledger.Count, _memory.Ledger.Evicted));

    private string? HeldFor(DispatchAction dispatch) => _mode.HeldFor(dispatch.IncidentType, dispatch.IncidentKey, dispatch.Subject);

    /// <summary>
    /// The run has decided by the mode of the node that carries it; this node's owner may want less. A kernel's opt-in lifts the class
    /// destroy, which the run and the action look at, so of that class the mode alone counts here.
    /// </summary>
    private string? Forbidden(RiskClass risk, DispatchAction dispatch) => (risk == RiskClass.Destroy ? _mode.Mode : _mode.For(risk)) switch
    {
        OperatingMode.Observe => $"this node only observes ({risk.ToString().ToLowerInvariant()}): Guardian:Mode or Guardian:Autonomy of this node is observe",
        OperatingMode.Propose when dispatch.ApprovedBy is null => $"this node only proposes ({risk.ToString().ToLowerInvariant()}), and nobody approved it: Guardian:Mode or Guardian:Autonomy of this node is propose",
        _ => null,
    };

    private void Drop(DispatchAction dispatch, string reason)
    {
        _memory.DroppedHeld++;
        _log.Debug("Held ({0}): {1} of {2} is left unanswered", reason, dispatch.Action, dispatch.Key);
    }

    private AgentLane LaneOf(AgentJob job) =>
        job.Resolves || job.Binding.Action.Risk == RiskClass.None ? _memory.Harmless : _memory.Effects;

    private static void Answer(IActorRef asker, string key, long epoch, int attempt, KeyOutcome outcome) => asker.Tell(new ActionOutcome
    {
        Key = key, Epoch = epoch, Attempt = attempt, Kind = outcome.Kind, Output = outcome.Output, Reason = outcome.Reason,
    });

    private string UnknownAction(string name) =>
        $"no action '{name}' is registered on this node; known are {string.Join(", ", _registry.Vocabulary.Actions.Keys.Order())}";

    private sealed record Ended(AgentJob Job, AttemptResult Result) : INoSerializationVerificationNeeded;

    private sealed record HangingEnded(AgentJob Job, AttemptResult Late) : INoSerializationVerificationNeeded;

    private sealed record ProbeEnded(AgentProbes.Measurement Measurement, AttemptResult Result) : INoSerializationVerificationNeeded;
}
