using System.ComponentModel;
using Guardian.Actors.Kernels;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions.BuiltIn;

/// <summary>Input of <c>kernels.restart</c>.</summary>
internal sealed record KernelsRestartInput(
    [property: Description("The kernel.")] string Kernel,
    [property: Description("True: KILL at once, for what does not answer.")] bool Force = false);

/// <summary>Output of <c>kernels.restart</c> and <c>kernels.stop</c>.</summary>
internal sealed record KernelsChangedOutput([property: Description("The kernel.")] string Kernel);

/// <summary>Replaces every instance of a kernel; the old one is gone before the new one begins.</summary>
internal sealed class KernelsRestart(ActionDependencies dependencies) : GuardianAction<KernelsRestartInput, KernelsChangedOutput>
{
    public override string Name => "kernels.restart";

    public override string Summary => "Restarts a kernel, also out of a crash loop.";

    public override RiskClass Risk => RiskClass.Disrupt;

    /// <summary>A second restart of what was restarted costs a moment and harms nothing.</summary>
    public override bool Idempotent => true;

    public override TouchedTargets Touches(KernelsRestartInput input) => KernelTargets.One(input.Kernel);

    public override async Task<KernelsChangedOutput> ExecuteAsync(KernelsRestartInput input, ActionContext context, CancellationToken cancellation)
    {
        dependencies.Kernels.Permit([input.Kernel], context);
        var answer = await Asking.OnceAsync<KernelAnswer>(dependencies.KernelSupervisor, new RestartKernel
        {
            Name = input.Kernel, Force = input.Force, By = context.RunId, Reason = $"{context.Playbook} for {context.IncidentKey}",
        }, cancellation).ConfigureAwait(false);
        return answer.Done ? new KernelsChangedOutput(input.Kernel) : throw new ActionFailedException($"'{input.Kernel}' was not restarted: {answer.Reason}");
    }
}
