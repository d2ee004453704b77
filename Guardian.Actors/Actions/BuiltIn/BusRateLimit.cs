using System.ComponentModel;
using Guardian.Actors.Bus;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions.BuiltIn;

/// <summary>Input of <c>bus.rate_limit</c>.</summary>
internal sealed record BusRateLimitInput(
    [property: Description("Topic.")] string Topic,
    [property: Description("Messages, or denials, per time, e.g. 10/s.")] Rate Rate,
    [property: Description("Length of the lease.")] Duration For,
    [property: Description("True: only denials above the rate are cut short, accepted traffic is untouched. Control topics allow only this.")] bool DenialsOnly = false,
    [property: Description("Only this principal at the topic.")] string? Principal = null);

/// <summary>Output of <c>bus.rate_limit</c>.</summary>
internal sealed record BusRateLimitOutput(
    [property: Description("Topic.")] string Topic,
    [property: Description("The lease's end, RFC 3339, UTC.")] DateTimeOffset Until);

/// <summary>Limits a topic on this node as a lease of the run. Its undo lifts that lease alone.</summary>
internal sealed class BusRateLimit(ActionDependencies dependencies) : GuardianAction<BusRateLimitInput, BusRateLimitOutput>
{
    public override string Name => "bus.rate_limit";

    public override string Summary => "Limits a topic, one principal at it, or its denials alone until the lease ends.";

    public override RiskClass Risk => RiskClass.Contain;

    public override bool Leased => true;

    public override bool HasUndo => true;

    public override bool Idempotent => true;

    public override async Task<BusRateLimitOutput> ExecuteAsync(BusRateLimitInput input, ActionContext context, CancellationToken cancellation)
    {
        var until = dependencies.Time.GetUtcNow() + input.For.Value;
        var result = await Asking.OnceAsync<BusCommandResult>(dependencies.Bus, new SetBusLimit(
            input.Topic, input.Principal, input.Rate, input.DenialsOnly, context.RunId, $"{context.Playbook} for {context.IncidentKey}", until),
            cancellation).ConfigureAwait(false);
        return result.Done
            ? new BusRateLimitOutput(input.Topic, until)
            : throw new ActionFailedException($"'{input.Topic}' was not limited: {result.Reason}");
    }

    public override async Task UndoAsync(BusRateLimitInput input, BusRateLimitOutput? output, ActionContext context, CancellationToken cancellation)
    {
        var result = await Asking.OnceAsync<BusCommandResult>(dependencies.Bus, new LiftBusLimit(input.Topic, input.Principal, context.RunId), cancellation).ConfigureAwait(false);

        // A lease that has lapsed meanwhile cannot be lifted, and need not be.
        if (!result.Done && await LeaseAsync(input, context, cancellation).ConfigureAwait(false) is not null)
            throw new ActionFailedException($"the limit on '{input.Topic}' was not lifted: {result.Reason}");
    }

    public override async Task<(OutcomeKind Kind, BusRateLimitOutput? Output)> ProbeAsync(BusRateLimitInput input, ActionContext context, CancellationToken cancellation) =>
        await LeaseAsync(input, context, cancellation).ConfigureAwait(false) is { } lease
            ? (OutcomeKind.Succeeded, new BusRateLimitOutput(input.Topic, lease.Until))
            : (OutcomeKind.NotDone, null);

    private async Task<Mitigations.Mitigation?> LeaseAsync(BusRateLimitInput input, ActionContext context, CancellationToken cancellation)
    {
        var limits = await Asking.OnceAsync<BusMitigations>(dependencies.Bus, GetBusMitigations.Instance, cancellation).ConfigureAwait(false);
        return limits.Items.FirstOrDefault(x => x.Owner == context.RunId
            && Names(x, input.Topic) && (input.Principal is null || Names(x, input.Principal)));
    }

    /// <summary>The target is made of segments, <c>topic/system.control</c>; a topic holds no slash.</summary>
    private static bool Names(Mitigations.Mitigation limit, string name) =>
        limit.Target.EndsWith("/" + name, StringComparison.Ordinal) || limit.Target.Contains("/" + name + "/", StringComparison.Ordinal) || limit.Target == name;
}
