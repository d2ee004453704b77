using System.Text.Json;
using Akka.Actor;
using Akka.Event;
using Akka.Persistence;
using Guardian.Actors.Actions;
using Guardian.Actors.Autonomy;
using Guardian.Actors.Guards;
using Guardian.Actors.Incidents;
using Guardian.Actors.Persistence;
using Guardian.Actors.Serialization;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Runs;

/// <summary>
/// The shell of a run: persists what <see cref="RunMachine"/> decides, carries out its commands, wakes it in time. Decides nothing.
/// </summary>
internal sealed class PlaybookRunActor : ReceivePersistentActor, IWithTimers
{
    /// <summary>An unanswered command is repeated under the same key this often; the agent performs a key once.</summary>
    private static readonly TimeSpan RepeatEvery = TimeSpan.FromMilliseconds(500);

    /// <summary>A waiting run looks at the mode by itself this often, should the notice of a change be lost: hold and resume work within a second.</summary>
    private static readonly TimeSpan LookAtMode = TimeSpan.FromMilliseconds(900);

    /// <summary>Four times within a lease.</summary>
    private static readonly TimeSpan RenewEvery = GuardBook.LeaseLength / 4;

    /// <summary>An end waits this long for its guards to take note; past it their leases lapse by themselves.</summary>
    private static readonly TimeSpan GuardPatience = TimeSpan.FromSeconds(30);

    /// <summary>A guard that moved with the run answers within this; past it the wait is told.</summary>
    private static readonly TimeSpan ConfirmSilently = TimeSpan.FromSeconds(5);

    /// <summary>A run of this length begins to profit from a snapshot; most have a tenth of it.</summary>
    private const int SnapshotEvery = 100;

    /// <summary>Events of one write. What follows from each other without an answer from outside is a few; the bound is for a journal's sake.</summary>
    private const int WriteAtMost = 32;

    private readonly RunOrder _order;
    private readonly RunDependencies _deps;
    private readonly ILoggingAdapter _log = Context.GetLogger();

    private RunState _state = RunState.Empty;
    private RunMachine _machine = null!;
    private RunGuards _guards = null!;
    private RunDispatcher _dispatcher = null!;
    private DateTimeOffset? _overSince;
    private JsonElement _incident;
    private UnreadableMessage? _unreadable;

    public PlaybookRunActor(RunOrder order, RunDependencies deps)
    {
        _order = order;
        _deps = deps;
        _incident = order.Incident;
        PersistenceId = "run-" + order.RunId;
        JournalPluginId = GuardianPersistence.JournalId;
        SnapshotPluginId = GuardianPersistence.SnapshotsId;
        Recover<SnapshotOffer>(x =>
        {
            if (x.Snapshot is RunState state) _state = state;
            else _unreadable ??= x.Snapshot as UnreadableMessage ?? throw new InvalidOperationException($"{x.Snapshot.GetType()} is no snapshot of a run");
        });
        Recover<RunEvent>(e => _state = _state.Apply(e));
        // Some journals, the one in memory among them, give the tagged event back as it was written.
        Recover<Akka.Persistence.Journal.Tagged>(x => _state = _state.Apply((RunEvent)x.Payload));
        Recover<UnreadableMessage>(x => _unreadable ??= x);
        Recover<RecoveryCompleted>(_ => Recovered());
        Command<ActionOutcome>(Answered);
        Command<ProbeAnswer>(Measured);
        Command<GuardAnswer>(x =>
        {
            if (_guards.Take(x, _state) is { } word) Told(word);
            else if (_state.Admission is not null) Advance();
        });
        Command<TargetsAnswer>(x =>
        {
            if (x.Epoch == _state.Epoch) Told(new RunInput.Reserved(x.StepId, x.Granted, x.Reason));
        });
        Command<GuardReleased>(x =>
        {
            _guards.Take(x);
            ReportEnd();
        });
        Command<Renew>(_ => _guards.Renew(_state));
        Command<SaveSnapshotSuccess>(_ => { });
        Command<SaveSnapshotFailure>(x => _log.Warning("Run {Run}: the snapshot was not taken; its events still tell all: {Reason}", _order.RunId, x.Cause.Message));
        Command<LiveIncident>(x =>
        {
            _incident = x.Fields;
            // A run that is held may wait for just this. Else only a step that is about to be chosen looks at the fields, and choosing follows from other messages.
            if (_state is { HeldSince: not null, HeldByGuards: false }) Advance();
        });
        Command<ModeChanged>(_ => Advance());
        Command<RunDirected>(Directed);
        Command<Wake>(_ => Advance());
        Command<Report>(_ => ReportEnd());
    }

