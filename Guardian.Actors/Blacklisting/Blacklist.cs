using Akka.Actor;
using Akka.DistributedData;
using Akka.Event;
using Guardian.Actors.Hosting;

namespace Guardian.Actors.Blacklisting;

/// <summary>
/// This node's replica of the cluster's bans. Keeps the bus's <see cref="BanView"/> up to date and brings commands to
/// the authority. What an operator asks for holds here at once, and is repeated until the authority has taken it.
/// </summary>
internal sealed class Blacklist : ReceiveActor, IWithTimers
{
    private const int MaxLocal = 10_000; // provisional bans and words on their way; bounded by the monitor's cap long before

    private static readonly TimeSpan RepeatCheck = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(5); // memory only: a ban ends at its deadline without it
    private static readonly TimeSpan Resubscribe = TimeSpan.FromSeconds(60); // the replicator forgets subscribers when it restarts

    private readonly Links _links;
    private readonly BlacklistOptions _options;
    private readonly BanReplica _replica;
    private readonly WaitingCommands _waiting = new();
    private readonly List<IActorRef> _awaiting = [];
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly DateTimeOffset _startedAt;
    private BucketedBans _snapshot = BucketedBans.Empty;
    private long _refused;
    private bool _synced;

    /// <summary>Whom the Blacklist works with.</summary>
    /// <param name="Replicator">DistributedData's replicator.</param>
    /// <param name="Authority">Proxy of the singleton.</param>
    /// <param name="View">What the bus reads.</param>
    /// <param name="IsProtected">Principals that nobody can ban.</param>
    /// <param name="Time">The clock.</param>
    internal sealed record Links(IActorRef Replicator, IActorRef Authority, BanView View, Func<string, bool> IsProtected, TimeProvider Time);

