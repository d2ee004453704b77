using System.Text.Json;
using Akka.Actor;
using Akka.Cluster;
using Akka.DistributedData;
using Akka.Event;
using Guardian.Actors.Autonomy;

namespace Guardian.Actors.Silencing;

/// <summary>
/// Brings operators' silences to this node and to the cluster through DistributedData, without the journal. Two operators who
/// speak at once on two nodes lose nothing: each node joins what it hears to what it knows, and shares again what is missing.
/// Keeps <see cref="SilenceView"/> up to date and says so on the event stream.
/// </summary>
internal sealed class SilenceReplica : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1); // what has ended is shown as ended; it ended by itself
    private static readonly TimeSpan Resubscribe = TimeSpan.FromSeconds(30); // the replicator forgets subscribers when it restarts
    private static readonly LWWRegisterKey<SharedSilences> Key = new("guardian-silences");
    private static readonly IWriteConsistency Everywhere = new WriteAll(TimeSpan.FromSeconds(2));

    private readonly IActorRef _replicator;
    private readonly SilenceView _view;
    private readonly SilenceBook _book;
    private readonly SilenceFile _file;
    private readonly UniqueAddress _self = Akka.Cluster.Cluster.Get(Context.System).SelfUniqueAddress;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private string _shown = "";
    private string? _unreadable;

    public SilenceReplica(IActorRef replicator, SilenceView view, string dataDirectory, TimeProvider time)
    {
        (_replicator, _view, _book, _file) = (replicator, view, new SilenceBook(time), new SilenceFile(dataDirectory));
        ReceiveAsync<AddSilence>(x => OnPlanned(_book.Plan(x, "s-" + Guid.NewGuid().ToString("N")[..8])));
        ReceiveAsync<RemoveSilence>(x => OnPlanned(_book.Plan(x)));
        ReceiveAsync<Changed>(OnChanged);
        Receive<LookNow>(_ => Show());
        Receive<SubscribeNow>(_ => Subscribe());
        Receive<IUpdateFailure>(OnUpdateFailure);
        Receive<UpdateSuccess>(_ => { });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <param name="replicator">DistributedData's replicator.</param>
    /// <param name="view">What everybody reads.</param>
    /// <param name="dataDirectory">Where <c>silences.json</c> is.</param>
    /// <param name="time">The clock.</param>
    public static Props Props(IActorRef replicator, SilenceView view, string dataDirectory, TimeProvider time) =>
        Akka.Actor.Props.Create(() => new SilenceReplica(replicator, view, dataDirectory, time));

    protected override void PreStart()
    {
        try
        {
            if (_file.Read() is { } known) _book.Take(known);
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException or NotSupportedException)
        {
            _unreadable = $"{_file.Path} cannot be read ({e.Message}); add or remove a silence to go on, or delete the file and restart";
            _log.Error("Everything is held: {0}", _unreadable);
        }

        Show(); // before the first message: what was held stays held
        Timers.StartPeriodicTimer("look", LookNow.Instance, Look);
        Timers.StartPeriodicTimer("subscribe", SubscribeNow.Instance, Resubscribe);
        Subscribe();
        Share();
    }

    private void Subscribe() => _replicator.Tell(Dsl.Subscribe(Key, Self));

    private async Task OnPlanned(SilenceAnswer planned)
    {
        var sender = Sender;
        if (planned.Silence is { } silence)
        {
            _unreadable = null; // an operator has spoken
            _book.Take(silence);
            Show();
            Share();
            await Keep();
            _log.Info("Silence {0} {1} by {2}: {3} until {4:O}, {5}", silence.Id, silence.Removed ? "ended" : "set", silence.By, silence.Actions, silence.Until, silence.Reason);
        }

        sender.Tell(planned);
    }

    private async Task OnChanged(Changed changed)
    {
        var shared = changed.Get(Key).Value;
        var news = _book.Take(shared);
        if (_book.KnowsMoreThan(shared)) Share();
        if (!news) return;
        Show();
        await Keep();
    }

    private async Task Keep()
    {
        try
        {
            await _file.WriteAsync(_book.Shared);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _log.Error(e, "{0} cannot be written; the silences hold now but are lost if every node restarts", _file.Path);
        }
    }

    private void Share()
    {
        var mine = _book.Shared;
        if (mine.Items.Count == 0) return;
        var horizon = _book.Horizon;
        _replicator.Tell(Dsl.Update(Key, new LWWRegister<SharedSilences>(_self, mine), Everywhere,
            register => register.WithValue(_self, SilenceBook.Join(register.Value, mine, horizon))));
    }

    private void OnUpdateFailure(IUpdateFailure failure)
    {
        if (failure is not UpdateTimeout) _log.Warning("The silences could not be shared with the cluster: {0}", failure);
        // After a time-out it is stored here, and gossip brings it to those that did not answer.
    }

    private void Show()
    {
        _book.Prune();
        var active = _book.Active;
        var shown = string.Join(' ', active.Select(x => x.Silence.Id)) + _unreadable;
        _view.Swap(active, _unreadable);
        if (shown == _shown) return;
        _shown = shown;
        Context.System.EventStream.Publish(ModeChanged.Instance); // waiting runs decide again
    }

    private sealed record LookNow : INoSerializationVerificationNeeded
    {
        public static readonly LookNow Instance = new();
    }

    private sealed record SubscribeNow : INoSerializationVerificationNeeded
    {
        public static readonly SubscribeNow Instance = new();
    }
}
