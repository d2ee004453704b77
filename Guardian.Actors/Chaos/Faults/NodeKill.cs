using System.ComponentModel;
using System.Globalization;
using Guardian.Actors.Chaos.Targets;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Chaos.Faults;

/// <summary>
/// kill -9 of the process in which the first run lives, at an exact point of it; it is started again on the same data. In a cluster
/// that is whichever node the run is on.
/// </summary>
internal sealed class NodeKill : ChaosFault<NodeKill.Input>
{
    internal const string NotOurs = "only a node that the runner started may be killed";

    /// <summary>From the last answer of a process that was killed until it is gone.</summary>
    private static readonly TimeSpan GoneWithin = TimeSpan.FromSeconds(5);

    internal sealed record Input(
        [property: Description("Kill when so many steps of the first run are done, 0 to 8; -1: drawn by seed, 0 to 5.")] int AfterSteps = -1,
        [property: Description("It stays away for so long; 0s where not given.")] Duration? Away = null)
    {
        public TimeSpan Gone => Away?.Value ?? TimeSpan.Zero;
    }

    public override string Name => "node.kill";

    public override string Summary => "kill -9 of the node in the middle of a run that lives on it, then started again.";

    public override string UndoText => "the node is the runner's own and ends with it";

    public override FaultFacts Facts(Input input) => new() { Instant = true, EndsNode = true, Length = input.Gone };

    public override string? Check(Input input, TimeSpan ttl) =>
        input.AfterSteps is < -1 or > RunPoint.MaxSteps ? $"'afterSteps' must be -1 to {RunPoint.MaxSteps}"
        : input.Gone >= ttl ? $"'ttl' ({new Duration(ttl)}) ends the fault before 'away' ({new Duration(input.Gone)}) is through"
        : null;

    public override string? Unsupported(Input input, FaultContext context) => context.Nodes.Count == 0 ? NotOurs : null;

    public override async Task RunAsync(Input input, FaultContext context, CancellationToken withdraw)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(withdraw);
        var after = RunPoint.Of(input.AfterSteps, context.Seed);
        var with = TargetJson.Object(x => x.WriteNumber("afterSteps", after));
        // Each node is armed; the one on which the run lives goes.
        var armed = context.Nodes.Select(x => ArmAsync(x, context, with, over.Token)).ToList();
        var exits = context.Nodes.Select(x => x.ExitedAsync(over.Token)).ToList();
        var first = exits.IndexOf(await Task.WhenAny(exits).ConfigureAwait(false));
        // At once: whoever takes the run over comes past the same point.
        await over.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(armed).ConfigureAwait(false);
        withdraw.ThrowIfCancellationRequested();
        context.Doubtful(context.Nodes[first].Name);
        await Task.Delay(input.Gone, context.Time, withdraw).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await context.Nodes[first].StartAgainAsync(CancellationToken.None).ConfigureAwait(false);
    }

    private static async Task ArmAsync(INodeControl node, FaultContext context, System.Text.Json.JsonElement with, CancellationToken over)
    {
        var fault = new InNodeFault(string.Create(CultureInfo.InvariantCulture, $"{context.Drill}-die-{node.Name}"), "node.die", with, TimeSpan.FromMinutes(5), context.Drill, context.Seed);
        try
        {
            await node.InjectAsync(fault, over).ConfigureAwait(false);
        }
        catch (ChaosTargetException)
        {
            // Where it is gone, that is what was to happen: it cannot answer any more.
            using var soon = new CancellationTokenSource(GoneWithin, context.Time);
            await node.ExitedAsync(soon.Token).ConfigureAwait(false);
            if (node.Running) throw;
        }
    }
}
