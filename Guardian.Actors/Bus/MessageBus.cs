using Akka.Actor;
using Akka.Event;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Bus;

/// <summary>
/// The bus's actor: registrations, limits, topic actors, restarts. Messages do not pass through it; they go from the publisher's
/// thread to the topic's queue. It may crash or be restarted at any time: everything that must stay is in <see cref="BusState"/>.
/// </summary>
internal sealed class MessageBus : ReceiveActor, IWithTimers
{
    // Topics that nobody used between two sweeps are dropped.
    private static readonly TimeSpan SweepEvery = TimeSpan.FromSeconds(30);

    // A queue that has not moved for so long, with messages in it, is stuck: a topic actor takes a batch in milliseconds.
    private static readonly TimeSpan StuckAfter = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan DrainLook = TimeSpan.FromMilliseconds(20);

    private readonly BusState _state;
    private readonly Props _violations;
    private readonly List<IActorRef> _awaitingDrain = [];
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private long _topicNumber;

    public MessageBus(BusState state, Props violations)
    {
        _state = state;
        _violations = violations;
        _topicNumber = state.Restarts << 40; // names of topic actors stay unique over restarts
        Receive<RegisterPrincipal>(OnRegister);
        Receive<WatchSubscriber>(OnWatch);
        Receive<StartTopic>(OnStartTopic);
        Receive<SetBusLimit>(OnSetLimit);
        Receive<LiftBusLimit>(OnLiftLimit);
        Receive<LiftMitigation>(OnLiftMitigation);
        Receive<GetBusMitigations>(OnGetMitigations);
        Receive<RestartBus>(OnRestart);
        Receive<GetBusHealth>(OnGetHealth);
        Receive<DrainBus>(OnDrain);
        Receive<Terminated>(OnTerminated);
        Receive<Sweep>(OnSweep);
        Receive<SweepLimits>(OnSweepLimits);
        Receive<LookAtDrain>(OnLookAtDrain);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <param name="state">Outlives the actor.</param>
    /// <param name="mediator">DistributedPubSub's mediator, which gets the violations.</param>
    public static Props Props(BusState state, IActorRef mediator)
    {
        var digests = new ViolationDigests(state.Violations, state.NodeName, state.Incarnation, state.Policies, state.Time);
        var violations = ViolationAggregator.Props(state, digests, mediator);
        return Akka.Actor.Props.Create(() => new MessageBus(state, violations));
    }

    protected override void PreStart()
    {
        _state.Bus = Self;
        if (Context.Child("violations").IsNobody()) Context.Watch(Context.ActorOf(_violations, "violations"));
        foreach (var topic in _state.Topics.All.Where(x => x.Scheduled))
        {
            // A topic's actor outlives a restart; one that is stuck, whatever its wake-up met, gets another.
            if (topic.Actor is not { } actor) Start(topic);
            else if (IsStuck(topic, _state.Time.GetTimestamp())) actor.Tell(TopicActor.Drain.Instance);
        }

        Timers.StartPeriodicTimer(nameof(Sweep), Sweep.Instance, SweepEvery);
        ScheduleLapse();
    }

    // No base: that would stop the topics. They stay the children of the next incarnation of this actor, and stay watched.
    protected override void PreRestart(Exception reason, object message)
    {
        _state.CountRestart();
        if (reason is BusRestartException)
        {
            _log.Warning("Bus restarts with {Topics} topics and {Queued} queued messages: {Reason}", Context.GetChildren().Count() - 1, _state.Queued, reason.Message);
            return;
        }

        _state.Park(Self.Path.ToStringWithoutAddress(), message?.GetType().Name ?? "none", reason.Message);
        _log.Error(reason, "Bus crashed on {Message}; parked, subscriptions and queues stay", message?.GetType().Name);
    }

    protected override void PostRestart(Exception reason)
    {
        base.PostRestart(reason);
        if (_state.LastRestart is not { Asker: { } asker } restart) return;
        restart.Asker = null;
        asker.Tell(new BusCommandResult(true));
    }

    protected override void PostStop()
    {
        _state.Draining = true;
        _state.Bus = null;
        _state.Subscriptions.RemoveWhere(_ => true);
    }

    protected override SupervisorStrategy SupervisorStrategy() =>
        new OneForOneStrategy(10, TimeSpan.FromMinutes(1), Decider.From(Directive.Restart));

    private void OnRegister(RegisterPrincipal command)
    {
        var port = new BusPort(command.Principal, _state);
        Context.Watch(command.Owner);
        if (!_state.Registrations.TryGetValue(command.Owner, out var ports)) _state.Registrations[command.Owner] = ports = [];
        ports.Add(port);
        Sender.Tell(new BusRegistered(port));
    }

    private void OnWatch(WatchSubscriber command) => Context.Watch(command.Subscriber);

    private void OnTerminated(Terminated message)
    {
        var actor = message.ActorRef;
        if (_state.TopicActors.Remove(actor, out var topic))
        {
            topic.Actor = null;
            if (topic.Retired) return;
            if (topic.TryTakeCrashed(out var crashed)) _state.Park(actor.Path.ToStringWithoutAddress(), $"{crashed.Topic} {crashed.Id}", "its delivery ended the topic's actor");
            _log.Warning("Topic {Topic} lost its actor with {Queued} queued messages; it gets another", topic.Topic, topic.Count);
            Start(topic);
        }
        else if (actor.Path.Parent.Equals(Self.Path) && actor.Path.Name == "violations")
        {
            Context.Watch(Context.ActorOf(_violations, "violations"));
        }
        else
        {
            if (_state.Registrations.Remove(actor, out var ports)) ports.ForEach(x => x.Revoke());
            _state.Subscriptions.RemoveTarget(actor);
        }
    }

    private void OnStartTopic(StartTopic command)
    {
        if (command.Topic.Actor is { } actor) actor.Tell(TopicActor.Drain.Instance);
        else Start(command.Topic);
    }

    private void Start(TopicState topic)
    {
        var actor = Context.Watch(Context.ActorOf(TopicActor.Props(_state, topic), $"topic-{++_topicNumber}-{Uri.EscapeDataString(topic.Topic)}"));
        _state.TopicActors[actor] = topic;
        topic.Actor = actor;
    }

    private void OnSetLimit(SetBusLimit command)
    {
        var refusal = _state.Limits.Set(command, _state.Policies.Current);
        if (refusal is null) _log.Info("{Owner} limits {Topic} to {Rate} until {Until}, denials only: {DenialsOnly}", command.Owner, command.Topic, command.Rate, command.Until, command.DenialsOnly);
        ScheduleLapse();
        Sender.Tell(new BusCommandResult(refusal is null, refusal));
    }

    private void OnLiftLimit(LiftBusLimit command) => AnswerLift(_state.Limits.Lift(command.Topic, command.Principal, command.Owner), command.Topic);

    private void OnLiftMitigation(LiftMitigation command) => AnswerLift(_state.Limits.Lift(command.Id), command.Id);

    private void AnswerLift(bool lifted, string what)
    {
        if (lifted) _log.Info("A limit was lifted: {Limit}", what);
        ScheduleLapse();
        Sender.Tell(new BusCommandResult(lifted, lifted ? null : $"there is no such limit: {what}"));
    }

    private void OnGetMitigations(GetBusMitigations _) => Sender.Tell(new BusMitigations(_state.Limits.Mitigations(_state.NodeName)));

    private void OnRestart(RestartBus command)
    {
        var last = _state.LastRestart;
        if (last?.Key == command.Key)
        {
            Sender.Tell(new BusCommandResult(true)); // asked again: it is done
            return;
        }

        TimeSpan interval = _state.Options.RestartInterval;
        if (last is not null && _state.Time.GetElapsedTime(last.At) is var since && since < interval)
        {
            var left = new Duration(TimeSpan.FromSeconds(Math.Ceiling((interval - since).TotalSeconds)));
            Sender.Tell(new BusCommandResult(false, $"the bus was restarted less than {new Duration(interval)} ago; possible again in {left}"));
            return;
        }

        _state.LastRestart = new CommandedRestart(command.Key, _state.Time.GetTimestamp(), Sender);
        throw new BusRestartException(command.Reason);
    }

    private void OnGetHealth(GetBusHealth _)
    {
        var now = _state.Time.GetTimestamp();
        var stuck = _state.Topics.All.Any(x => IsStuck(x, now));
        Sender.Tell(new BusHealth(!stuck, _state.Restarts, _state.Parked.Count, _state.Queued));
    }

    private bool IsStuck(TopicState topic, long now) => topic.Count > 0 && topic.Scheduled && _state.Time.GetElapsedTime(topic.ProgressAt, now) > StuckAfter;

    private void OnDrain(DrainBus _)
    {
        _state.Draining = true;
        _awaitingDrain.Add(Sender);
        OnLookAtDrain(LookAtDrain.Instance);
    }

    private void OnLookAtDrain(LookAtDrain _)
    {
        if (_state.Queued > 0 || _state.Relay?.Waiting > 0)
        {
            Timers.StartSingleTimer(nameof(LookAtDrain), LookAtDrain.Instance, DrainLook);
            return;
        }

        foreach (var asker in _awaitingDrain) asker.Tell(new BusCommandResult(true));
        _awaitingDrain.Clear();
    }

    private void OnSweep(Sweep _) => _state.Topics.Sweep();

    private void OnSweepLimits(SweepLimits _)
    {
        var lapsed = _state.Limits.Sweep();
        if (lapsed > 0) _log.Info("{Count} limits on topics lapsed", lapsed);
        ScheduleLapse();
    }

    private void ScheduleLapse()
    {
        if (_state.Limits.NextLapse() is not { } next) return;

        // A little late rather than early, and never further than the scheduler can count.
        var delay = TimeSpan.FromMilliseconds(Math.Clamp(next.TotalMilliseconds + 1, 1, TimeSpan.FromHours(1).TotalMilliseconds));
        Timers.StartSingleTimer(nameof(SweepLimits), SweepLimits.Instance, delay);
    }

    /// <summary>A topic has messages and no actor.</summary>
    internal sealed record StartTopic(TopicState Topic) : INoSerializationVerificationNeeded;

    /// <summary>Ends the subscriptions of the actor when it terminates.</summary>
    internal sealed record WatchSubscriber(IActorRef Subscriber) : INoSerializationVerificationNeeded;

    private sealed record Sweep : INoSerializationVerificationNeeded
    {
        public static readonly Sweep Instance = new();
    }

    private sealed record SweepLimits : INoSerializationVerificationNeeded
    {
        public static readonly SweepLimits Instance = new();
    }

    private sealed record LookAtDrain : INoSerializationVerificationNeeded
    {
        public static readonly LookAtDrain Instance = new();
    }
}

/// <summary>A restart on command; it takes the path of a crash, so that there is only one.</summary>
internal sealed class BusRestartException(string reason) : Exception(reason);
