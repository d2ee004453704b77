using System.ComponentModel;

namespace Guardian.Actors.Chaos.Faults;

/// <summary>The run's actor throws at an exact point, as for a defect in it; its incident takes the run up again.</summary>
internal sealed class RunCrash : ChaosFault<RunCrash.Input>
{
    internal sealed record Input([property: Description("When so many steps of the first run are done, 0 to 8; -1: drawn by seed, 0 to 5.")] int AfterSteps = -1);

    public override string Name => "run.crash";

    public override string Summary => "The healer crashes inside its node after a step.";

    public override bool InNode => true;

    public override string UndoText => "nothing stays: the incident takes the run up again";

    public override FaultFacts Facts(Input input) => new() { Instant = true };

    public override string? Check(Input input, TimeSpan ttl) => input.AfterSteps is < -1 or > RunPoint.MaxSteps ? $"'afterSteps' must be -1 to {RunPoint.MaxSteps}" : null;

    public override Task RunAsync(Input input, FaultContext context, CancellationToken withdraw) =>
        RunPoint.ReachAsync((context.Guardian ?? throw new InvalidOperationException("runs inside a node only")).Parts.RunTap, RunPoint.Of(input.AfterSteps, context.Seed),
            () => throw new RunCrashException(), withdraw);

    private sealed class RunCrashException() : Exception("chaos: the run crashes here");
}
