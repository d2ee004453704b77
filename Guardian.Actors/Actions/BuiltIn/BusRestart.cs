using System.ComponentModel;
using Guardian.Actors.Bus;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions.BuiltIn;

/// <summary><c>bus.restart</c> takes no input.</summary>
internal sealed record BusRestartInput;

/// <summary>Output of <c>bus.restart</c>.</summary>
internal sealed record BusRestartOutput(
    [property: Description("False where the bus refused, because it was restarted a short while ago.")] bool Restarted,
    [property: Description("Restarts of the bus since the node started, where it could be asked.")] long? Restarts,
    [property: Description("Why it was not restarted.")] string? Reason);

/// <summary>
/// Restarts the node's bus. The bus allows that once per 10 minutes, whatever asks: a refusal is no failure, since what the
/// restart is for was had a short while ago; the output says so.
/// </summary>
/// <remarks>
/// Idempotent for the same reason. Without a record of the key the probe answers "not done": after the death of the process a
/// further restart costs a moment and loses nothing, whereas a restart that never was would be missed.
/// </remarks>
internal sealed class BusRestart(ActionDependencies dependencies) : GuardianAction<BusRestartInput, BusRestartOutput>
{
    public override string Name => "bus.restart";

    public override string Summary => "Restarts the node's bus, keeping subscriptions and queued messages; at most once per 10 minutes.";

    public override RiskClass Risk => RiskClass.Disrupt;

    public override bool Idempotent => true;

    public override async Task<BusRestartOutput> ExecuteAsync(BusRestartInput input, ActionContext context, CancellationToken cancellation)
    {
        var result = await Asking.OnceAsync<BusCommandResult>(dependencies.Bus,
            new RestartBus(context.Key, $"{context.Playbook} for {context.IncidentKey}"), cancellation).ConfigureAwait(false);
        return new BusRestartOutput(result.Done, await RestartsAsync(cancellation).ConfigureAwait(false), result.Done ? null : result.Reason);
    }

    public override Task<(OutcomeKind Kind, BusRestartOutput? Output)> ProbeAsync(BusRestartInput input, ActionContext context, CancellationToken cancellation) =>
        Task.FromResult((OutcomeKind.NotDone, (BusRestartOutput?)null));

    /// <summary>Null where the bus gives no answer in time: the restart itself is known to be done.</summary>
    private async Task<long?> RestartsAsync(CancellationToken cancellation)
    {
        try
        {
            return (await Asking.OnceAsync<BusHealth>(dependencies.Bus, GetBusHealth.Instance, cancellation).ConfigureAwait(false)).Restarts;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }
}
