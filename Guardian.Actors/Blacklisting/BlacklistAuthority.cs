using Akka.Actor;
using Akka.Cluster;
using Akka.DistributedData;
using Akka.Event;
using Akka.Pattern;
using Akka.Persistence;
using Guardian.Actors.Hosting;
using Guardian.Actors.Mitigations;
using Guardian.Actors.Persistence;
using Guardian.Actors.Serialization;

namespace Guardian.Actors.Blacklisting;

/// <summary>
/// The cluster's one owner of bans: a persistent singleton. It writes what is in force to DistributedData, one register
/// for each hashed bucket, and answers a command after it is in the journal. Run it under back-off: a failed write stops it.
/// </summary>
internal sealed class BlacklistAuthority : ReceivePersistentActor, IWithTimers
{
    public const string Id = "blacklist-authority";

    private const int SnapshotEvery = 2_000; // events at least; and as many as there are principals, lest many bans make each dear
    private const int BucketsAtOnce = 20; // direct writes to the nodes; more than that is left to gossip, whose chunks are bounded
    private static readonly TimeSpan PruneInterval = TimeSpan.FromSeconds(5); // memory only: a ban ends at its time everywhere without it
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan GatherMany = TimeSpan.FromMilliseconds(500); // gossip, not we, sets the pace then
    private static readonly IWriteConsistency Everywhere = new WriteAll(TimeSpan.FromSeconds(2));

    private readonly IActorRef _replicator;
    private readonly TimeProvider _time;
    private readonly LapseClock _lapse;
    private readonly BanBook _book;
    private readonly BucketIndex _index;
    private readonly UniqueAddress _self = Akka.Cluster.Cluster.Get(Context.System).SelfUniqueAddress;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly HashSet<int> _unconfirmed = [.. Enumerable.Range(0, BanBuckets.Count)];
    private readonly HashSet<int> _dirty = [];
    private readonly List<IActorRef> _waiting = [];
    private long _snapshotAt;
    private bool _unreadable;

    public BlacklistAuthority(IActorRef replicator, BlacklistOptions options, Func<string, bool> isProtected, TimeProvider time)
    {
        (_replicator, _time, _lapse) = (replicator, time, new LapseClock(time));
        JournalPluginId = "guardian.journal";
        SnapshotPluginId = "guardian.snapshots";
        _book = new BanBook(options, isProtected);
        _index = new BucketIndex(_book);
        JournalPluginId = GuardianPersistence.JournalId; // in the constructor: later it is silently ignored
        SnapshotPluginId = GuardianPersistence.SnapshotsId;
        Recover<BanEvent>(Apply);
        Recover<SnapshotOffer>(OnSnapshot);
        Recover<UnreadableMessage>(OnUnreadable);
        Command<BanPrincipal>(x => Carry(_book.Decide(x, _time.GetUtcNow())));
        Command<LiftBan>(x => Carry(_book.Decide(x, _time.GetUtcNow())));
        Command<AwaitBans>(OnAwait);
        Command<GetSuccess>(OnRead);
        Command<NotFound>(x => OnRead(x.Key, BanBucket.Empty));
        Command<UpdateSuccess>(x => Confirm(x.Key));
        Command<UpdateTimeout>(x => Confirm(x.Key)); // stored here; gossip brings it to those that did not answer
        Command<IUpdateFailure>(OnUpdateFailure);
        Command<Prune>(_ => OnPrune());
        Command<Flush>(_ => OnFlush());
        Command<SaveSnapshotSuccess>(x => DeleteSnapshots(new SnapshotSelectionCriteria(x.Metadata.SequenceNr - 1)));
        Command<SaveSnapshotFailure>(x => _log.Warning(x.Cause, "The bans' snapshot could not be written; the journal has them all"));
        Command<DeleteSnapshotsSuccess>(_ => { });
        Command<DeleteSnapshotsFailure>(_ => { });
    }

    public override string PersistenceId => Id;

    public ITimerScheduler Timers { get; set; } = null!;

    /// <param name="replicator">DistributedData's replicator.</param>
    /// <param name="options">Bans.</param>
    /// <param name="isProtected">Principals that nobody can ban.</param>
    /// <param name="time">The clock.</param>
    /// <returns>The authority under back-off; give it to the singleton manager with PoisonPill as its end.</returns>
    public static Props Props(IActorRef replicator, BlacklistOptions options, Func<string, bool> isProtected, TimeProvider time) =>
        BackoffSupervisor.Props(Backoff.OnStop(
            Akka.Actor.Props.Create(() => new BlacklistAuthority(replicator, options, isProtected, time)), "authority",
            TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(10), 0.2, -1));

    protected override void OnReplaySuccess()
    {
        _log.Info("Bans recovered: {0} principals banned", _book.Banned);
        Timers.StartPeriodicTimer("prune", Prune.Instance, PruneInterval);
        _book.Prune(_lapse.Now);
        for (var i = 0; i < BanBuckets.Count; i++) _replicator.Tell(Dsl.Get(BanBuckets.Key(i), ReadLocal.Instance));
    }

