using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;

namespace Guardian.Actors.Chaos.Targets;

/// <summary>
/// Several nodes over HTTP as clients see them: each principal has a node of its own and goes to the next one when nobody listens
/// there; who floods, floods all at once; whoever looks, asks a node that answers. A probe holds for the cluster where it holds on
/// every node.
/// </summary>
/// <param name="nodes">Names and ways in.</param>
/// <param name="victim">The node that a partition cuts off: the reader is not there.</param>
internal sealed class ClusterChaosTarget(IReadOnlyList<(string Name, HttpChaosTarget Node)> nodes, int victim) : IChaosTarget
{
    private readonly ConcurrentDictionary<string, int> _homes = new(StringComparer.Ordinal);
    private int _spread;
    private volatile int _asked = (victim + 1) % nodes.Count;

    public async Task<ChaosAnswer> PublishAsync(string principal, string topic, string body, CancellationToken cancellation)
    {
        var load = int.TryParse(principal.AsSpan(principal.LastIndexOf('-') + 1), CultureInfo.InvariantCulture, out var number);
        var at = load ? _homes.GetOrAdd(principal, _ => number % nodes.Count) : (int)((uint)Interlocked.Increment(ref _spread) % (uint)nodes.Count);
        for (var tries = 1; ; tries++)
        {
            var answer = await nodes[at].Node.PublishAsync(principal, topic, body, cancellation).ConfigureAwait(false) with { Node = nodes[at].Name };
            if (!answer.NotSent || tries == nodes.Count) return answer;
            at = (at + 1) % nodes.Count;
            if (load) _homes[principal] = at; // stays there: its order is kept on one node alone
        }
    }

    public Task<IChaosSubscription> SubscribeAsync(string principal, string pattern, CancellationToken cancellation) => AnyAsync(x => x.SubscribeAsync(principal, pattern, cancellation));

    public Task<IReadOnlyList<TargetIncident>> IncidentsAsync(CancellationToken cancellation) => AnyAsync(x => x.IncidentsAsync(cancellation));

    public Task<IReadOnlyList<TargetRun>> RunsAsync(CancellationToken cancellation) => AnyAsync(x => x.RunsAsync(cancellation));

    public Task<IReadOnlyList<string>> BannedAsync(CancellationToken cancellation) => AnyAsync(x => x.BannedAsync(cancellation));

    /// <exception cref="ChaosTargetException">One node does not answer: then nothing holds for all.</exception>
    public async Task<JsonElement> ProbeAsync(string probe, JsonElement with, CancellationToken cancellation)
    {
        var all = await Task.WhenAll(nodes.Select(x => x.Node.ProbeAsync(probe, with, cancellation))).ConfigureAwait(false);
        return TargetJson.Object(x =>
        {
            foreach (var field in all[0].EnumerateObject())
            {
                var values = all.Select(a => a.GetProperty(field.Name)).ToList();
                // "up" is good news, and so is true; every other number is the more telling the larger it is.
                if (field.Value.ValueKind is JsonValueKind.True or JsonValueKind.False) x.WriteBoolean(field.Name, values.TrueForAll(v => v.ValueKind == JsonValueKind.True));
                else if (field.Value.ValueKind == JsonValueKind.Number) x.WriteNumber(field.Name, field.NameEquals("up") ? values.Min(v => v.GetInt64()) : values.Max(v => v.GetInt64()));
            }
        });
    }

    public Task InjectAsync(InNodeFault fault, CancellationToken withdraw) => Task.WhenAll(nodes.Select(x => x.Node.InjectAsync(fault, withdraw)));

    public async ValueTask DisposeAsync()
    {
        foreach (var (_, node) in nodes) await node.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Asks one node, and the next where it does not answer; the first one that does is asked from then on. The victim comes last.</summary>
    private async Task<T> AnyAsync<T>(Func<HttpChaosTarget, Task<T>> ask)
    {
        for (var tries = 1; ; tries++)
        {
            var at = _asked;
            try
            {
                return await ask(nodes[at].Node).ConfigureAwait(false);
            }
            catch (ChaosTargetException) when (tries < nodes.Count)
            {
                Interlocked.CompareExchange(ref _asked, (at + 1) % nodes.Count, at);
            }
        }
    }
}
