using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Event;
using Akka.Persistence;
using Guardian.Actors.Persistence;
using Guardian.Actors.Runs;
using Guardian.Actors.Serialization;

namespace Guardian.Actors.Incidents;

/// <summary>The incidents of one key, one at a time, and the run of the open one. Persists, answers, and keeps the run alive.</summary>
internal sealed partial class IncidentActor : ReceivePersistentActor, IWithTimers
{
    /// <summary>Long enough for the last counts of a flood, short enough that a shard remembers few settled keys.</summary>
    internal static readonly TimeSpan QuietBeforePassivation = TimeSpan.FromSeconds(30);

    /// <summary>A grown count enters the journal this often at most, and with the run's end.</summary>
    private static readonly TimeSpan CountEvery = TimeSpan.FromSeconds(1);

    /// <summary>A run that stopped (a failed write) comes back after this; the journal may need a moment.</summary>
    private static readonly TimeSpan RunBackoff = TimeSpan.FromSeconds(1);

    /// <summary>An open incident without a playbook asks again this often: the files may have changed.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5);

    /// <summary>A clock that is set back while a timer runs costs this much at most.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    /// <summary>A key that recurs all day grows by some events per detection; recovery stays short with this.</summary>
    private const int SnapshotEvery = 100;

    private readonly string _entity;
    private readonly IncidentDependencies _deps;
    private readonly ILoggingAdapter _log = Context.GetLogger();

    // Monitors to tell when it is over: at most one per node.
    private readonly Dictionary<string, (IActorRef Monitor, string Episode)> _raisedBy = new(StringComparer.Ordinal);

    private IncidentState _state = IncidentState.Empty;
    private ViolationCounts _live = ViolationCounts.None;
    private DateTimeOffset _lastSeen;

    // What happened before, while no process followed the open incident, its monitors tell again.
    private DateTimeOffset? _recoveredAt;
    private IActorRef? _run;
    private bool _refusing;

    // The key for which it has a place, also before the incident is written.
    private string? _entered;

    // The monitor said that it is over while a run was under way; it says so again after a restart.
    private bool _cleared;
    private UnreadableMessage? _unreadable;

    public IncidentActor(string entity, IncidentDependencies deps)
    {
        _entity = entity;
        _deps = deps;
        PersistenceId = "incident-" + entity;
        JournalPluginId = GuardianPersistence.JournalId;
        SnapshotPluginId = GuardianPersistence.SnapshotsId;
        Recover<SnapshotOffer>(x =>
        {
            if (x.Snapshot is IncidentState state) Restore(state);
            else _unreadable ??= x.Snapshot as UnreadableMessage ?? throw new InvalidOperationException($"{x.Snapshot.GetType()} is no snapshot of an incident");
        });
        Recover<IncidentEvent>(Apply);
        // Some journals, the one in memory among them, give the tagged event back as it was written.
        Recover<Akka.Persistence.Journal.Tagged>(x => Apply((IncidentEvent)x.Payload));
        Recover<UnreadableMessage>(x => _unreadable ??= x);
        Recover<RecoveryCompleted>(_ => Recovered());
        Command<IncidentRaised>(Raise);
        Command<IncidentCleared>(Clear);
        Command<CloseIncident>(Close);
        Command<DirectRun>(Direct);
        Command<RequestRun>(Request);
        Command<RunFinished>(Finished);
        Command<Terminated>(RunStopped);
        Command<WriteCount>(_ => PersistCount());
        Command<StartRun>(_ => Spawn());
        Command<ChooseRun>(_ => Choose());
        Command<Quiet>(_ => Passivate());
        Command<QuietNow>(_ => LookForQuiet());
        Command<TellOver>(_ => TellChannels());
        Command<Notifications.OutboxAccepted>(ChannelTold);
        Command<SaveSnapshotSuccess>(x => DeleteSnapshots(new SnapshotSelectionCriteria(x.Metadata.SequenceNr - 1)));
        Command<SaveSnapshotFailure>(x => _log.Warning("Incident {Incident}: the snapshot was not taken; its events still tell all: {Reason}", _state.Id, x.Cause.Message));
        Command<DeleteSnapshotsSuccess>(_ => { });
        Command<DeleteSnapshotsFailure>(x => _log.Warning("Incident {Incident}: old snapshots stay: {Reason}", _state.Id, x.Cause.Message));
    }

