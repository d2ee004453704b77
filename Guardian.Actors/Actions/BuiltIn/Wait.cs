using System.ComponentModel;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions.BuiltIn;

/// <summary>Input of <c>wait</c>.</summary>
internal sealed record WaitInput([property: Description("How long; shorter than the step's timeout.")] Duration For);

/// <summary>Output of <c>wait</c>.</summary>
internal sealed record WaitOutput([property: Description("How long it waited.")] Duration Waited);

/// <summary>Waits. It holds no thread, and a place only among the actions without risk.</summary>
internal sealed class Wait(ActionDependencies dependencies) : GuardianAction<WaitInput, WaitOutput>
{
    public override string Name => "wait";

    public override string Summary => "Waits for a duration.";

    public override bool Anywhere => true;

    public override RiskClass Risk => RiskClass.None;

    public override bool Idempotent => true;

    public override async Task<WaitOutput> ExecuteAsync(WaitInput input, ActionContext context, CancellationToken cancellation)
    {
        try
        {
            await Task.Delay(input.For, dependencies.Time, cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            throw new ActionFailedException($"{Name}: the step ended before {input.For} were over; give it a timeout that is longer than its wait");
        }

        return new WaitOutput(input.For);
    }

    public override Task<(OutcomeKind Kind, WaitOutput? Output)> ProbeAsync(WaitInput input, ActionContext context, CancellationToken cancellation) =>
        Task.FromResult((OutcomeKind.NotDone, (WaitOutput?)null));
}
