using System.ComponentModel;
using Guardian.Actors.Scheduling;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Yaml;

namespace Guardian.Actors.Actions.BuiltIn;

/// <summary>Input of <c>scheduler.mode</c>.</summary>
internal sealed record SchedulerModeInput(
    [property: Description("normal, reduced or critical_only; normal lifts the run's own lease.")] string Mode,
    [property: Description("Length of the lease.")] Duration For);

/// <summary>Output of <c>scheduler.mode</c>.</summary>
internal sealed record SchedulerModeOutput(
    [property: Description("The mode in force now: the strictest of all leases.")] string Mode,
    [property: Description("The mode before.")] string Previous,
    [property: Description("The lease's end, RFC 3339, UTC.")] DateTimeOffset Until);

/// <summary>Lets the node begin less work for a while. What runs goes on, what waits stays queued in its order.</summary>
internal sealed class SchedulerModeAction(ActionDependencies dependencies) : GuardianAction<SchedulerModeInput, SchedulerModeOutput>
{
    public override string Name => "scheduler.mode";

    public override string Summary => "Sets how much work the node begins until the lease ends: normal, reduced or critical_only.";

    public override RiskClass Risk => RiskClass.Contain;

    public override bool Leased => true;

    public override bool HasUndo => true;

    public override bool Idempotent => true;

    public override async Task<SchedulerModeOutput> ExecuteAsync(SchedulerModeInput input, ActionContext context, CancellationToken cancellation)
    {
        var modes = Enum.GetValues<SchedulerMode>().Where(x => YamlValues.Snake(x) == input.Mode).ToList();
        if (modes.Count == 0) throw new ActionFailedException($"'{input.Mode}' is no mode; use {string.Join(", ", Enum.GetValues<SchedulerMode>().Select(YamlValues.Snake))}");
        var until = dependencies.Time.GetUtcNow() + input.For.Value;
        var answer = await Asking.OnceAsync<SchedulerAnswer>(dependencies.Scheduler,
            new SetSchedulerMode(modes[0], context.RunId, $"{context.Playbook} for {context.IncidentKey}", until), cancellation).ConfigureAwait(false);
        return new SchedulerModeOutput(YamlValues.Snake(answer.Mode), YamlValues.Snake(answer.Before), until);
    }

    public override Task UndoAsync(SchedulerModeInput input, SchedulerModeOutput? output, ActionContext context, CancellationToken cancellation) =>
        Asking.OnceAsync<SchedulerAnswer>(dependencies.Scheduler, new LiftSchedulerMode(context.RunId), cancellation); // one that has lapsed need not be lifted

    public override async Task<(OutcomeKind Kind, SchedulerModeOutput? Output)> ProbeAsync(SchedulerModeInput input, ActionContext context, CancellationToken cancellation)
    {
        var answer = await Asking.OnceAsync<SchedulerAnswer>(dependencies.Scheduler, GetSchedulerMode.Instance, cancellation).ConfigureAwait(false);
        var mode = YamlValues.Snake(answer.Mode);
        return answer.Leases.FirstOrDefault(x => x.Owner == context.RunId) is { } lease
            ? (OutcomeKind.Succeeded, new SchedulerModeOutput(mode, mode, lease.Until))
            : (OutcomeKind.NotDone, null);
    }
}
