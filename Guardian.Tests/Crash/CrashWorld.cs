using System.Collections.Concurrent;
using Akka.Actor;
using Guardian.Actors.Actions;
using Guardian.Actors.Blacklisting;
using Guardian.Actors.Bus;
using Guardian.Actors.Mitigations;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;
using Guardian.Tests.Notifications;

namespace Guardian.Tests.Crash;

/// <summary>
/// What outlives a process: an HTTP receiver that counts every call and its key, and the cluster's bans. Effects of playbooks end here.
/// </summary>
internal sealed class CrashWorld : IAsyncDisposable
{
    private readonly BanBook _bans = new(new BlacklistOptions(), _ => false);
    /// <summary>The value of <c>${secrets.token}</c>.</summary>
    public const string Token = "s3cr3t-of-the-crash-matrix";

    private readonly HttpClient _http = new();
    private readonly ConcurrentDictionary<string, bool> _tokens = new();
    private readonly string _secret = Path.GetTempFileName();

    private CrashWorld(Receiver receiver)
    {
        Receiver = receiver;
        File.WriteAllText(_secret, Token);
    }

    public Receiver Receiver { get; }

    /// <summary>Keys under which a restart of the bus was asked for.</summary>
    public ConcurrentDictionary<string, int> Restarts { get; } = new();

    /// <summary>Calls by key, in the order of their first.</summary>
    public IReadOnlyList<(string Key, int Calls)> Calls => [.. Receiver.Keys.GroupBy(x => x).Select(x => (x.Key, x.Count()))];

    public static async Task<CrashWorld> StartAsync() => new(await Receiver.StartAsync());

    /// <summary>Owner and offences of a principal's ban.</summary>
    public string Ban(string principal)
    {
        lock (_bans) return _bans.Entry(principal, TimeProvider.System.GetUtcNow()) is { } entry ? $"{principal} by {entry.Owner}, offence {entry.Offences}" : $"{principal} is free";
    }

    /// <summary>Keys of effects that got the secret's value.</summary>
    public ICollection<string> Tokens => _tokens.Keys;

    public SecretStore Secrets => new(new Dictionary<string, SecretOptions> { ["token"] = new() { FromFile = _secret } });

    public Props Blacklist() => Props.Create(() => new BanHolder(_bans));

    public Props Bus() => Props.Create(() => new BusStandIn(Restarts));

    public IReadOnlyList<IGuardianAction> Actions => [new Effect(this, "test.contain", RiskClass.Contain, idempotent: true), new Effect(this, "test.disrupt", RiskClass.Disrupt, idempotent: false), new Broken()];

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        File.Delete(_secret);
        await Receiver.DisposeAsync();
    }

    private bool Has(string key) => Receiver.Keys.Contains(key);

    private async Task CallAsync(string key, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Receiver.Url) { Headers = { { "Idempotency-Key", key } } };
        using var answer = await _http.SendAsync(request, cancellation);
        if (!answer.IsSuccessStatusCode) throw new ActionFailedException($"the receiver answered {(int)answer.StatusCode}");
    }

    private sealed record EffectInput(string Name, int Refusals = 0, [property: Secret] string? Token = null);

    private sealed record EffectOutput(string Name);

    private sealed record BrokenInput;

    /// <summary>A call to the receiver under the step's key. <c>refusals</c>: so many attempts fail before they reach it.</summary>
    private sealed class Effect(CrashWorld world, string name, RiskClass risk, bool idempotent) : GuardianAction<EffectInput, EffectOutput>
    {
        private readonly ConcurrentDictionary<string, int> _refused = new();

        public override string Name => name;
        public override RiskClass Risk => risk;
        public override bool HasUndo => true;
        public override bool Idempotent => idempotent;

        public override async Task<EffectOutput> ExecuteAsync(EffectInput input, ActionContext context, CancellationToken cancellation)
        {
            if (_refused.AddOrUpdate(context.Key, 1, (_, x) => x + 1) <= input.Refusals) throw new ActionFailedException("not this time");
            if (input.Token == Token) world._tokens[context.Key] = true;
            await world.CallAsync(context.Key, cancellation);
            return new EffectOutput(input.Name);
        }

        public override Task UndoAsync(EffectInput input, EffectOutput? output, ActionContext context, CancellationToken cancellation) => world.CallAsync(context.Key, cancellation);

        public override Task<(OutcomeKind Kind, EffectOutput? Output)> ProbeAsync(EffectInput input, ActionContext context, CancellationToken cancellation) =>
            Task.FromResult<(OutcomeKind, EffectOutput?)>(world.Has(context.Key) ? (OutcomeKind.Succeeded, new EffectOutput(input.Name)) : (OutcomeKind.NotDone, null));
    }

    private sealed class Broken : GuardianAction<BrokenInput, EffectOutput>
    {
        public override string Name => "test.broken";
        public override RiskClass Risk => RiskClass.None;
        public override bool Idempotent => true;

        public override Task<EffectOutput> ExecuteAsync(BrokenInput input, ActionContext context, CancellationToken cancellation) => throw new ActionFailedException("it is broken");
    }

    private sealed class BanHolder : ReceiveActor
    {
        public BanHolder(BanBook book)
        {
            Receive<BanPrincipal>(x => Carry(book, () => book.Decide(x, TimeProvider.System.GetUtcNow())));
            Receive<LiftBan>(x => Carry(book, () => book.Decide(x, TimeProvider.System.GetUtcNow())));
            Receive<GetBans>(x =>
            {
                lock (book) Sender.Tell(new BanList(book.Entry(x.Principal!, TimeProvider.System.GetUtcNow()) is { } entry ? [entry] : []));
            });
        }

        private void Carry(BanBook book, Func<BanDecision> decide)
        {
            lock (book)
            {
                var decision = decide();
                foreach (var fact in decision.Events) book.Apply(fact);
                Sender.Tell(decision.Result);
            }
        }
    }

    /// <summary>Limits live and die with the process, as a node's do.</summary>
    private sealed class BusStandIn : ReceiveActor
    {
        public BusStandIn(ConcurrentDictionary<string, int> restarts)
        {
            var limits = new Dictionary<string, Mitigation>();
            Receive<SetBusLimit>(x =>
            {
                limits[x.Owner] = new Mitigation { Id = "bus-limit:" + x.Owner, Target = "topic/" + x.Topic, Effect = "limit", Owner = x.Owner, Reason = x.Reason, Since = x.Until, Until = x.Until };
                Sender.Tell(new BusCommandResult(true));
            });
            Receive<LiftBusLimit>(x => Sender.Tell(new BusCommandResult(limits.Remove(x.Owner))));
            Receive<GetBusMitigations>(_ => Sender.Tell(new BusMitigations([.. limits.Values])));
            Receive<RestartBus>(x =>
            {
                restarts.AddOrUpdate(x.Key, 1, (_, n) => n + 1);
                Sender.Tell(new BusCommandResult(true));
            });
            Receive<GetBusHealth>(_ => Sender.Tell(new BusHealth(true, restarts.Count, 0, 0)));
        }
    }
}