    public override string PersistenceId { get; }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(string entity, IncidentDependencies deps) => Akka.Actor.Props.Create(() => new IncidentActor(entity, deps));

    protected override void PostStop()
    {
        if ((_state.Raised?.Key ?? _entered) is { } key) _deps.Open.Leave(key);
        ParkedEntities.Of(Context.System).Remove(PersistenceId);
        base.PostStop();
    }

    protected override void OnPersistFailure(Exception cause, object e, long sequenceNr)
    {
        _log.Warning("Incident {Incident}: the journal did not take {Event}; stopping, the shard starts it again: {Reason}", _state.Id, e.GetType().Name, cause.Message);
        base.OnPersistFailure(cause, e, sequenceNr);
    }

    protected override void OnPersistRejected(Exception cause, object e, long sequenceNr)
    {
        _log.Error(cause, "Incident {Incident}: the journal rejected {Event}; stopping", _state.Id, e.GetType().Name);
        Context.Stop(Self);
    }

    private void Apply(IncidentEvent e)
    {
        _state = _state.Apply(e);
        if (e is IncidentOpened) _recoveredAt = null;
        _live = e is IncidentOpened ? _state.Counts : _live.AtLeast(_state.Counts.Total);
        // A count that grew was seen when it was told; after a restart the journal alone knows when.
        if ((e is IncidentOpened or IncidentJoined || (e is IncidentCounted && IsRecovering)) && e.At > _lastSeen) _lastSeen = e.At;
    }

    private void Restore(IncidentState state)
    {
        _state = state;
        _lastSeen = state.LastDetectedAt;
    }

    private void Store(IncidentEvent e, Action then) => Persist(GuardianPersistence.Tagged(e), _ =>
    {
        Apply(e);
        then();
        if (LastSequenceNr % SnapshotEvery == 0) SaveSnapshot(_state);
    });

    private void Recovered()
    {
        _live = _state.Counts;
        if (_state.Open)
        {
            _deps.Open.Restore(_state.Raised!.Key);
            _recoveredAt = _deps.Time.GetUtcNow();
        }

        if (_unreadable is { } unreadable)
        {
            Park(unreadable);
            return;
        }

        if (_state.Run is not null) Spawn();
        else if (_state.Open)
        {
            Choose();
            LookForQuiet();
        }

        AnnounceOver();
        Rest();
    }

    /// <summary>Its state is not known, so it neither writes nor acts; monitors repeat until a version that can read it takes over.</summary>
    private void Park(UnreadableMessage unreadable)
    {
        var reason = $"its journal holds an event that cannot be read ({unreadable}); start the version that wrote it, or restore a backup";
        _log.Error("Incident {Entity} is parked: {Reason}", PersistenceId, reason);
        ParkedEntities.Of(Context.System).Add(PersistenceId, reason);
        Become(() =>
        {
            Command<CloseIncident>(_ => Sender.Tell(new IncidentAnswer { Done = false, Reason = reason }));
            Command<DirectRun>(_ => Sender.Tell(new IncidentAnswer { Done = false, Reason = reason }));
            CommandAny(_ => { });
        });
    }

    /// <summary>A settled key is forgotten by its shard once it was quiet; what cooldown and quota need is in the journal.</summary>
    private void Rest()
    {
        if (_state.Open) Timers.Cancel(nameof(Quiet));
        else Timers.StartSingleTimer(nameof(Quiet), Quiet.Instance, QuietBeforePassivation);
    }

    private void Passivate()
    {
        if (_state.Open) return;
        if (_untold.Count > 0) Rest();
        else Context.Parent.Tell(new Passivate(PoisonPill.Instance));
    }

    private sealed record WriteCount : INoSerializationVerificationNeeded
    {
        public static readonly WriteCount Instance = new();
    }

    private sealed record StartRun : INoSerializationVerificationNeeded
    {
        public static readonly StartRun Instance = new();
    }

    private sealed record ChooseRun : INoSerializationVerificationNeeded
    {
        public static readonly ChooseRun Instance = new();
    }

    private sealed record QuietNow : INoSerializationVerificationNeeded
    {
        public static readonly QuietNow Instance = new();
    }

    private sealed record Quiet : INoSerializationVerificationNeeded
    {
        public static readonly Quiet Instance = new();
    }
}
