using System.Text.Json;
using Akka.Actor;
using Akka.Cluster;
using Akka.DistributedData;
using Akka.Event;

namespace Guardian.Actors.Switches;

/// <summary>
/// Brings operators' words on playbooks to this node and to the cluster through DistributedData, and keeps them on disk.
/// Keeps <see cref="SwitchView"/> up to date.
/// </summary>
internal sealed class SwitchReplica : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan Resubscribe = TimeSpan.FromSeconds(30); // the replicator forgets subscribers when it restarts
    private static readonly LWWDictionaryKey<string, PlaybookSwitch> Key = new("guardian-playbook-switches");
    private static readonly IWriteConsistency Everywhere = new WriteAll(TimeSpan.FromSeconds(2));

    private readonly IActorRef _replicator;
    private readonly SwitchView _view;
    private readonly SwitchFile _file;
    private readonly TimeProvider _time;
    private readonly UniqueAddress _self = Akka.Cluster.Cluster.Get(Context.System).SelfUniqueAddress;
    private readonly ILoggingAdapter _log = Context.GetLogger();

    public SwitchReplica(IActorRef replicator, SwitchView view, string dataDirectory, TimeProvider time)
    {
        (_replicator, _view, _file, _time) = (replicator, view, new SwitchFile(dataDirectory), time);
        ReceiveAsync<SetSwitch>(OnSet);
        ReceiveAsync<Changed>(OnChanged);
        Receive<SubscribeNow>(_ => Subscribe());
        Receive<IUpdateFailure>(OnUpdateFailure);
        Receive<UpdateSuccess>(_ => { });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <param name="replicator">DistributedData's replicator.</param>
    /// <param name="view">What everybody reads.</param>
    /// <param name="dataDirectory">Where <c>playbooks.json</c> is.</param>
    /// <param name="time">The clock.</param>
    public static Props Props(IActorRef replicator, SwitchView view, string dataDirectory, TimeProvider time) =>
        Akka.Actor.Props.Create(() => new SwitchReplica(replicator, view, dataDirectory, time));

    protected override void PreStart()
    {
        Restore(); // before the first message: what was disabled stays disabled
        Timers.StartPeriodicTimer("subscribe", SubscribeNow.Instance, Resubscribe);
        Subscribe();
        Share([.. _view.All]);
    }

    private void Subscribe() => _replicator.Tell(Dsl.Subscribe(Key, Self));

    private void Restore()
    {
        try
        {
            foreach (var word in _file.Read()) _view.Take(word);
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException or NotSupportedException)
        {
            _log.Error(e, "{0} cannot be read: playbooks that were disabled may be enabled now; disable them again, or hold", _file.Path);
        }
    }

    private async Task OnSet(SetSwitch command)
    {
        var sender = Sender;
        var now = _time.GetUtcNow();
        var word = new PlaybookSwitch
        {
            Playbook = command.Playbook, Enabled = command.Enabled, By = command.By, Reason = command.Reason,
            At = _view.Of(command.Playbook) is { } known && known.At >= now ? known.At.AddTicks(1) : now, // a clock behind the last word's must not lose
        };
        Take(word);
        Share([word]);
        sender.Tell(new SwitchAnswer(word, await Keep()));
    }

    private async Task OnChanged(Changed changed)
    {
        var news = false;
        foreach (var word in changed.Get(Key).Values) news |= Take(word);
        if (news) await Keep();
    }

    private bool Take(PlaybookSwitch word)
    {
        var before = _view.IsEnabled(word.Playbook);
        if (!_view.Take(word)) return false;
        if (before != word.Enabled) _log.Info("Playbook {0} {1} by {2}: {3}", word.Playbook, word.Enabled ? "enabled" : "disabled", word.By, word.Reason);
        return true;
    }

    private async Task<string?> Keep()
    {
        try
        {
            await _file.WriteAsync([.. _view.All.OrderBy(x => x.Playbook, StringComparer.Ordinal)]);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _log.Error(e, "{0} cannot be written; the switches hold now but are lost if every node restarts", _file.Path);
            return $"{_file.Path} cannot be written: {e.Message}";
        }
    }

    /// <summary>The newest word on a playbook wins in the dictionary as it does in each node, also against what a restarted node remembers.</summary>
    private void Share(IReadOnlyList<PlaybookSwitch> words)
    {
        if (words.Count == 0) return;
        _replicator.Tell(Dsl.Update(Key, LWWDictionary<string, PlaybookSwitch>.Empty, Everywhere, shared => words.Aggregate(shared, (all, word) =>
            all.TryGetValue(word.Playbook, out var known) && known.At >= word.At ? all : all.SetItem(_self, word.Playbook, word))));
    }

    private void OnUpdateFailure(IUpdateFailure failure)
    {
        if (failure is not UpdateTimeout) _log.Warning("Switches of playbooks could not be shared with the cluster: {0}", failure);
        // After a time-out it is stored here, and gossip brings it to those that did not answer.
    }

    private sealed record SubscribeNow : INoSerializationVerificationNeeded
    {
        public static readonly SubscribeNow Instance = new();
    }
}
