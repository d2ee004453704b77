using System.ComponentModel;

namespace Guardian.Actors.Chaos.Faults;

/// <summary>kill -9 of the node's process in the middle of a run; it is started again on the same data.</summary>
internal sealed class NodeKill : ChaosFault<NodeKill.Input>
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(5); // a step takes some milliseconds

    private static readonly string[] Done = ["succeeded", "skipped", "failed"];

    internal sealed record Input([property: Description("Kill when so many steps of the first run are done; -1: drawn by seed, 0 to 5.")] int AfterSteps = -1);

    public override string Name => "node.kill";

    public override string Summary => "kill -9 of the node in the middle of a run, then started again.";

    public override string UndoText => "the node is the runner's own and ends with it";

    public override FaultFacts Facts(Input input) => new() { Instant = true, EndsNode = true };

    public override string? Unsupported(Input input, FaultContext context) => context.Node is null ? "only a node that the runner started may be killed" : null;

    public override async Task RunAsync(Input input, FaultContext context, CancellationToken withdraw)
    {
        var after = input.AfterSteps >= 0 ? input.AfterSteps : new Random(context.Seed).Next(0, 6);
        while (!await ReachedAsync(after, context, withdraw).ConfigureAwait(false)) await Task.Delay(Poll, context.Time, withdraw).ConfigureAwait(false);
        await context.Node!.KillAsync().ConfigureAwait(false);
        await context.Node.StartAgainAsync(withdraw).ConfigureAwait(false);
    }

    private static async Task<bool> ReachedAsync(int steps, FaultContext context, CancellationToken withdraw) =>
        (await context.Target.RunsAsync(withdraw).ConfigureAwait(false)).Any(x => x.Ended || x.Steps.Count(s => Done.Contains(s.State)) >= steps);
}
