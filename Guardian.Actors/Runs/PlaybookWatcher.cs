using Akka.Actor;
using Akka.Event;

namespace Guardian.Actors.Runs;

/// <summary>
/// Reloads the catalogue when the folder changes. It polls times and sizes: notifications of file systems get lost in containers
/// and on network shares, and run out on busy hosts.
/// </summary>
internal sealed class PlaybookWatcher : ReceiveActor, IWithTimers
{
    internal static readonly TimeSpan DefaultInterval = TimeSpan.FromMilliseconds(500);

    private readonly string _directory;
    private readonly PlaybookCatalog _catalog;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly TimeSpan _interval;
    private string? _seen;

    public PlaybookWatcher(string directory, PlaybookCatalog catalog, TimeSpan interval)
    {
        _directory = directory;
        _catalog = catalog;
        _interval = interval;
        Receive<Look>(_ => LookUp());
        Receive<Looked>(OnLooked);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(string directory, PlaybookCatalog catalog, TimeSpan? interval = null) =>
        Akka.Actor.Props.Create(() => new PlaybookWatcher(directory, catalog, interval ?? DefaultInterval));

    protected override void PreStart() => LookUp();

    private void LookUp()
    {
        var (directory, catalog, seen) = (_directory, _catalog, _seen);
        // Disks may be slow: off the actor's thread.
        Task.Run(() =>
        {
            var now = Signature(directory);
            if (now == seen) return new Looked(now, null);
            var before = catalog.Current.Hash;
            var reloaded = catalog.TryReload();
            // The first look reloads too: what changed since the start's own load would never be seen else.
            return new Looked(now, seen is null && reloaded && catalog.Current.Hash == before ? null : reloaded);
        }).PipeTo(Self, failure: e => new Looked(seen ?? "", null, e.Message));
    }

    private void OnLooked(Looked x)
    {
        _seen = x.Signature;
        if (x.Reloaded == true) _log.Info("Playbooks reloaded: {Count}, hash {Hash}", _catalog.Current.Playbooks.Count, _catalog.Current.Hash);
        if (x.Reloaded == false) _log.Warning("Playbooks have errors, the last good ones stay in force: {Errors}", string.Join("; ", _catalog.Errors.Take(5)));
        if (x.Failure is not null) _log.Warning("Playbooks folder {Directory} cannot be watched: {Reason}", _directory, x.Failure);
        Timers.StartSingleTimer(nameof(Look), Look.Instance, _interval);
    }

    private static string Signature(string directory) => !Directory.Exists(directory)
        ? "missing"
        : string.Join('|', new DirectoryInfo(directory).EnumerateFiles("*", SearchOption.AllDirectories)
            .Where(x => x.Extension is ".yaml" or ".yml")
            .OrderBy(x => x.FullName, StringComparer.Ordinal)
            .Select(x => $"{x.FullName} {x.LastWriteTimeUtc.Ticks} {x.Length}"));

    private sealed record Look : INoSerializationVerificationNeeded
    {
        public static readonly Look Instance = new();
    }

    private sealed record Looked(string Signature, bool? Reloaded, string? Failure = null) : INoSerializationVerificationNeeded;
}
