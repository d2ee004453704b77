using System.ComponentModel;
using Guardian.Actors.Kernels;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions.BuiltIn;

/// <summary>Input of <c>kernels.stop</c>.</summary>
internal sealed record KernelsStopInput([property: Description("The kernel.")] string Kernel);

/// <summary>Ends a kernel until somebody restarts it.</summary>
internal sealed class KernelsStop(ActionDependencies dependencies) : GuardianAction<KernelsStopInput, KernelsChangedOutput>
{
    public override string Name => "kernels.stop";

    public override string Summary => "Stops a kernel until it is restarted.";

    public override RiskClass Risk => RiskClass.Disrupt;

    public override bool Idempotent => true;

    public override TouchedTargets Touches(KernelsStopInput input) => KernelTargets.One(input.Kernel);

    public override async Task<KernelsChangedOutput> ExecuteAsync(KernelsStopInput input, ActionContext context, CancellationToken cancellation)
    {
        dependencies.Kernels.Permit([input.Kernel], context);
        var answer = await Asking.OnceAsync<KernelAnswer>(dependencies.KernelSupervisor, new StopKernel
        {
            Name = input.Kernel, By = context.RunId, Reason = $"{context.Playbook} for {context.IncidentKey}",
        }, cancellation).ConfigureAwait(false);
        return answer.Done ? new KernelsChangedOutput(input.Kernel) : throw new ActionFailedException($"'{input.Kernel}' was not stopped: {answer.Reason}");
    }
}
