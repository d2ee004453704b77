using System.ComponentModel;
using System.Diagnostics;

namespace Guardian.Actors.Chaos.Faults;

/// <summary>The node's process ends itself as kill -9 would, at an exact point of a run that lives on it. Part of <see cref="NodeKill"/>.</summary>
internal sealed class NodeDie : ChaosFault<NodeDie.Input>
{
    internal sealed record Input([property: Description("When so many steps of the first run are done, 0 to 8; -1: drawn by seed, 0 to 5.")] int AfterSteps = -1);

    public override string Name => "node.die";

    public override string Summary => "The node's process is gone at an exact point of a run; use node.kill, which starts it again.";

    public override bool InNode => true;

    public override string UndoText => "whoever started the node starts it again";

    public override FaultFacts Facts(Input input) => new() { Instant = true, EndsNode = true };

    public override string? Check(Input input, TimeSpan ttl) => input.AfterSteps is < -1 or > RunPoint.MaxSteps ? $"'afterSteps' must be -1 to {RunPoint.MaxSteps}" : null;

    /// <summary>Whoever did not start the node has no way to start it again.</summary>
    public override string? Unsupported(Input input, FaultContext context) => context.Nodes.Count == 0 ? NodeKill.NotOurs : null;

    public override Task RunAsync(Input input, FaultContext context, CancellationToken withdraw) =>
        RunPoint.ReachAsync((context.Guardian ?? throw new InvalidOperationException("runs inside a node only")).Parts.RunTap, RunPoint.Of(input.AfterSteps, context.Seed), Die, withdraw);

    private static void Die()
    {
        using var self = Process.GetCurrentProcess();
        self.Kill(); // SIGKILL: no handler runs, nothing is flushed
        Thread.Sleep(Timeout.Infinite); // not one event more is stored while the signal is on its way
    }
}
