using Akka.Actor;
using Akka.Event;

namespace Guardian.Actors.Access;

/// <summary>
/// Reloads the policy when its file changes. It looks at time and length every half second instead of asking the kernel for
/// events: that works on every file system, survives editors that replace the file, and cannot run out of watches.
/// A change is taken once it has been the same on two looks, so that a half-written file is not.
/// </summary>
internal sealed class PolicyWatcher : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    private readonly PolicyStore _store;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private Stamp? _loaded;
    private Stamp? _seen;
    private string _errorsLogged = "";

    public PolicyWatcher(PolicyStore store, bool watch)
    {
        _store = store;
        Watch = watch && store.Path is not null;
        Receive<Look>(OnLook);
        Receive<Stamp>(OnStamp);
        Receive<ReloadPolicy>(OnReload);
        Receive<Reloaded>(OnReloaded);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    private bool Watch { get; }

    public static Props Props(PolicyStore store, bool watch = true) => Akka.Actor.Props.Create(() => new PolicyWatcher(store, watch));

    protected override void PreStart()
    {
        if (Watch) Timers.StartSingleTimer(nameof(Look), Look.Instance, TimeSpan.Zero);
    }

    // The file system may hang (a network share), so it is never touched on the actor's thread.
    private void OnLook(Look _) => Task.Run(() => Stamp.Of(_store.Path!)).PipeTo(Self);

    private void OnStamp(Stamp stamp)
    {
        var settled = stamp == _seen;
        _seen = stamp;
        if (settled && stamp != _loaded)
        {
            _loaded = stamp;
            Reload(ActorRefs.Nobody);
        }

        Timers.StartSingleTimer(nameof(Look), Look.Instance, LookEvery);
    }

    private void OnReload(ReloadPolicy _) => Reload(Sender);

    private void Reload(IActorRef asker)
    {
        var previous = _store.Current.Hash;
        Task.Run(() => new Reloaded(_store.TryReload(), previous, asker)).PipeTo(Self);
    }

    private void OnReloaded(Reloaded message)
    {
        var (reload, previous, asker) = message;
        if (reload.Changed)
        {
            _errorsLogged = "";
            _log.Info("Access policy {Hash} is in force, it replaces {PreviousHash}", _store.Current.Hash, previous);
            Context.System.EventStream.Publish(new PolicySwapped(_store.Current.Hash, previous));
        }

        var errors = string.Join(Environment.NewLine, reload.Errors);
        if (errors != _errorsLogged && errors.Length > 0)
            _log.Error("Access policy was not taken, {Hash} stays in force: {Errors}", _store.Current.Hash, errors);
        _errorsLogged = errors;
        asker.Tell(reload);
    }

    private sealed record Look : INoSerializationVerificationNeeded
    {
        public static readonly Look Instance = new();
    }

    private sealed record Reloaded(PolicyReload Reload, string PreviousHash, IActorRef Asker) : INoSerializationVerificationNeeded;

    private sealed record Stamp(DateTime WrittenUtc, long Length) : INoSerializationVerificationNeeded
    {
        public static Stamp Of(string path)
        {
            try
            {
                var file = new FileInfo(path);
                return file.Exists ? new Stamp(file.LastWriteTimeUtc, file.Length) : new Stamp(default, -1);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return new Stamp(default, -1);
            }
        }
    }
}
