using System.Diagnostics.CodeAnalysis;
using Akka.Actor;
using Akka.Event;
using Akka.Persistence;
using Akka.Persistence.Journal;
using Guardian.Actors.Persistence;
using Guardian.Actors.Serialization;

namespace Guardian.Actors.Notifications;

/// <summary>
/// The outbox of one channel: persist, deliver, persist that it was delivered. A crash in between delivers again under the same
/// key. A failed write stops it; the shard starts it again and it goes on with what its journal holds.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Disposed in PostStop")]
internal sealed class Outbox : ReceivePersistentActor, IWithTimers
{
    /// <summary>Events between snapshots: recovery reads at most so many.</summary>
    public const int SnapshotEvery = 500;

    /// <summary>A timer may fire a little early by the clock: at least so long, so that it does not spin.</summary>
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(5);

    private readonly string _channelName;
    private readonly OutboxDependencies _deps;
    private readonly OutboxLogic _logic;
    private readonly INotificationChannel _channel;
    private readonly CancellationTokenSource _stopping = new();
    private OutboxState _state;
    private string? _recovered;
    private string? _delivering;
    private string? _attemptedKey;
    private int _attempts;
    private long _refused;
    private string? _lastFailure;
    private UnreadableMessage? _unreadable;

    public Outbox(string channel, OutboxDependencies deps)
    {
        JournalPluginId = GuardianPersistence.JournalId; // here: recovery has begun when PreStart is called
        SnapshotPluginId = GuardianPersistence.SnapshotsId;
        _channelName = channel;
        _deps = deps;
        _state = new OutboxState(channel);
        _logic = ChannelFactory.Logic(channel, deps);
        _channel = ChannelFactory.Create(channel, deps, Context.GetLogger());

        Recover<OutboxEvent>(e => _state.Apply(e));
        Recover<SnapshotOffer>(OnSnapshot);
        Recover<UnreadableMessage>(x => _unreadable ??= x);
        Recover<RecoveryCompleted>(_ => OnRecovered());

        Command<Deliver>(OnDeliver);
        Command<TellResolved>(x => Take(_logic.Take(_state, x)));
        Command<AskDelivery>(question => Sender.Tell(OutboxLogic.Ask(_state, question)));
        Command<GetOutboxStatus>(_ => Sender.Tell(Status()));
        Command<Attempted>(OnAttempted);
        Command<Next>(_ => DeliverNext());
        Command<SaveSnapshotSuccess>(x => DeleteSnapshots(new SnapshotSelectionCriteria(x.Metadata.SequenceNr - 1)));
        Command<SaveSnapshotFailure>(x => Log.Warning("Outbox {Channel}: snapshot failed, the journal alone is read at the next start: {Reason}", _channelName, x.Cause.Message));
        Command<DeleteSnapshotsSuccess>(_ => { });
        Command<DeleteSnapshotsFailure>(x => Log.Warning("Outbox {Channel}: old snapshots stay: {Reason}", _channelName, x.Cause.Message));
    }

    /// <inheritdoc/>
    public override string PersistenceId => "outbox-" + _channelName;

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(string channel, OutboxDependencies deps) => Akka.Actor.Props.Create(() => new Outbox(channel, deps));

    /// <inheritdoc/>
    protected override void PostStop()
    {
        _stopping.Cancel();
        _stopping.Dispose();
        _deps.Board.Remove(_channelName);
        ParkedEntities.Of(Context.System).Remove(PersistenceId);
        base.PostStop();
    }

