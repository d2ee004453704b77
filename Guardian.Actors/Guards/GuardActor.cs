using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Event;
using Akka.Persistence;
using Guardian.Actors.Persistence;
using Guardian.Actors.Serialization;

namespace Guardian.Actors.Guards;

/// <summary>One guard: persists what <see cref="GuardBook"/> decides, then answers. It sleeps when nobody asks; leases and windows are times, not timers.</summary>
internal sealed class GuardActor : ReceivePersistentActor, IWithTimers
{
    /// <summary>Longer than a lease: a guard whose runs renew never sleeps.</summary>
    private static readonly TimeSpan QuietBeforePassivation = GuardBook.LeaseLength + TimeSpan.FromMinutes(1);

    private static readonly TimeSpan SweepEvery = TimeSpan.FromMinutes(1);

    /// <summary>A guard that every run asks grows by three events per run; recovery stays short with this.</summary>
    private const int SnapshotEvery = 100;

    private readonly TimeProvider _time;
    private readonly GuardBook _book;
    private string? _unreadable;
    private readonly ILoggingAdapter _log = Context.GetLogger();

    public GuardActor(string entity, TimeProvider time)
    {
        _time = time;
        _book = new GuardBook(Tick);
        PersistenceId = "guard-" + entity;
        JournalPluginId = GuardianPersistence.JournalId;
        SnapshotPluginId = GuardianPersistence.SnapshotsId;
        Recover<SnapshotOffer>(x =>
        {
            if (x.Snapshot is GuardState state) _book.Restore(state);
            else _unreadable ??= x.Snapshot.ToString();
        });
        Recover<UnreadableMessage>(x => _unreadable ??= x.ToString());
        Recover<RecoveryCompleted>(_ => Recovered());
        Recover<GuardEvent>(e => _book.Apply(e, Tick));
        // Some journals, the one in memory among them, give the tagged event back as it was written.
        Recover<Akka.Persistence.Journal.Tagged>(x => _book.Apply((GuardEvent)x.Payload, Tick));
        Command<AskGuard>(x => Decide(x.Guard, _book.Ask(x, Now, Tick)));
        Command<ReserveTargets>(x => Decide(x.Guard, _book.Reserve(x, Now, Tick)));
        Command<ReleaseGuard>(x => Decide(x.Guard, _book.Release(x, Now)));
        Command<ResetBreaker>(x => Decide(x.Guard, _book.Reset(x, Now)));
        Command<GetGuard>(x => Sender.Tell(_book.Status(x.Guard, Now, Tick)));
        Command<SweepNow>(_ => Store(_book.Sweep(Now, Tick), static () => { }));
        Command<ReceiveTimeout>(_ => Context.Parent.Tell(new Passivate(PoisonPill.Instance)));
        Command<SaveSnapshotSuccess>(x => DeleteSnapshots(new SnapshotSelectionCriteria(x.Metadata.SequenceNr - 1)));
        Command<DeleteSnapshotsSuccess>(_ => { });
        Command<DeleteSnapshotsFailure>(x => _log.Warning("Guard {Guard}: old snapshots stay: {Reason}", PersistenceId, x.Cause.Message));
        Command<SaveSnapshotFailure>(x => _log.Warning("Guard {Guard}: the snapshot was not taken; its events still tell all: {Reason}", PersistenceId, x.Cause.Message));
    }

    public override string PersistenceId { get; }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(string entity, TimeProvider time) => Akka.Actor.Props.Create(() => new GuardActor(entity, time));

    private DateTimeOffset Now => _time.GetUtcNow();

    private TimeSpan Tick => _time.GetElapsedTime(0);

    /// <summary>What it granted is not known, so it grants nothing: runs that ask wait, and say so.</summary>
    private void Recovered()
    {
        if (_unreadable is null) return;
        var reason = $"its journal holds an event that cannot be read ({_unreadable}); start the version that wrote it, or restore a backup";
        _log.Error("Guard {Guard} is parked: {Reason}", PersistenceId, reason);
        ParkedEntities.Of(Context.System).Add(PersistenceId, reason);
        Become(() =>
        {
            Command<AskGuard>(x => Sender.Tell(new GuardAnswer { Guard = x.Guard, RunId = x.RunId, Epoch = x.Epoch, Granted = false, Reason = $"{x.Guard}: {reason}" }));
            CommandAny(_ => { });
        });
    }

    protected override void PostStop()
    {
        ParkedEntities.Of(Context.System).Remove(PersistenceId);
        base.PostStop();
    }

    protected override void PreStart()
    {
        Context.SetReceiveTimeout(QuietBeforePassivation);
        Timers.StartPeriodicTimer(nameof(SweepNow), SweepNow.Instance, SweepEvery);
        base.PreStart();
    }

    protected override void OnPersistFailure(Exception cause, object e, long sequenceNr)
    {
        _log.Warning("Guard {Guard}: the journal did not take {Event}; stopping, the next question starts it again: {Reason}", PersistenceId, e.GetType().Name, cause.Message);
        base.OnPersistFailure(cause, e, sequenceNr);
    }

    protected override void OnPersistRejected(Exception cause, object e, long sequenceNr)
    {
        _log.Error(cause, "Guard {Guard}: the journal rejected {Event}; stopping", PersistenceId, e.GetType().Name);
        Context.Stop(Self);
    }

    private void Decide(string guard, GuardDecision decision)
    {
        var asker = Sender;
        foreach (var e in decision.Events)
        {
            switch (e)
            {
                case BreakerOpened x: _log.Warning("Guard {Guard}: circuit breaker opened, {Reason}", guard, x.Reason); break;
                case BreakerReset x: _log.Info("Guard {Guard}: circuit breaker reset by {By}", guard, x.By); break;
            }
        }

        Store(decision.Events, () => asker.Tell(decision.Answer));
    }

    private void Store(IReadOnlyList<GuardEvent> events, Action then)
    {
        if (events.Count == 0)
        {
            then();
            return;
        }

        var left = events.Count;
        PersistAll(events.Select(GuardianPersistence.Tagged), tagged =>
        {
            _book.Apply((GuardEvent)tagged.Payload, Tick);
            if (--left > 0) return;
            then();
            if (LastSequenceNr / SnapshotEvery > (LastSequenceNr - events.Count) / SnapshotEvery) SaveSnapshot(_book.State);
        });
    }

    private sealed record SweepNow : INoSerializationVerificationNeeded, INotInfluenceReceiveTimeout
    {
        public static readonly SweepNow Instance = new();
    }
}
