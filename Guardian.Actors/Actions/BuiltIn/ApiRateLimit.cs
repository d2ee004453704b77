using System.ComponentModel;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions.BuiltIn;

/// <summary>Input of <c>api.rate_limit</c>.</summary>
internal sealed record ApiRateLimitInput(
    [property: Description("Requests per time, e.g. 10/s.")] Rate Rate,
    [property: Description("Length of the lease.")] Duration For);

/// <summary>Output of <c>api.rate_limit</c>.</summary>
internal sealed record ApiRateLimitOutput([property: Description("The lease's end, RFC 3339, UTC.")] DateTimeOffset Until);

/// <summary>
/// Limits the node's public API as a lease of the run. Probes, metrics, cluster management, control topics and operators pass.
/// Its undo lifts that lease alone.
/// </summary>
internal sealed class ApiRateLimit(ActionDependencies dependencies) : GuardianAction<ApiRateLimitInput, ApiRateLimitOutput>
{
    public override string Name => "api.rate_limit";

    public override string Summary => "Limits requests on the node's public API until the lease ends; probes, control topics and operators pass.";

    public override RiskClass Risk => RiskClass.Contain;

    public override bool Leased => true;

    public override bool HasUndo => true;

    public override bool Idempotent => true;

    public override Task<ApiRateLimitOutput> ExecuteAsync(ApiRateLimitInput input, ActionContext context, CancellationToken cancellation)
    {
        var until = dependencies.Time.GetUtcNow() + input.For.Value;
        return dependencies.ApiLimits.Set(context.RunId, input.Rate, $"{context.Playbook} for {context.IncidentKey}", until) is { } refusal
            ? throw new ActionFailedException($"the API was not limited: {refusal}")
            : Task.FromResult(new ApiRateLimitOutput(until));
    }

    public override Task UndoAsync(ApiRateLimitInput input, ApiRateLimitOutput? output, ActionContext context, CancellationToken cancellation)
    {
        dependencies.ApiLimits.Lift(context.RunId); // one that has lapsed cannot be lifted, and need not be
        return Task.CompletedTask;
    }

    public override Task<(OutcomeKind Kind, ApiRateLimitOutput? Output)> ProbeAsync(ApiRateLimitInput input, ActionContext context, CancellationToken cancellation) =>
        Task.FromResult(dependencies.ApiLimits.Of(context.RunId, "") is { } lease
            ? (OutcomeKind.Succeeded, new ApiRateLimitOutput(lease.Until))
            : (OutcomeKind.NotDone, (ApiRateLimitOutput?)null));
}
