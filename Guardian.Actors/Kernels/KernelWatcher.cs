using Akka.Actor;
using Akka.Event;

namespace Guardian.Actors.Kernels;

/// <summary>
/// Takes over <c>kernels.yaml</c> as a whole when it changed. Looks at time and length every half second, as the other files are watched; a
/// change is taken once it was the same on two looks, so that a half-written file is not.
/// </summary>
internal sealed class KernelWatcher : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    private readonly KernelCatalog _catalog;
    private readonly IActorRef _supervisor;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private Stamp? _loaded;
    private Stamp? _seen;

    public KernelWatcher(KernelCatalog catalog, IActorRef supervisor)
    {
        (_catalog, _supervisor) = (catalog, supervisor);
        Receive<Look>(_ => Task.Run(() => Stamp.Of(_catalog.Path!)).PipeTo(Self)); // the file system may hang
        Receive<Stamp>(OnStamp);
        Receive<Reloaded>(OnReloaded);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(KernelCatalog catalog, IActorRef supervisor) => Akka.Actor.Props.Create(() => new KernelWatcher(catalog, supervisor));

    protected override void PreStart() => Timers.StartSingleTimer(nameof(Look), Look.Instance, TimeSpan.Zero);

    private void OnStamp(Stamp stamp)
    {
        var settled = stamp == _seen;
        _seen = stamp;
        if (settled && stamp != _loaded)
        {
            _loaded = stamp;
            Task.Run(() => new Reloaded(_catalog.TryReload())).PipeTo(Self);
        }

        Timers.StartSingleTimer(nameof(Look), Look.Instance, LookEvery);
    }

    private void OnReloaded(Reloaded reloaded)
    {
        if (reloaded.Good) _supervisor.Tell(KernelsReloaded.Instance);
        else _log.Error("Kernels were not taken, the last good ones go on: {0}", string.Join(Environment.NewLine, _catalog.Errors));
    }

    private sealed record Look : INoSerializationVerificationNeeded
    {
        public static readonly Look Instance = new();
    }

    private sealed record Reloaded(bool Good) : INoSerializationVerificationNeeded;

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
