using Akka.Actor;
using Akka.Event;

namespace Guardian.Actors.Persistence;

/// <summary>
/// Lets go of what is over for long enough, or too large: in small batches beside the running node. The cluster's leader deletes from the
/// journal, every node from its own read model, which is the last to forget, so that a batch cut short is taken up again.
/// </summary>
internal sealed class RetentionActor : ReceiveActor, IWithTimers
{
    /// <summary>Keys in one batch: some thousand events, a transaction of some ten milliseconds.</summary>
    private const int BatchSize = 200;

    /// <summary>Between two batches the writers have the database for so many times as long as the batch took.</summary>
    private const int PauseFactor = 3;

    private readonly JournalPruner _pruner;
    private readonly JournalDatabase _database;
    private readonly RetentionOptions _options;
    private readonly string _projection;
    private readonly IActorRef _reader;
    private readonly JournalHealthHolder _journal;
    private readonly TimeProvider _time;
    private readonly Func<bool> _leads;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private long? _position; // as it was one interval ago: a row that was committed late is not behind it any more
    private long? _sample;
    private (long Incidents, long Events) _pruned;
    private long _began;

    public RetentionActor(RetentionLinks links, RetentionOptions options)
    {
        (_database, _projection, _reader, _journal, _time, _options) = (links.Database, links.Projection, links.Reader, links.Journal, links.Time, options);
        _pruner = new JournalPruner(_database);
        _leads = links.Leads;
        Receive<Look>(_ => OnLook());
        Receive<Next>(_ => Begin());
        Receive<Batch>(OnBatch);
        Receive<Forgotten>(OnForgotten);
        Receive<Status.Failure>(x => OnFailed(x.Cause));
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(RetentionLinks links, RetentionOptions options) => Akka.Actor.Props.Create(() => new RetentionActor(links, options));

    /// <inheritdoc/>
    protected override void PreStart() => Rest();

    private void Rest() => Timers.StartSingleTimer(nameof(Look), Look.Instance, _options.Interval.Value);

    private void OnLook()
    {
        _position = _sample;
        _sample = null;
        _pruned = default;
        Begin();
    }

    private void Begin()
    {
        var (position, leads, now, floor) = (_position, _leads(), _time.GetUtcNow(), _journal.NumberFloor);
        if (!_journal.Current.Healthy || floor is null)
        {
            Rest();
            return;
        }

        _began = TimeProvider.System.GetTimestamp(); // real time, whatever the clock says of incidents
        Task.Run(() => Work(position, leads, floor.Value, now)).PipeTo(Self);
    }

    /// <summary>One batch. Off this actor's thread.</summary>
    private Batch Work(long? upTo, bool leads, int floor, DateTimeOffset now)
    {
        var position = RetentionPlan.Position(_projection);
        if (upTo is not { } end) return new Batch(position, [], 0, BatchKind.Idle);
        var large = leads && _pruner.Bytes() > _options.Limit;
        var youngest = now - RetentionPlan.Youngest;
        var closed = now - _options.Closed.Value;
        var endedBefore = large && youngest > closed ? youngest : closed;
        var (count, number) = RetentionPlan.Count(_projection, endedBefore);
        if (count == 0)
        {
            var behind = leads ? _pruner.DeleteBehindSnapshots(now - _options.Closed.Value) + _pruner.DeleteQuietGuards(now) : 0;
            return new Batch(position, [], behind, large && behind == 0 ? BatchKind.TooLarge : BatchKind.Idle);
        }

        var entities = RetentionPlan.Next(_projection, endedBefore, BatchSize);
        if (!leads)
        {
            var gone = _pruner.Gone(entities);
            return new Batch(position, gone, 0, gone.Count > 0 ? BatchKind.More : BatchKind.Idle);
        }

        if (number <= floor) return new Batch(position, entities, _pruner.Delete(entities, end), BatchKind.More);
        using var connection = _database.Connect(_database.Journal);
        connection.Open();
        JournalMeta.RaiseNumberFloor(connection, number);
        return new Batch(position, [], 0, BatchKind.Waits);
    }

    private void OnBatch(Batch batch)
    {
        _sample ??= batch.Position;
        _pruned = (_pruned.Incidents + batch.Entities.Sum(x => x.Incidents.Count), _pruned.Events + batch.Events);
        if (batch.Kind == BatchKind.TooLarge)
            _log.Warning("The database is larger than Guardian:Retention:MaxBytes ({0}), but nothing in it is over for longer than {1}", _options.MaxBytes, RetentionPlan.Youngest);
        if (batch.Entities.Count > 0)
        {
            _reader.Tell(new Forget([.. batch.Entities.SelectMany(x => x.Incidents)], [.. batch.Entities.SelectMany(x => x.Runs)]));
            Timers.StartSingleTimer(nameof(Look), Look.Instance, _options.Interval.Value); // should the answer be lost
        }
        else if (batch.Kind == BatchKind.Waits)
        {
            // Every node reads the floor once a second; nothing is deleted before all of them know it.
            Timers.StartSingleTimer(nameof(Next), Next.Instance, JournalWatch.Overdue * 2);
        }
        else
        {
            End();
        }
    }

    private void OnForgotten(Forgotten x)
    {
        Timers.Cancel(nameof(Look));
        if (x.Failure is null) Timers.StartSingleTimer(nameof(Next), Next.Instance, PauseFactor * TimeProvider.System.GetElapsedTime(_began));
        else OnFailed(x.Failure);
    }

    private void End()
    {
        if (_pruned is not (0, 0)) _log.Info("Retention: {0} incidents and {1} events are let go", _pruned.Incidents, _pruned.Events);
        Rest();
    }

    private void OnFailed(Exception cause)
    {
        _log.Warning("Retention could not go on and tries again later: {0}", cause.GetBaseException().Message);
        Rest();
    }

    private enum BatchKind { Idle, More, Waits, TooLarge }

    private sealed record Batch(long Position, IReadOnlyList<PrunableEntity> Entities, long Events, BatchKind Kind) : INoSerializationVerificationNeeded;

    private sealed record Look : INoSerializationVerificationNeeded { public static Look Instance { get; } = new(); }

    private sealed record Next : INoSerializationVerificationNeeded { public static Next Instance { get; } = new(); }
}

/// <summary>Whom retention works with.</summary>
/// <param name="Database">The journal.</param>
/// <param name="Projection">The read model's file.</param>
/// <param name="Reader">The ProjectionActor.</param>
/// <param name="Journal">Health and the floor of incidents' numbers, as the JournalWatch reads them.</param>
/// <param name="Leads">Whether this node deletes from the journal; one of the cluster does.</param>
/// <param name="Time">The clock.</param>
internal sealed record RetentionLinks(JournalDatabase Database, string Projection, IActorRef Reader, JournalHealthHolder Journal, Func<bool> Leads, TimeProvider Time);

/// <summary>To the ProjectionActor: these are gone from the journal. Answer: <see cref="Forgotten"/>.</summary>
internal sealed record Forget(IReadOnlyList<string> Incidents, IReadOnlyList<string> Runs) : INoSerializationVerificationNeeded;

/// <summary>The read model has forgotten them, or why not.</summary>
internal sealed record Forgotten(Exception? Failure = null) : INoSerializationVerificationNeeded;