    public override string PersistenceId { get; }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(RunOrder order, RunDependencies deps) => Akka.Actor.Props.Create(() => new PlaybookRunActor(order, deps));

    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe(Self, typeof(ModeChanged));
        base.PreStart();
    }

    protected override void PostStop()
    {
        Context.System.EventStream.Unsubscribe(Self);
        ParkedEntities.Of(Context.System).Remove(PersistenceId);
        base.PostStop();
    }

    protected override void OnPersistFailure(Exception cause, object e, long sequenceNr)
    {
        _log.Warning("Run {Run}: the journal did not take {Event}; stopping, the incident starts it again: {Reason}", _order.RunId, e.GetType().Name, cause.Message);
        base.OnPersistFailure(cause, e, sequenceNr);
    }

    protected override void OnPersistRejected(Exception cause, object e, long sequenceNr)
    {
        _log.Error(cause, "Run {Run}: the journal rejected {Event}; stopping", _order.RunId, e.GetType().Name);
        Context.Stop(Self);
    }

    private RunView View() => _deps.View(_incident, _guards.Lost);

    private void Recovered()
    {
        if (_unreadable is { } unreadable)
        {
            Park(unreadable);
            return;
        }

        // An end that nobody asked guards for needs no definition.
        var loaded = _state.Ended && _state.Admission is null ? new LoadedDefinition(null, null) : _deps.Load(_order.Playbook, _state.Start?.Definition ?? _order.Definition);
        _machine = new RunMachine(loaded.Playbook ?? Unreadable(), _deps.Vocabulary);
        _guards = new RunGuards(_deps.Guards, Self, _machine.Playbook, _order.RunId, _deps.Touches);
        _dispatcher = new RunDispatcher(_deps.Agent, _guards, Self, RepeatEvery);
        if (_state.Ended)
        {
            ReportEnd();
            return;
        }

        List<RunEvent> events = [];
        if (_state.Start is null)
        {
            events.Add(_machine.Start(_order.RunId, _order.IncidentId, _order.IncidentKey, _order.Node, IncidentKeys.Seed(_order.RunId), _order.Because, View())
                with { ContainmentOnly = _order.ContainmentOnly });
        }
        else
        {
            _log.Info("Run {Run} taken over after {Phase}, epoch {Epoch}", _order.RunId, _state.Phase, _state.Epoch + 1);
            _guards.TakenOver(_state);
            events.Add(new RunRecovered { At = _deps.Time.GetUtcNow(), Epoch = _state.Epoch + 1 });
        }

        if (loaded.Error is { } error)
            events.AddRange(RunMachine.Abandon(_state, $"its definition cannot be read by this version of Guardian: {error}", _deps.Time.GetUtcNow()));
        Store(events);
    }

    /// <summary>What it did is not known, so it neither writes nor acts; its leases lapse, its incident stays open.</summary>
    private void Park(UnreadableMessage unreadable)
    {
        var reason = $"its journal holds an event that cannot be read ({unreadable}); start the version that wrote it, or restore a backup";
        _log.Error("Run {Run} is parked: {Reason}", _order.RunId, reason);
        ParkedEntities.Of(Context.System).Add(PersistenceId, reason);
        Become(() =>
        {
            Command<RunDirected>(_ => Sender.Tell(new IncidentAnswer { Done = false, Reason = reason }));
            CommandAny(_ => { });
        });
    }

    /// <summary>Enough of a playbook to hand the run to people.</summary>
    private Playbook Unreadable() => new()
    {
        Name = _order.Playbook, Version = _state.Start?.Version ?? 0, Definition = _state.Start?.Definition ?? _order.Definition,
        Hash = _state.Start?.Hash ?? "", Triggers = [], Steps = [],
    };

    /// <summary>Writes these events and what follows from them at once, in one write: a step's end and the next one's begin need not wait for two.</summary>
    private void Store(IReadOnlyList<RunEvent> told)
    {
        var events = Foreseen(told);
        var left = events.Count;
        PersistAll(events.Select(GuardianPersistence.Tagged), tagged =>
        {
            var e = (RunEvent)tagged.Payload;
            _state = _state.Apply(e);
            Note(e);
            RunMetrics.Note(e, _state);
            _deps.Tap.Stored(_order.RunId, e);
            if (--left > 0) return;
            if (!_state.Ended && LastSequenceNr / SnapshotEvery > (LastSequenceNr - events.Count) / SnapshotEvery) SaveSnapshot(_state);
            Advance();
        });
    }

    private List<RunEvent> Foreseen(IReadOnlyList<RunEvent> told)
    {
        List<RunEvent> events = [.. told];
        var state = told.Aggregate(_state, static (s, e) => s.Apply(e));
        while (events.Count < WriteAtMost && !MustConfirm(state) && _machine.Decide(state, View()).Events is { Count: > 0 } next)
        {
            events.AddRange(next);
            state = next.Aggregate(state, static (s, e) => s.Apply(e));
        }

        return events;
    }

    /// <summary>A guard that moved with the run is asked first whether the run still has what it holds there.</summary>
    private bool MustConfirm(RunState state) =>
        _guards.Confirming && state.Cancel is null && _deps.Time.GetUtcNow() - state.TakenOverAt < ConfirmSilently;

    /// <summary>Asks the machine until it has nothing more to persist, then carries out.</summary>
    private void Advance()
    {
        if (_state.Ended)
        {
            ReportEnd();
            return;
        }

        if (_state.Start is null || _machine is null) return;
        if (MustConfirm(_state))
        {
            _guards.Renew(_state);
            Timers.StartSingleTimer(nameof(Wake), Wake.Instance, RepeatEvery);
            return;
        }

        var view = View();
        var decision = _machine.Decide(_state, view);
        if (decision.Events.Count > 0)
        {
            Store(decision.Events);
            return;
        }

        _dispatcher.Carry(decision.Commands, _state.Start, _state.Epoch, view.Now);
        var wake = decision.Commands.Count > 0 ? RepeatEvery
            : _state.Phase is RunPhase.Holding or RunPhase.AwaitingApproval ? LookAtMode
            : (TimeSpan?)null;
        if (decision.WakeAt - view.Now is { } until && (wake is null || until < wake)) wake = until;

        // A timer may fire a little early by the clock: at least a millisecond, so that it does not spin.
        if (wake is { } delay) Timers.StartSingleTimer(nameof(Wake), Wake.Instance, delay > TimeSpan.FromMilliseconds(1) ? delay : TimeSpan.FromMilliseconds(1));
        else Timers.Cancel(nameof(Wake));
    }

    private void Answered(ActionOutcome x)
    {
        if (x.Epoch != _state.Epoch) return;
        Told(new RunInput.Outcome(x.Key, x.Kind, x.Output ?? default, x.Reason, x.Attempt));
    }

    private void Measured(ProbeAnswer x)
    {
        if (_dispatcher.AskedBy(x.Id) is not { } asked) return;
        Told(new RunInput.Probed(asked, x.Result ?? default, x.Error ?? (x.Result is null ? "the probe gave no result" : null)));
    }

    private void Directed(RunDirected x)
    {
        RunInput? input = x.Verb switch
        {
            "approve" => new RunInput.Approval(true, x.By, x.Step),
            "reject" => new RunInput.Approval(false, x.By, x.Step),
            "cancel" => new RunInput.Cancel(x.By, x.Reason),
            _ => null,
        };
        IReadOnlyList<RunEvent> events = input is null || _machine is null ? [] : _machine.Handle(_state, input, View());
        if (events.Count == 0)
        {
            var reason = input is null ? $"'{x.Verb}' is not approve, reject or cancel"
                : _state.Ended ? "the run is over"
                : input is RunInput.Cancel ? "a cancel is under way"
                : x.Step is { } step ? $"step '{step}' does not wait for approval" : "no step of the run waits for approval";
            Sender.Tell(new IncidentAnswer { Done = false, Reason = reason });
            return;
        }

        var asker = Sender;
        Store(events);
        DeferAsync(asker, static x => x.Tell(new IncidentAnswer { Done = true }));
    }

    private void Told(RunInput input)
    {
        if (_machine is null) return;
        var events = _machine.Handle(_state, input, View());
        if (events.Count > 0) Store(events);
    }

    private void ReportEnd()
    {
        Timers.Cancel(nameof(Renew));
        _overSince ??= _deps.Time.GetUtcNow();
        if (!_guards.Release(_state))
        {
            if (_deps.Time.GetUtcNow() - _overSince < GuardPatience)
            {
                Timers.StartSingleTimer(nameof(Report), Report.Instance, RepeatEvery);
                return;
            }

            _log.Warning("Run {Run} is over, but its guards do not answer; what it holds there lapses", _order.RunId);
        }

        Timers.Cancel(nameof(Wake));
        Context.Parent.Tell(new RunFinished(_order.RunId, _state.Phase, _state.Reason ?? "") { Told = ToldChannels.Of(_state) });
        Timers.StartSingleTimer(nameof(Report), Report.Instance, RepeatEvery);
    }

    private void Note(RunEvent e)
    {
        switch (e)
        {
            case RunStarted x: _log.Info("Run {Run} of {Playbook} v{Version} started for {Incident}", x.RunId, x.Playbook, x.Version, x.IncidentKey); break;
            case RunAdmitted: Timers.StartPeriodicTimer(nameof(Renew), Renew.Instance, RenewEvery); break;
            case RunRecovered when _state.Admission is not null: Timers.StartPeriodicTimer(nameof(Renew), Renew.Instance, TimeSpan.Zero, RenewEvery); break;
            case RunEnded x: _log.Info("Run {Run} {Phase}: {Reason}", _order.RunId, x.Phase, x.Reason); break;
            case StepFailed x: _log.Warning("Run {Run} step {Step} failed: {Reason}", _order.RunId, x.StepId, x.Reason); break;
            case StepSucceeded x:
                _log.Info("Run {Run} step {Step} succeeded", _order.RunId, x.StepId);
                _guards.TellEnds(_state);
                break;
            case RollbackStarted x: _log.Warning("Run {Run} turns back: {Reason}", _order.RunId, x.Reason); break;
        }
    }

    private sealed record Wake : INoSerializationVerificationNeeded
    {
        public static readonly Wake Instance = new();
    }

    private sealed record Renew : INoSerializationVerificationNeeded
    {
        public static readonly Renew Instance = new();
    }

    private sealed record Report : INoSerializationVerificationNeeded
    {
        public static readonly Report Instance = new();
    }
}
