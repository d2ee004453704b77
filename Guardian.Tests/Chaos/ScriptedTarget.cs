using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;
using Guardian.Actors.Bus;
using Guardian.Actors.Chaos;
using Guardian.Actors.Chaos.Targets;

namespace Guardian.Tests.Chaos;

/// <summary>A node that behaves as the script says: healthy by default, and with one bug planted at a time.</summary>
internal sealed class ScriptedTarget : IChaosTarget
{
    private readonly Lock _gate = new();
    private readonly List<(string Principal, string Pattern, Channel<(long At, ChaosMessage Message)> Channel)> _readers = [];
    private readonly long _start = TimeProvider.System.GetTimestamp();
    private int _violations;
    private int _published;
    private TimeSpan? _detected;

    /// <summary>Detection, ban and run come so long after the 5th denial; null: never.</summary>
    public TimeSpan? HealAfter { get; init; } = TimeSpan.Zero;
    public string Playbook { get; init; } = "message_bus_acl_violation_fix";
    public bool RaisesIncident { get; init; } = true;
    public bool DeliversForbidden { get; init; }
    public bool DoublesOne { get; init; }
    public bool LosesOne { get; init; }

    /// <summary>Every message is under way for so long.</summary>
    public TimeSpan LateBy { get; init; }
    public bool DeniesTheLoad { get; init; }
    public bool ActsWithoutCause { get; init; }
    public bool Healthy { get; init; } = true;

    /// <summary>A run of the playbook that ended at this time, before the drill.</summary>
    public DateTimeOffset? RanBefore { get; init; }

    /// <summary>What the flood is answered before the ban.</summary>
    public PublishOutcome FloodAnswer { get; init; } = PublishOutcome.AclDenied;

    public int Published => Volatile.Read(ref _published);

    public Task<ChaosAnswer> PublishAsync(string principal, string topic, string body, CancellationToken cancellation)
    {
        lock (_gate)
        {
            _published++;
            if (principal == "rogue") return Task.FromResult(Forbidden(principal, topic, body));
            if (DeniesTheLoad) return Task.FromResult(ChaosAnswer.Of(PublishOutcome.RateLimited));
            var times = DoublesOne && body.EndsWith(":7", StringComparison.Ordinal) ? 2 : LosesOne && body.EndsWith(":7", StringComparison.Ordinal) ? 0 : 1;
            for (var i = 0; i < times; i++) Deliver(new ChaosMessage(topic, principal, body));
            return Task.FromResult(ChaosAnswer.Of(PublishOutcome.Accepted));
        }
    }

    public Task<IChaosSubscription> SubscribeAsync(string principal, string pattern, CancellationToken cancellation)
    {
        var channel = Channel.CreateUnbounded<(long At, ChaosMessage Message)>();
        lock (_gate) _readers.Add((principal, pattern, channel));
        return Task.FromResult<IChaosSubscription>(new Subscription(channel, LateBy));
    }

    /// <summary>As the death of the node does that its readers are connected to.</summary>
    public void EndSubscriptions()
    {
        lock (_gate)
        {
            foreach (var (_, _, channel) in _readers) channel.Writer.TryComplete();
            _readers.Clear();
        }
    }

    public Task<IReadOnlyList<TargetIncident>> IncidentsAsync(CancellationToken cancellation)
    {
        lock (_gate)
        {
            if (ActsWithoutCause && _published > 100) return List(Incident("library.books.01"));
            return Healed && RaisesIncident ? List(Incident("rogue")) : List<TargetIncident>();
        }
    }

    public Task<IReadOnlyList<TargetRun>> RunsAsync(CancellationToken cancellation)
    {
        lock (_gate)
        {
            List<TargetRun> runs = RanBefore is null ? [] : [new TargetRun("run-0", Playbook, "incident-0", "resolved", []) { EndedAt = RanBefore }];
            if (Healed && RaisesIncident) runs.Add(new TargetRun("run-1", Playbook, "incident-1", "resolved", [("blacklist", "succeeded"), ("restart_bus", "skipped")]));
            return Task.FromResult<IReadOnlyList<TargetRun>>(runs);
        }
    }

    public Task<IReadOnlyList<string>> BannedAsync(CancellationToken cancellation)
    {
        lock (_gate) return Healed ? List("rogue") : List<string>();
    }

    public Task<JsonElement> ProbeAsync(string probe, JsonElement with, CancellationToken cancellation)
    {
        lock (_gate)
        {
            return Task.FromResult(probe switch
            {
                ChaosProbes.BusHealth => TargetJson.Object(x => x.WriteBoolean("healthy", Healthy)),
                ChaosProbes.BlacklistContains => TargetJson.Object(x => x.WriteBoolean("banned", Healed)),
                _ => throw new ChaosTargetException($"no {probe} here"),
            });
        }
    }

    public Task InjectAsync(InNodeFault fault, CancellationToken withdraw) => Task.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private bool Healed => _detected is { } at && TimeProvider.System.GetElapsedTime(_start) >= at;

    private ChaosAnswer Forbidden(string principal, string topic, string body)
    {
        if (DeliversForbidden) Deliver(new ChaosMessage(topic, principal, body));
        if (Healed)
        {
            _violations++;
            return ChaosAnswer.Of(PublishOutcome.Blacklisted);
        }

        if (FloodAnswer == PublishOutcome.AclDenied && ++_violations == 5 && HealAfter is { } delay) _detected = TimeProvider.System.GetElapsedTime(_start) + delay;
        return ChaosAnswer.Of(FloodAnswer);
    }

    private TargetIncident Incident(string subject) =>
        new("incident-1", "key", ChaosTexts.Flooded, subject, _violations, "resolved", default, [ChaosTexts.Flooded], ["run-1"]);

    private void Deliver(ChaosMessage message)
    {
        foreach (var (_, pattern, channel) in _readers)
        {
            if (message.Topic == pattern || (pattern.EndsWith('>') && message.Topic.StartsWith(pattern[..^1], StringComparison.Ordinal)) || message.Topic == "system.control")
                channel.Writer.TryWrite((TimeProvider.System.GetTimestamp(), message));
        }
    }

    private static Task<IReadOnlyList<T>> List<T>(params T[] items) => Task.FromResult<IReadOnlyList<T>>(items);

    private sealed class Subscription(Channel<(long At, ChaosMessage Message)> channel, TimeSpan lateBy) : IChaosSubscription
    {
        public async IAsyncEnumerable<ChaosMessage> Messages([EnumeratorCancellation] CancellationToken cancellation)
        {
            await foreach (var (at, message) in channel.Reader.ReadAllAsync(cancellation))
            {
                var early = lateBy - TimeProvider.System.GetElapsedTime(at);
                if (early > TimeSpan.Zero) await Task.Delay(early, cancellation);
                yield return message;
            }
        }

        public ValueTask DisposeAsync()
        {
            channel.Writer.TryComplete();
            return ValueTask.CompletedTask;
        }
    }
}