    /// <inheritdoc/>
    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr)
    {
        // A rejected event was not written, yet its effect may be under way: start again from what is written.
        base.OnPersistRejected(cause, @event, sequenceNr);
        Context.Stop(Self);
    }

    private void OnSnapshot(SnapshotOffer offer)
    {
        if (offer.Snapshot is OutboxSnapshot snapshot) _state = OutboxState.From(_channelName, snapshot);
        else _unreadable ??= offer.Snapshot as UnreadableMessage ?? new UnreadableMessage(offer.Snapshot.GetType().Name, [], "is no snapshot of an outbox");
    }

    /// <summary>What waits and what was delivered is not known: it takes and delivers nothing, and says so to whoever asks.</summary>
    private void Park(UnreadableMessage unreadable)
    {
        _lastFailure = $"its journal holds what cannot be read ({unreadable}); start the version that wrote it, or restore a backup";
        Log.Error("Outbox {Channel} is parked: {Reason}", _channelName, _lastFailure);
        ParkedEntities.Of(Context.System).Add(PersistenceId, _lastFailure);
        Post();
        Become(() =>
        {
            Command<Deliver>(x => Sender.Tell(new OutboxAccepted { Channel = _channelName, Key = x.Key, Accepted = false, Reason = _lastFailure }));
            Command<GetOutboxStatus>(_ => Sender.Tell(Status()));
            CommandAny(_ => { }); // a question whether a key was accepted stays open: it is not known
        });
    }

    private void OnRecovered()
    {
        if (_unreadable is { } unreadable)
        {
            Park(unreadable);
            return;
        }

        if (_state.Pending > 0) Log.Info("Outbox {Channel}: {Pending} undelivered items go on", _channelName, _state.Pending);
        _recovered = _state.Head?.Item.Key;
        Post();
        DeliverNext();
    }

    private void OnDeliver(Deliver item) => Take(_logic.Take(_state, item, _deps.Time.GetUtcNow()));

    private void Take((OutboxAccepted Answer, DeliveryAccepted? Event) taken)
    {
        var (answer, accepted) = (taken.Answer with { Channel = _channelName }, taken.Event);
        if (accepted is null)
        {
            if (!answer.Accepted && _refused++ == 0) Log.Error("Outbox {Channel} refuses items: {Reason}", _channelName, answer.Reason ?? "");
            Sender.Tell(answer);
            return;
        }

        var sender = Sender;
        Write(accepted, () =>
        {
            sender.Tell(answer);
            DeliverNext();
        });
    }

    private void DeliverNext()
    {
        if (_delivering is not null || Timers.IsTimerActive(Next.Retry)) return;
        Timers.Cancel(Next.Digest);
        var step = _logic.Next(_state, _deps.Muted, _deps.Time.GetUtcNow());
        if (step.Event is { } e)
        {
            if (e is DeliveryMuted muted) Log.Info("Outbox {Channel}: {Key} is not sent: {Reason}", _channelName, muted.Key, muted.Reason);
            Write(e, DeliverNext);
        }
        else if (step.Send)
        {
            Send(_state.Head!);
        }
        else if (step.Wait is { } wait)
        {
            Timers.StartSingleTimer(Next.Digest, Next.Instance, wait > Shortest ? wait : Shortest);
        }
    }

    private void Send(DeliveryAccepted head)
    {
        var item = head.Item;
        if (_attemptedKey != item.Key) (_attemptedKey, _attempts) = (item.Key, 0);
        _attempts++;
        _delivering = item.Key;
        var sending = new Sending(item, _attempts > 1 || _recovered == item.Key, item.ItemKey is null ? null : _state.Item(item.ItemKey), _state.Ends(item.Key));
        var (channel, token) = (_channel, _stopping.Token);
        // Off this actor's thread: files and sockets may be slow.
        Task.Run(() => channel.SendAsync(sending, token), token).PipeTo(Self,
            success: result => new Attempted(item.Key, result),
            failure: e => new Attempted(item.Key, new ChannelResult.Retry(e.GetBaseException().Message)));
    }

    private void OnAttempted(Attempted attempted)
    {
        _delivering = null;
        if (_state.Head is not { } head || head.Item.Key != attempted.Key) return;
        var failed = _lastFailure is not null;
        _lastFailure = attempted.Result switch
        {
            ChannelResult.Retry retry => retry.Reason,
            ChannelResult.Refused refused => refused.Reason,
            _ => null,
        };
        if (!failed && attempted.Result is ChannelResult.Retry)
            Log.Warning("Outbox {Channel}: {Key} could not be delivered and is tried again: {Reason}", _channelName, attempted.Key, _lastFailure!);
        else if (failed && _lastFailure is null)
            Log.Info("Outbox {Channel}: delivers again, {Pending} waiting", _channelName, _state.Pending);

        var now = _deps.Time.GetUtcNow();
        if (attempted.Result is ChannelResult.Delivered || attempted.Result.Ended.Count == 0) Follow(head, attempted.Result, now);
        else Write(new DeliveryPartlyDone { At = now, Key = attempted.Key, Ends = attempted.Result.Ended }, () => Follow(head, attempted.Result, now));
    }

    private void Follow(DeliveryAccepted head, ChannelResult result, DateTimeOffset now)
    {
        var (ended, wait) = _logic.AfterAttempt(head, _attempts, result, now, Random.Shared.NextDouble());
        if (ended is null)
        {
            Timers.StartSingleTimer(Next.Retry, Next.Instance, wait);
            Post();
            return;
        }

        if (ended is DeliveryDead dead)
            Log.Error("Outbox {Channel}: {Key} is given up after {Attempts} attempts: {Reason}", _channelName, dead.Key, dead.Attempts, dead.Reason);
        Write(ended, DeliverNext);
    }

    private void Write(OutboxEvent e, Action then) => Persist(new Tagged(e, GuardianPersistence.Tags), _ =>
    {
        _state.Apply(e);
        if (LastSequenceNr % SnapshotEvery == 0) SaveSnapshot(_state.ToSnapshot());
        Post();
        then();
    });

    private void Post() => _deps.Board.Post(Status());

    private OutboxStatus Status() => new()
    {
        Channel = _channelName,
        Pending = _state.Pending,
        Delivered = _state.Delivered,
        Dead = _state.Dead,
        Digested = _state.Digested,
        Collected = _state.Collected?.Count ?? 0,
        Muted = _state.Muted,
        Refused = _refused,
        Attempts = _state.Head?.Item.Key == _attemptedKey ? _attempts : 0,
        WaitingSince = _state.Head?.At,
        LastFailure = _lastFailure,
    };

    private sealed record Attempted(string Key, ChannelResult Result) : INoSerializationVerificationNeeded;

    private sealed record Next : INoSerializationVerificationNeeded
    {
        public const string Retry = "retry";
        public const string Digest = "digest";
        public static Next Instance { get; } = new();
    }
}
