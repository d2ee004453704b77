using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Akka.Actor;
using Guardian.Actors.Blacklisting;
using Guardian.Actors.Bus;
using Guardian.Actors.Chaos.Drills;
using Guardian.Actors.Chaos.Faults;
using Guardian.Actors.Hosting;
using Guardian.Actors.Kernels;
using Guardian.Actors.Persistence;

namespace Guardian.Actors.Chaos.Targets;

/// <summary>A node in this process, without HTTP: the scenarios as tests.</summary>
internal sealed class InProcessChaosTarget(GuardianParts parts, FaultRegistry? faults = null) : IChaosTarget
{
    private const int ListLimit = 100;
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(5);
    private readonly ConcurrentDictionary<string, BusPort> _ports = new(StringComparer.Ordinal);

    public Task<ChaosAnswer> PublishAsync(string principal, string topic, string body, CancellationToken cancellation) =>
        Task.FromResult(ChaosAnswer.Of(Port(principal).Publish(topic, Encoding.UTF8.GetBytes(body), "text/plain").Outcome));

    public Task<IChaosSubscription> SubscribeAsync(string principal, string pattern, CancellationToken cancellation)
    {
        var (result, stream) = Port(principal).OpenStream(pattern);
        return stream is not null
            ? Task.FromResult<IChaosSubscription>(new Subscription(stream))
            : throw new ChaosTargetException($"{principal} may not read {pattern}: {result.Outcome} {result.Rule}; the policy must allow the drill's reader");
    }

    public async Task<IReadOnlyList<TargetIncident>> IncidentsAsync(CancellationToken cancellation) =>
    [
        .. (await parts.ReadModel.IncidentsAsync(null, ListLimit, null, cancellation).ConfigureAwait(false)).Select(x =>
            new TargetIncident(x.Id, x.Key, x.Type, x.Subject, x.Violations, x.State, x.OpenedAt, x.Rules, x.Runs)),
    ];

    public async Task<IReadOnlyList<TargetRun>> RunsAsync(CancellationToken cancellation) =>
    [
        .. (await parts.ReadModel.RunsAsync(null, null, ListLimit, null, cancellation).ConfigureAwait(false)).Select(x =>
            new TargetRun(x.Id, x.Playbook, x.Incident, x.State, [.. x.Steps.Select(s => (s.Id, s.State))]) { EndedAt = x.EndedAt }),
    ];

    public async Task<IReadOnlyList<string>> BannedAsync(CancellationToken cancellation)
    {
        var bans = await AskAsync<BanList>(parts.Blacklist, new GetBans(), cancellation).ConfigureAwait(false);
        return [.. bans.Bans.Select(x => x.Principal)];
    }

    public async Task<JsonElement> ProbeAsync(string probe, JsonElement with, CancellationToken cancellation)
    {
        switch (probe)
        {
            case ChaosProbes.BusHealth:
                var health = await AskAsync<BusHealth>(parts.BusActor, GetBusHealth.Instance, cancellation).ConfigureAwait(false);
                return TargetJson.Object(x =>
                {
                    x.WriteBoolean("healthy", health.Healthy);
                    x.WriteNumber("restarts", health.Restarts);
                    x.WriteNumber("parked", health.Parked);
                    x.WriteNumber("queued", health.Queued);
                    x.WriteNumber("queueFull", parts.Counters().QueueFull);
                    x.WriteNumber("denied", parts.Counters().AclDenied);
                });
            case ChaosProbes.BlacklistContains:
                // What the bus obeys, not what is on its way to it.
                var banned = parts.Bans.TryGet(TargetJson.Text(with, "principal"), out _);
                return TargetJson.Object(x => x.WriteBoolean("banned", banned));
            case ChaosProbes.MitigationsActive:
                var target = TargetJson.Text(with, "target");
                if (target.Length == 0) throw new ChaosTargetException("all restrictions together are counted over HTTP only");
                var limits = await AskAsync<BusMitigations>(parts.BusActor, GetBusMitigations.Instance, cancellation).ConfigureAwait(false);
                return TargetJson.Object(x => x.WriteNumber("count", limits.Items.Count(m => m.Target == target)));
            case ChaosProbes.JobsRoundtrip:
                return await JobMeasures.RoundtripAsync(new InProcessJobs(parts), with, cancellation).ConfigureAwait(false);
            case ChaosProbes.JobsKept:
                return await JobMeasures.KeptAsync(new InProcessJobs(parts), with, cancellation).ConfigureAwait(false);
            case ChaosProbes.KernelsStatus:
                var kernel = parts.Kernels.Find(TargetJson.Text(with, "kernel")) ?? throw new ChaosTargetException($"this node has no kernel {with}");
                return Kernel(kernel);
            case ChaosProbes.HttpGet when TargetJson.Text(with, "url") == "/ready":
                return TargetJson.Object(x => x.WriteNumber("status", parts.NotReady().Count == 0 ? 200 : 500));
            default:
                throw new ChaosTargetException($"probe {probe} with {with} cannot be measured inside the process");
        }
    }

    private static JsonElement Kernel(KernelView kernel) => TargetJson.Object(x =>
    {
        var running = kernel.Instances.Where(y => y.State == KernelState.Running).ToList();
        x.WriteString("state", Guardian.Playbooks.Yaml.YamlValues.Snake(kernel.State));
        x.WriteNumber("running", kernel.Jobs?.Workers ?? running.Count);
        x.WriteNumber("wanted", kernel.Replicas.Count);
        x.WriteNumber("restarts", kernel.Restarts);
        x.WriteNumber("percent", kernel.Paused ? 0 : kernel.Percent);
        x.WriteNumber("failed", kernel.Jobs?.Failed ?? 0);
        x.WriteNumber("requeued", kernel.Jobs?.Requeued ?? 0);
        if (running.Exists(y => y.Heart is not null)) x.WriteNumber("silentMs", running.Where(y => y.Heart is not null).Min(y => y.Heart!.Silent).TotalMilliseconds);
    });

    public async Task InjectAsync(InNodeFault fault, CancellationToken withdraw)
    {
        if (!(faults ?? FaultRegistry.BuiltIn).TryGet(fault.Kind, out var binding)) throw new ChaosTargetException($"this node has no fault '{fault.Kind}'");
        using var ttl = new CancellationTokenSource(fault.Ttl, parts.Time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(withdraw, ttl.Token);
        var context = new FaultContext(this, new DrillClock(parts.Time), fault.Drill, fault.Seed) { Guardian = new GuardianSystem(parts), DataDirectory = parts.DataDirectory };
        await binding.RunAsync(fault.With, context, stop.Token).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private BusPort Port(string principal) => _ports.GetOrAdd(principal, parts.ClientPort);

    private static async Task<T> AskAsync<T>(IActorRef actor, object question, CancellationToken cancellation)
    {
        try
        {
            return await actor.Ask<T>(question, AnswerWithin, cancellation).ConfigureAwait(false);
        }
        catch (AskTimeoutException e)
        {
            throw new ChaosTargetException($"{actor.Path.Name} does not answer {question.GetType().Name}", e);
        }
    }

    private sealed class Subscription(BusStream stream) : IChaosSubscription
    {
        public async IAsyncEnumerable<ChaosMessage> Messages([EnumeratorCancellation] CancellationToken cancellation)
        {
            await foreach (var message in stream.Reader.ReadAllAsync(cancellation).ConfigureAwait(false))
                yield return new ChaosMessage(message.Topic, message.Principal, Encoding.UTF8.GetString(message.Body.Span));
        }

        public ValueTask DisposeAsync()
        {
            stream.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