    protected override void PostStop()
    {
        ParkedEntities.Of(Context.System).Remove(Id);
        base.PostStop();
    }

    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr)
    {
        _log.Error(cause, "The journal rejected a ban's event; the authority starts over and the nodes ask again");
        Context.Stop(Self);
    }

    private void Apply(BanEvent fact)
    {
        _book.Apply(fact);
        _index.Touch(fact.Principal);
    }

    private void OnSnapshot(SnapshotOffer offer)
    {
        if (offer.Snapshot is not BanBookSnapshot snapshot)
        {
            OnUnreadable(offer.Snapshot as UnreadableMessage ?? new UnreadableMessage(offer.Snapshot.GetType().Name, [], "is no snapshot of bans"));
            return;
        }

        _book.Restore(snapshot);
        _snapshotAt = offer.Metadata.SequenceNr;
        _index.Rebuild(snapshot.Principals.Select(x => x.Principal));
    }

    /// <summary>One principal's event must not take away the bans of all others: it goes on with what it can read, and writes no snapshot that would hide the rest.</summary>
    private void OnUnreadable(UnreadableMessage unreadable)
    {
        if (_unreadable) return;
        _unreadable = true;
        var reason = $"goes on without what cannot be read ({unreadable}); start the version that wrote it";
        _log.Error("The bans' journal: {0}", reason);
        ParkedEntities.Of(Context.System).Add(Id, reason);
    }

    private void Carry(BanDecision decision)
    {
        if (decision.Events.Count == 0)
        {
            Sender.Tell(decision.Result);
            return;
        }

        var (sender, left) = (Sender, decision.Events.Count);
        PersistAll(decision.Events, fact =>
        {
            Apply(fact);
            if (--left > 0) return;
            sender.Tell(decision.Result);
            Changed(BanBuckets.Of(fact.Principal));
            if (_unreadable || LastSequenceNr - _snapshotAt < Math.Max(SnapshotEvery, _book.Principals)) return;
            _snapshotAt = LastSequenceNr;
            SaveSnapshot(_book.ToSnapshot());
        });
    }

    private void OnRead(GetSuccess read)
    {
        if (BanBuckets.TryIndex(read.Key, out var bucket)) OnRead(read.Key, read.Get(BanBuckets.Key(bucket)).Value);
    }

    /// <summary>After a recovery: rewrites what differs, a fail-over's usual bucket does not.</summary>
    private void OnRead(IKey key, BanBucket stored)
    {
        if (!BanBuckets.TryIndex(key, out var bucket)) return;
        if (_index.Bucket(bucket, _lapse.Now).SameAs(stored)) Confirm(key);
        else Write([bucket], WriteLocal.Instance);
    }

    /// <summary>The first change is written at once, those that follow closely are gathered.</summary>
    private void Changed(int bucket)
    {
        _dirty.Add(bucket);
        if (!Timers.IsTimerActive("flush")) OnFlush();
    }

    private void OnFlush()
    {
        if (_dirty.Count == 0) return;
        var many = _dirty.Count > BucketsAtOnce;
        Write([.. _dirty], many ? WriteLocal.Instance : Everywhere);
        _dirty.Clear();
        Timers.StartSingleTimer("flush", Flush.Instance, many ? GatherMany : Gather);
    }

    private void Write(List<int> buckets, IWriteConsistency consistency)
    {
        var now = _lapse.Now;
        foreach (var bucket in buckets)
        {
            var content = _index.Bucket(bucket, now);
            _replicator.Tell(Dsl.Update(BanBuckets.Key(bucket), new LWWRegister<BanBucket>(_self, content), consistency,
                register => register.WithValue(_self, content)));
        }
    }

    private void Confirm(IKey key)
    {
        if (!BanBuckets.TryIndex(key, out var bucket) || !_unconfirmed.Remove(bucket) || _unconfirmed.Count > 0) return;
        foreach (var waiting in _waiting) waiting.Tell(new BansWritten { Bans = _book.Banned });
        _waiting.Clear();
    }

    private void OnUpdateFailure(IUpdateFailure failure)
    {
        _log.Warning("A bucket of bans could not be written to DistributedData: {0}; it is tried again", failure);
        if (BanBuckets.TryIndex(failure.Key, out var bucket)) _dirty.Add(bucket);
    }

    private void OnAwait(AwaitBans _)
    {
        if (_unconfirmed.Count == 0) Sender.Tell(new BansWritten { Bans = _book.Banned });
        else if (!_waiting.Contains(Sender)) _waiting.Add(Sender);
    }

    private void OnPrune()
    {
        foreach (var principal in _book.Prune(_lapse.Now))
        {
            _index.Touch(principal);
            _dirty.Add(BanBuckets.Of(principal));
        }

        OnFlush();
    }

    private sealed record Flush : INoSerializationVerificationNeeded
    {
        public static readonly Flush Instance = new();
    }

    private sealed record Prune : INoSerializationVerificationNeeded
    {
        public static readonly Prune Instance = new();
    }
}