    public Blacklist(Links links, BlacklistOptions options)
    {
        (_links, _options, _replica) = (links, options, new BanReplica(links.Time));
        _startedAt = Now;
        Receive<BanPrincipal>(OnBan);
        Receive<LiftBan>(OnLift);
        Receive<BanResult>(OnResult);
        Receive<ProvisionalBan>(OnProvisional);
        Receive<Changed>(OnChanged);
        Receive<GetBans>(x => Sender.Tell(new BanList(_replica.List(x.Principal))));
        Receive<GetBlacklistHealth>(_ => Sender.Tell(new BlacklistHealth(_synced, _waiting.Count, _refused)));
        Receive<AwaitBlacklist>(OnAwait);
        Receive<BansWritten>(OnWritten);
        Receive<SubscribeNow>(_ => Subscribe());
        Receive<Tick>(_ => OnTick());
        Receive<SweepNow>(_ => OnSweep());
        Receive<IGetResponse>(_ => OnSynced());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    private DateTimeOffset Now => _links.Time.GetUtcNow();

    /// <param name="links">Whom the Blacklist works with.</param>
    /// <param name="options">Bans.</param>
    public static Props Props(Links links, BlacklistOptions options) => Akka.Actor.Props.Create(() => new Blacklist(links, options));

    protected override void PreStart()
    {
        Timers.StartPeriodicTimer("tick", Tick.Instance, RepeatCheck);
        Timers.StartPeriodicTimer("sweep", SweepNow.Instance, SweepInterval);
        Timers.StartPeriodicTimer("subscribe", SubscribeNow.Instance, Resubscribe);
        Subscribe();
        _links.Authority.Tell(new AwaitBans());
    }

    private void Subscribe()
    {
        for (var i = 0; i < BanBuckets.Count; i++) _links.Replicator.Tell(Dsl.Subscribe(BanBuckets.Key(i), Self));
    }

    private void OnChanged(Changed changed)
    {
        if (!BanBuckets.TryIndex(changed.Key, out var bucket)) return;
        foreach (var cleared in _replica.OnBucket(bucket, changed.Get(BanBuckets.Key(bucket)).Value)) Context.System.EventStream.Publish(cleared);
        Swap();
    }

    private void OnBan(BanPrincipal command)
    {
        if (command.ByOperator) command = command with { GivenAt = command.GivenAt ?? Now };
        if (BanBook.Invalid(command.Key, command.Principal, command.Owner) || command.For < BanBook.MinLength || command.For > BanBook.MaxLength) Refuse(command.Key, "invalid");
        else if (_links.IsProtected(command.Principal)) Refuse(command.Key, "protected");
        else if (Forward(command, command.Key, command.Principal, command.ByOperator) && command.ByOperator)
        {
            _replica.Ban(command, Now + command.For, 1, held: true);
            Context.System.EventStream.Publish(new PrincipalCleared(command.Principal, null));
            Swap();
        }
    }

    private void OnLift(LiftBan command)
    {
        if (command.ByOperator) command = command with { GivenAt = command.GivenAt ?? Now };
        if (BanBook.Invalid(command.Key, command.Principal, command.Owner))
        {
            Refuse(command.Key, "invalid");
            return;
        }

        foreach (var ban in _waiting.CallOff(command.Owner, command.Principal))
            Answer(ban, new BanResult { Key = ban.Key, Done = false, Refusal = "lifted" });
        if (Forward(command, command.Key, command.Principal, command.ByOperator) && command.ByOperator)
        {
            var exemptUntil = Now + _options.Exemption;
            _replica.Lift(command, exemptUntil, held: true);
            Context.System.EventStream.Publish(new PrincipalCleared(command.Principal, exemptUntil));
            Swap();
        }
    }

    private void Refuse(string key, string refusal) => Sender.Tell(new BanResult { Key = key, Done = false, Refusal = refusal });

    private bool Forward(object command, string key, string principal, bool byOperator)
    {
        if (_waiting.Add(command, key, principal, byOperator, Sender, Now) is not { } waiting)
        {
            _refused++;
            Refuse(key, "unavailable");
            return false;
        }

        if (byOperator)
            foreach (var older in _waiting.Supersede(principal, key))
                Answer(older, new BanResult { Key = older.Key, Done = false, Refusal = "unavailable" });
        WaitingCommands.Sent(waiting, Now);
        _links.Authority.Tell(waiting.Command); // asked for again it is the same word, given when it was first
        return true;
    }

    private void SendDue()
    {
        foreach (var due in _waiting.Due(Now)) _links.Authority.Tell(due.Command);
    }

    private void OnResult(BanResult result)
    {
        if (_waiting.Take(result.Key) is not { } waiting) return;
        Settle(waiting, result);
        Swap();
        Answer(waiting, result);
    }

    private void Settle(WaitingCommand waiting, BanResult result)
    {
        switch (waiting.Command)
        {
            case var _ when !result.Done:
                if (waiting.ByOperator) _replica.Withdraw(waiting.Principal);
                break;
            case BanPrincipal ban when result.Until is { } until:
                _replica.Ban(ban, until, result.Offences, held: false);
                break;
            case LiftBan lift when !lift.ByOperator && result.Until is null:
                _replica.Lift(lift, null, held: false);
                break;
            default:
                _replica.Settle(waiting.Principal);
                break;
        }
    }

    private static void Answer(WaitingCommand waiting, BanResult result)
    {
        foreach (var sender in waiting.ReplyTo) sender.Tell(result);
        waiting.ReplyTo.Clear();
    }

    private void OnProvisional(ProvisionalBan ban)
    {
        if (_links.IsProtected(ban.Principal) || _replica.IsExempt(ban.Principal)) return;
        if (_options.AllowList.Any(x => x.Principal == ban.Principal && (x.Until is null || x.Until > Now))) return;
        if (_replica.Local >= MaxLocal)
        {
            _refused++;
            return;
        }

        _replica.Provisional(ban);
        Swap();
        _log.Info("{0} is banned on this node for {1} s: {2}", ban.Principal, ban.For.TotalSeconds, ban.Reason);
    }

    private void OnTick()
    {
        SendDue();
        foreach (var impatient in _waiting.Impatient(Now))
        {
            _log.Warning("The blacklist's authority does not answer; '{0}' {1}", impatient.Key, impatient.ByOperator ? "holds on this node and is repeated" : "is left open");
            // An operator's word holds here although the authority has not taken it: done, and the refusal says what is missing.
            Answer(impatient, new BanResult
            {
                Key = impatient.Key, Done = impatient.ByOperator, Refusal = "unavailable", Open = !impatient.ByOperator,
                Until = impatient is { ByOperator: true, Command: BanPrincipal } ? _replica.List(impatient.Principal) is [var ban] ? ban.Until : null : null,
            });
        }
    }

    private void OnSweep()
    {
        _replica.Sweep();
        Swap();
        if (!_synced) _links.Authority.Tell(new AwaitBans());
    }

    private void Swap()
    {
        _snapshot = _replica.Rebuild(_snapshot);
        _links.View.Swap(_snapshot);
    }

    private void OnAwait(AwaitBlacklist _)
    {
        if (_synced || Now - _startedAt > WaitingCommands.Patience) Sender.Tell(new BlacklistReady(_synced));
        else _awaiting.Add(Sender);
    }

    /// <summary>The bans are in the local replicator, or on their way: flush them to us before anybody calls us ready.</summary>
    private void OnWritten(BansWritten written)
    {
        if (_synced) return;
        _links.Replicator.Tell(FlushChanges.Instance);
        _links.Replicator.Tell(Dsl.Get(BanBuckets.Key(0), ReadLocal.Instance));
    }

    private void OnSynced()
    {
        if (_synced) return;
        _synced = true;
        foreach (var x in _awaiting) x.Tell(new BlacklistReady(true));
        _awaiting.Clear();
        _log.Info("Blacklist is in step with its authority: {0} bans", _snapshot.Count);
    }

    private sealed record SubscribeNow : INoSerializationVerificationNeeded
    {
        public static readonly SubscribeNow Instance = new();
    }

    private sealed record Tick : INoSerializationVerificationNeeded
    {
        public static readonly Tick Instance = new();
    }

    private sealed record SweepNow : INoSerializationVerificationNeeded
    {
        public static readonly SweepNow Instance = new();
    }
}
