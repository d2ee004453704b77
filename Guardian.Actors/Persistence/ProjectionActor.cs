using Akka.Actor;
using Akka.Event;
using Akka.Persistence.Query;
using Akka.Persistence.Sql.Query;
using Akka.Persistence.Sql.Query.InternalProtocol;
using Akka.Streams;
using Akka.Streams.Dsl;
using Microsoft.Data.Sqlite;

namespace Guardian.Actors.Persistence;

/// <summary>
/// Feeds the projection from the journal's stream of tagged events: catches up in batches, then follows. The stream looks for
/// more seldom by itself, since each look is a query; where the journal has grown it is begun anew and looks at once. Where the journal
/// is away, or the file damaged, it tries again with back-off; a damaged file is built again from the start.
/// </summary>
internal sealed class ProjectionActor : ReceiveActor, IWithTimers
{
    /// <summary>Most events in one transaction.</summary>
    public const int MaxBatch = 500;

    /// <summary>Between two questions how far the journal has grown: they are answered from memory.</summary>
    private static readonly TimeSpan AskEvery = TimeSpan.FromMilliseconds(50);

    /// <summary>For the read journal's sequence to be found.</summary>
    private static readonly TimeSpan FindWithin = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(10);

    private readonly string _path;
    private readonly ReadModel _readModel;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly ActorMaterializer _materializer = Context.Materializer();
    private ProjectionStore? _store;
    private UniqueKillSwitch? _stream;
    private SqlReadJournal? _journal;
    private IActorRef? _sequence;
    private long _known;
    private int _attempt;
    private int _failures;
    private bool _busy;

