using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Akka.Actor;
using Akka.Event;

namespace Guardian.Actors.Persistence;

/// <summary>The journal's health as measured last; read from any thread.</summary>
internal sealed class JournalHealthHolder
{
    private volatile JournalHealth _current = new(false, "not measured yet", DateTimeOffset.MinValue);
    private int _numberFloor = -1;

    public JournalHealth Current
    {
        get => _current;
        set => _current = value;
    }

    /// <summary>Numbers up to this may have been given to incidents that were pruned; null until the database was asked.</summary>
    public int? NumberFloor
    {
        get => Volatile.Read(ref _numberFloor) is >= 0 and var floor ? floor : null;
        set => Volatile.Write(ref _numberFloor, value ?? -1);
    }
}

/// <summary>Measures the journal about once a second, one check at a time, and says when it changes.</summary>
[SuppressMessage("Design", "CA1001", Justification = "Disposed in PostStop")]
internal sealed class JournalWatch : ReceiveActor, IWithTimers
{
    /// <summary>A check without an answer for so long counts as a failure: the disk hangs.</summary>
    public static readonly TimeSpan Overdue = TimeSpan.FromSeconds(3);

    private readonly JournalHealthCheck _check;
    private readonly JournalHealthHolder _holder;
    private readonly TimeProvider _time;
    private readonly TimeSpan _every;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly CancellationTokenSource _stopping = new();
    private DateTimeOffset? _started;

    public JournalWatch(JournalHealthCheck check, JournalHealthHolder holder, TimeProvider time, TimeSpan every)
    {
        (_check, _holder, _time, _every) = (check, holder, time, every);
        Receive<Tick>(_ => OnTick());
        Receive<JournalHealth>(OnMeasured);
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(JournalHealthCheck check, JournalHealthHolder holder, TimeProvider time, TimeSpan? every = null)
    {
        var interval = every ?? TimeSpan.FromSeconds(1);
        return Akka.Actor.Props.Create(() => new JournalWatch(check, holder, time, interval));
    }

    /// <inheritdoc/>
    protected override void PreStart() => Timers.StartPeriodicTimer(Tick.Instance, Tick.Instance, TimeSpan.Zero, _every);

    /// <inheritdoc/>
    protected override void PostStop()
    {
        _stopping.Cancel();
        _stopping.Dispose();
    }

    private void OnTick()
    {
        var now = _time.GetUtcNow();
        if (_started is { } started)
        {
            if (now - started > Overdue) Publish(new JournalHealth(false, string.Create(CultureInfo.InvariantCulture, $"the journal database has not answered for {(now - started).TotalSeconds:0} s"), now));
            return;
        }

        _started = now;
        var (check, token) = (_check, _stopping.Token);
        Task.Run(() => check.CheckAsync(token), token).PipeTo(Self, failure: e => new JournalHealth(false, e.GetBaseException().Message, now));
    }

    private void OnMeasured(JournalHealth health)
    {
        _started = null;
        Publish(health);
    }

    private void Publish(JournalHealth health)
    {
        var before = _holder.Current;
        _holder.Current = health;
        if (health.NumberFloor is { } floor) _holder.NumberFloor = floor;
        if (before.Healthy == health.Healthy && before.CheckedAt != DateTimeOffset.MinValue) return;
        if (health.Healthy) _log.Info("Journal takes writes");
        else _log.Error("Journal takes no writes: {Reason}. Incidents wait; the bus goes on", health.Reason!);
    }

    private sealed record Tick : INoSerializationVerificationNeeded
    {
        public static Tick Instance { get; } = new();
    }
}
