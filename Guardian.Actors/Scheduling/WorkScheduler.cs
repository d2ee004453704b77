using System.Text.Json;
using Akka.Actor;
using Akka.Event;
using Guardian.Actors.Bus;
using Guardian.Actors.Mitigations;

namespace Guardian.Actors.Scheduling;

/// <summary>
/// Keeps the node's scheduling mode: leases of runs and operators, and what the resource monitor announces on the bus as
/// <c>scheduler.load_shedding</c>, which reduces at once, before any playbook runs. The strictest holds.
/// </summary>
internal sealed class WorkScheduler : ReceiveActor, IWithTimers
{
    /// <summary>Announced by the node's resource monitor.</summary>
    public const string LoadShedding = "scheduler.load_shedding";

    public const string Target = "scheduler";

    /// <summary>An announcement whose end is never heard lapses.</summary>
    private static readonly TimeSpan ShedFor = TimeSpan.FromMinutes(2);

    private readonly SchedulerMemory _memory;
    private readonly Func<string, IActorRef, Task<BusPort>> _register;
    private readonly TimeProvider _time;
    private readonly ILoggingAdapter _log = Context.GetLogger();

    public WorkScheduler(SchedulerMemory memory, Func<string, IActorRef, Task<BusPort>> register, TimeProvider time)
    {
        (_memory, _register, _time) = (memory, register, time);
        Receive<SetSchedulerMode>(OnSet);
        Receive<LiftSchedulerMode>(OnLift);
        Receive<GetSchedulerMode>(_ => Sender.Tell(Answer(true, _memory.Board.Mode)));
        Receive<BusMessage>(OnAnnounced);
        Receive<Registered>(OnRegistered);
        Receive<Lapse>(_ => { _memory.Leases.Sweep(); Show(); });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(SchedulerMemory memory, Func<string, IActorRef, Task<BusPort>> register, TimeProvider time) =>
        Akka.Actor.Props.Create(() => new WorkScheduler(memory, register, time));

    protected override void PreStart()
    {
        Show();
        _register(Access.AccessPolicy.GuardianPrincipal, Self).PipeTo(Self, success: x => new Registered(x, null), failure: e => new Registered(null, e.GetBaseException().Message));
    }

    private void OnRegistered(Registered registered)
    {
        var result = registered.Port?.Subscribe(LoadShedding, Self);
        if (result is not { Accepted: true })
            _log.Warning("'{0}' is not heard, so load is shed by playbooks alone: {1}", LoadShedding, registered.Failure ?? result?.Outcome.ToString() ?? "no port");
    }

    private void OnSet(SetSchedulerMode set)
    {
        var before = _memory.Board.Mode;
        if (set.Mode == SchedulerMode.Normal) _memory.Leases.Remove(Target, set.Owner, out _);
        else _memory.Leases.Set(Target, set.Owner, set.Mode, set.Reason, _time.GetUtcNow(), set.Until);
        Show();
        Sender.Tell(Answer(true, before));
    }

    private void OnLift(LiftSchedulerMode lift)
    {
        var before = _memory.Board.Mode;
        var done = _memory.Leases.Remove(Target, lift.Owner, out _);
        Show();
        Sender.Tell(Answer(done, before));
    }

    private void OnAnnounced(BusMessage message)
    {
        if (message.Principal != Access.AccessPolicy.GuardianPrincipal) return; // a declared principal might be allowed to publish here
        try
        {
            using var body = JsonDocument.Parse(message.Body);
            var (key, state) = (body.RootElement.GetProperty("key").GetString() ?? "", body.RootElement.GetProperty("state").GetString());
            var owner = $"monitor/{key}";
            if (state == "left") _memory.Leases.Remove(Target, owner, out _);
            else _memory.Leases.Set(Target, owner, SchedulerMode.Reduced, $"announced as {LoadShedding}", _time.GetUtcNow(), _time.GetUtcNow() + ShedFor);
            Show();
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            _log.Warning("An announcement of '{0}' cannot be read: {1}", LoadShedding, e.Message);
        }
    }

    private void Show()
    {
        var mode = _memory.Leases.On(Target).Select(x => x.Effect).DefaultIfEmpty(SchedulerMode.Normal).Max();
        if (mode != _memory.Board.Mode)
        {
            _log.Info("Scheduler mode {0}, it was {1}", mode, _memory.Board.Mode);
            _memory.Board.Mode = mode;
            Context.System.EventStream.Publish(new SchedulerModeChanged(mode));
        }

        if (_memory.Leases.NextLapse() is { } next) Timers.StartSingleTimer("lapse", Lapse.Instance, next + TimeSpan.FromMilliseconds(1));
        else Timers.Cancel("lapse");
    }

    private SchedulerAnswer Answer(bool done, SchedulerMode before) => new(done, _memory.Board.Mode, before, [.. _memory.Leases.All.Select(x => new Mitigation
    {
        Id = $"scheduler:{x.Owner}", Target = Target, Effect = Guardian.Playbooks.Yaml.YamlValues.Snake(x.Effect), Owner = x.Owner, Reason = x.Reason,
        Node = _memory.Node, Since = x.Since, Until = x.Until,
    })]);

    private sealed record Registered(BusPort? Port, string? Failure) : INoSerializationVerificationNeeded;

    private sealed record Lapse : INoSerializationVerificationNeeded
    {
        public static readonly Lapse Instance = new();
    }
}

/// <summary>What outlives a crash of the scheduler.</summary>
internal sealed record SchedulerMemory(string Node, SchedulerBoard Board, LeaseSet<SchedulerMode> Leases);
