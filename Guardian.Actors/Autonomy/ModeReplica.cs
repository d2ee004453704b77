using System.Text.Json;
using Akka.Actor;
using Akka.Cluster;
using Akka.DistributedData;
using Akka.Event;

namespace Guardian.Actors.Autonomy;

/// <summary>
/// Brings operators' mode and hold to this node and to the cluster through DistributedData, without the journal.
/// Keeps <see cref="ModeView"/> up to date and says so on the event stream.
/// </summary>
internal sealed class ModeReplica : ReceiveActor, IWithTimers
{
    /// <summary>Four times faster than what is promised: a second.</summary>
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan Resubscribe = TimeSpan.FromSeconds(30); // the replicator forgets subscribers when it restarts
    private static readonly LWWRegisterKey<ClusterMode> Key = new("guardian-mode");
    private static readonly IWriteConsistency Everywhere = new WriteAll(TimeSpan.FromSeconds(2));

    private readonly IActorRef _replicator;
    private readonly ModeView _view;
    private readonly ModeState _state;
    private readonly ModeFile _file;
    private readonly UniqueAddress _self = Akka.Cluster.Cluster.Get(Context.System).SelfUniqueAddress;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private (Guardian.Playbooks.Model.OperatingMode, string?) _shown = (Guardian.Playbooks.Model.OperatingMode.Enforce, null);

    public ModeReplica(IActorRef replicator, ModeView view, string dataDirectory, TimeProvider time)
    {
        (_replicator, _view, _state, _file) = (replicator, view, new ModeState(time), new ModeFile(dataDirectory));
        ReceiveAsync<SetMode>(OnSet);
        ReceiveAsync<Changed>(OnChanged);
        Receive<GetMode>(_ => Sender.Tell(_state.Status(_view.Mode)));
        Receive<PollNow>(_ => Show());
        Receive<SubscribeNow>(_ => Subscribe());
        Receive<IUpdateFailure>(OnUpdateFailure);
        Receive<UpdateSuccess>(_ => { });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <param name="replicator">DistributedData's replicator.</param>
    /// <param name="view">What everybody reads.</param>
    /// <param name="dataDirectory">Where <c>mode.json</c> and <c>HOLD</c> are.</param>
    /// <param name="time">The clock.</param>
    public static Props Props(IActorRef replicator, ModeView view, string dataDirectory, TimeProvider time) =>
        Akka.Actor.Props.Create(() => new ModeReplica(replicator, view, dataDirectory, time));

    protected override void PreStart()
    {
        Restore();
        Show(); // before the first message: what was held stays held
        Timers.StartPeriodicTimer("poll", PollNow.Instance, Poll);
        Timers.StartPeriodicTimer("subscribe", SubscribeNow.Instance, Resubscribe);
        Subscribe();
        if (_state.Word is { } word) Share(word);
    }

    private void Subscribe() => _replicator.Tell(Dsl.Subscribe(Key, Self));

    private void Restore()
    {
        try
        {
            if (_file.Read() is { } word) _state.Take(word);
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException or NotSupportedException)
        {
            _state.Unreadable($"{_file.Path} cannot be read ({e.Message}); set the mode anew, or delete the file and restart");
        }
    }

    private async Task OnSet(SetMode command)
    {
        var sender = Sender;
        var word = _state.Next(command);
        _state.Take(word);
        Show();
        Share(word);
        await Keep(word);
        sender.Tell(_state.Status(_view.Mode));
    }

    private async Task OnChanged(Changed changed)
    {
        var word = changed.Get(Key).Value;
        if (!_state.Take(word)) return;
        Show();
        await Keep(word);
    }

    private async Task Keep(ClusterMode word)
    {
        try
        {
            await _file.WriteAsync(word);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _log.Error(e, "{0} cannot be written; the mode holds now but is lost if every node restarts", _file.Path);
        }
    }

    /// <summary>The newest word wins in the register as it does in each node, also against what a restarted node remembers.</summary>
    private void Share(ClusterMode word) => _replicator.Tell(Dsl.Update(Key, new LWWRegister<ClusterMode>(_self, word), Everywhere,
        register => register.Value.At > word.At ? register : register.WithValue(_self, word)));

    private void OnUpdateFailure(IUpdateFailure failure)
    {
        if (failure is not UpdateTimeout) _log.Warning("The mode could not be shared with the cluster: {0}", failure);
        // After a time-out it is stored here, and gossip brings it to those that did not answer.
    }

    private void Show()
    {
        _state.HoldFile = _file.HoldExists;
        var shown = (_state.Mode, _state.Held);
        if (shown == _shown) return;
        _shown = shown;
        _view.Swap(shown.Mode, shown.Held);
        Context.System.EventStream.Publish(ModeChanged.Instance);
        _log.Info("Mode {0}, {1}", _view.Mode, shown.Held is { } held ? $"held: {held}" : "not held");
    }

    private sealed record PollNow : INoSerializationVerificationNeeded
    {
        public static readonly PollNow Instance = new();
    }

    private sealed record SubscribeNow : INoSerializationVerificationNeeded
    {
        public static readonly SubscribeNow Instance = new();
    }
}