    public ProjectionActor(string path, ReadModel readModel)
    {
        (_path, _readModel) = (path, readModel);
        Receive<Start>(_ => OnStart());
        Receive<Opened>(OnOpened);
        Receive<Batch>(OnBatch);
        Receive<Applied>(OnApplied);
        Receive<Forget>(OnForget);
        Receive<Failed>(OnFailed);
        Receive<Found>(OnFound);
        Receive<AskGrowth>(_ => _sequence?.Tell(GetMaxOrderingId.Instance));
        Receive<MaxOrderingId>(OnGrowth);
        Receive<StreamInit>(_ => Sender.Tell(StreamAck.Instance));
        Receive<StreamFailed>(x => Retry(x.Attempt, x.Cause));
        Receive<StreamDone>(x => Retry(x.Attempt, new IOException("the journal's stream ended")));
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    /// <param name="path">The projection's file.</param>
    /// <param name="readModel">Told when it has grown.</param>
    public static Props Props(string path, ReadModel readModel) => Akka.Actor.Props.Create(() => new ProjectionActor(path, readModel));

    /// <inheritdoc/>
    protected override void PreStart()
    {
        Self.Tell(Start.Instance);
        Timers.StartPeriodicTimer(AskGrowth.Instance, AskGrowth.Instance, AskEvery);
    }

    /// <inheritdoc/>
    protected override void PostStop()
    {
        _stream?.Shutdown();
        if (!_busy) _store?.Dispose(); // else its worker still writes; the handle goes with the process or its finalizer
    }

    private void OnStart()
    {
        if (_busy)
        {
            Timers.StartSingleTimer(Start.Instance, Start.Instance, FirstRetry); // its worker still has the file
            return;
        }

        var (path, store, attempt, system) = (_path, _store, ++_attempt, Context.System);
        _busy = true;
        // Off this thread: opening the file blocks, and so does the read journal until the write journal answers.
        Task.Run(() =>
        {
            var opened = store ?? ProjectionStore.Open(path);
            try
            {
                return new Opened(opened, PersistenceQuery.Get(system).ReadJournalFor<SqlReadJournal>(GuardianPersistence.QueryId));
            }
            catch
            {
                if (store is null) opened.Dispose();
                throw;
            }
        }).PipeTo(Self, failure: e => new Failed(attempt, e));
    }

    private void OnOpened(Opened opened)
    {
        _busy = false;
        if (_store is null && opened.Store.Rebuilt is { } why) _log.Warning("Read model {Path} is built again from the journal: {Reason}", _path, why);
        _store = opened.Store;
        _journal = opened.Journal;
        if (_sequence is null) Context.ActorSelection(GuardianPersistence.SequencePath).ResolveOne(FindWithin).PipeTo(Self, success: x => new Found(x, null), failure: e => new Found(null, e));
        Follow();
    }

    private void OnFound(Found found)
    {
        _sequence = found.Sequence;
        if (found.Failure is { } failure) _log.Warning("Read model does not hear how far the journal has grown, and may be 2 s behind: {Reason}", failure.GetBaseException().Message);
    }

    /// <summary>A stream that is begun anew looks at once. One that is busy comes to what is new by itself.</summary>
    private void OnGrowth(MaxOrderingId growth)
    {
        if (growth.Max <= _known || _busy || _stream is null) return;
        _known = growth.Max;
        if (_known <= _store!.Position) return;
        _attempt++;
        _stream.Shutdown();
        Follow();
    }

    private void Follow()
    {
        var attempt = _attempt;
        _stream = _journal!.EventsByTag(GuardianPersistence.Tag, Offset.Sequence(_store!.Position))
            .Select(ProjectedEvent.From)
            .Batch(MaxBatch, e => new Batch(attempt, [e]), (batch, e) => { batch.Events.Add(e); return batch; })
            .ViaMaterialized(KillSwitches.Single<Batch>(), Keep.Right)
            .ToMaterialized(Sink.ActorRefWithAck<Batch>(Self, StreamInit.Instance, StreamAck.Instance, new StreamDone(attempt), e => new StreamFailed(attempt, e)), Keep.Left)
            .Run(_materializer);
    }

    private void OnBatch(Batch batch)
    {
        if (batch.Attempt != _attempt || _store is not { } store) return;
        var upstream = Sender;
        _busy = true;
        Task.Run(() =>
        {
            store.Apply(batch.Events);
            return new Applied(batch.Attempt, upstream);
        }).PipeTo(Self, failure: e => new Failed(batch.Attempt, e));
    }

    private void OnApplied(Applied applied)
    {
        _busy = false;
        if (_failures > 0) _log.Info("Read model follows the journal again, position {Position}", _store!.Position);
        _failures = 0;
        _readModel.Grown();
        applied.Upstream.Tell(StreamAck.Instance);
    }

    private void OnForget(Forget forget)
    {
        if (_store is not { } store)
        {
            Sender.Tell(new Forgotten(new IOException("the read model is not open")));
            return;
        }

        var asker = Sender;
        Task.Run(() => store.Forget(forget.Incidents, forget.Runs)).PipeTo(asker, Self, success: () => new Forgotten(), failure: e => new Forgotten(e));
    }

    private void OnFailed(Failed failed)
    {
        _busy = false;
        Retry(failed.Attempt, failed.Cause);
    }

    private void Retry(int attempt, Exception reason)
    {
        if (attempt != _attempt) return;
        _attempt++; // what is still on its way belongs to the past
        _stream?.Shutdown();
        _stream = null;
        var cause = reason.GetBaseException();
        if (!_busy && cause is SqliteException e && ProjectionFile.IsDamage(e) && _store is { } store)
        {
            _log.Warning("Read model {Path} is built again from the journal: {Reason}", _path, e.Message);
            store.Dispose();
            _store = null;
            ProjectionFile.Delete(_path);
        }
        else if (_failures == 0)
        {
            _log.Warning("Read model does not follow the journal for now, answers are as old as its position {Position}: {Reason}", _store?.Position ?? 0, cause.Message);
        }

        var wait = TimeSpan.FromTicks(Math.Min(LongestRetry.Ticks, FirstRetry.Ticks << Math.Min(_failures++, 10)));
        Timers.StartSingleTimer(Start.Instance, Start.Instance, wait);
    }

    private sealed record Start : INoSerializationVerificationNeeded { public static Start Instance { get; } = new(); }
    private sealed record Opened(ProjectionStore Store, SqlReadJournal Journal) : INoSerializationVerificationNeeded;
    private sealed record Found(IActorRef? Sequence, Exception? Failure) : INoSerializationVerificationNeeded;
    private sealed record AskGrowth : INoSerializationVerificationNeeded { public static AskGrowth Instance { get; } = new(); }
    private sealed record Batch(int Attempt, List<ProjectedEvent> Events) : INoSerializationVerificationNeeded;
    private sealed record Applied(int Attempt, IActorRef Upstream) : INoSerializationVerificationNeeded;
    private sealed record Failed(int Attempt, Exception Cause) : INoSerializationVerificationNeeded;
    private sealed record StreamInit : INoSerializationVerificationNeeded { public static StreamInit Instance { get; } = new(); }
    private sealed record StreamAck : INoSerializationVerificationNeeded { public static StreamAck Instance { get; } = new(); }
    private sealed record StreamDone(int Attempt) : INoSerializationVerificationNeeded;
    private sealed record StreamFailed(int Attempt, Exception Cause) : INoSerializationVerificationNeeded;
}
