using System.ComponentModel;
using Guardian.Actors.Chaos.Proxies;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Chaos.Faults;

/// <summary>The network between one node of a cluster, drawn by seed, and all others is cut.</summary>
internal sealed class NetworkPartition : ChaosFault<NetworkPartition.Input>
{
    internal sealed record Input(
        [property: Description("The network is cut, or flaps, for so long.")] Duration For,
        [property: Description("both, in (nothing gets to the node) or out (nothing comes from it).")] string Way = "both",
        [property: Description("Flapping: cut for so long, then whole for so long, again and again.")] Duration? Every = null);

    private static readonly string[] Ways = ["both", "in", "out"];

    public override string Name => "network.partition";

    public override string Summary => "One node of a cluster is cut off from the others, in one direction or both, or again and again.";

    public override string UndoText => "the links belong to the runner's process and end with it";

    public override FaultFacts Facts(Input input) => new() { Length = input.For.Value, EndsNode = true };

    public override string? Check(Input input, TimeSpan ttl) =>
        !Ways.Contains(input.Way) ? $"'way' must be {string.Join(", ", Ways)}"
        : input.For.Value >= ttl ? $"'ttl' ({new Duration(ttl)}) ends the partition before 'for' ({input.For}) is through"
        : input.Every is { } every && every.Value >= input.For.Value ? "'every' must be shorter than 'for'"
        : null;

    public override string? Unsupported(Input input, FaultContext context) =>
        context.Cluster is not { Nodes.Count: > 2 } ? "needs a cluster of the runner's own, of at least three nodes: 'node: { count: 3 }'" : NodeLinks.Unsupported;

    public override async Task RunAsync(Input input, FaultContext context, CancellationToken withdraw)
    {
        var cluster = context.Cluster!;
        var (links, victim) = (cluster.Links!, cluster.Victim);
        var end = context.Clock.Now + input.For.Value;
        context.Doubtful(cluster.Nodes[victim].Name);
        if (input.Way != "both")
        {
            foreach (var node in cluster.Nodes.Where((_, i) => i != victim)) _ = TakenDownAsync(node);
        }

        try
        {
            while (context.Clock.Now < end && !withdraw.IsCancellationRequested)
            {
                foreach (var other in Enumerable.Range(0, cluster.Nodes.Count).Where(x => x != victim))
                {
                    if (input.Way != "out") links.Cut(other, victim);
                    if (input.Way != "in") links.Cut(victim, other);
                }

                await WaitAsync(input.Every?.Value ?? input.For.Value).ConfigureAwait(false);
                if (input.Every is not { } every) return;
                links.Heal();
                await WaitAsync(every.Value).ConfigureAwait(false);
            }
        }
        finally
        {
            links.Heal();
        }

        // Each of a pair may tell the rest that it misses the other: Akka's resolver takes such "indirectly connected" nodes down together.
        async Task TakenDownAsync(INodeControl node)
        {
            await node.ExitedAsync(withdraw).ConfigureAwait(false);
            if (!withdraw.IsCancellationRequested) context.Doubtful(node.Name);
        }

        Task WaitAsync(TimeSpan length)
        {
            var until = context.Clock.Now + length < end ? length : end - context.Clock.Now;
            return Task.Delay(until > TimeSpan.Zero ? until : TimeSpan.Zero, context.Time, withdraw).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }
}
