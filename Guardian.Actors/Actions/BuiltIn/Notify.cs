using System.ComponentModel;
using Guardian.Actors.Notifications;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions.BuiltIn;

/// <summary>Input of <c>notify</c>.</summary>
internal sealed record NotifyInput(
    [property: Description("Channel, e.g. security or log.")] string Channel,
    [property: Description("The message; its first line is the title.")] string Text,
    [property: Description("low, medium (default), high or critical.")] string? Severity = null);

/// <summary>Output of <c>notify</c>.</summary>
internal sealed record NotifyOutput(
    [property: Description("Channel.")] string Channel,
    [property: Description("Key under which receivers see it.")] string Key);

/// <summary>Puts a notification into the channel's outbox, which delivers it at least once under the step's key.</summary>
internal sealed class Notify(ActionDependencies dependencies) : GuardianAction<NotifyInput, NotifyOutput>
{
    private static readonly string[] Severities = ["low", "medium", "high", "critical"];

    public override string Name => "notify";

    public override string Summary => "Sends a message to a channel, at least once under one key.";

    public override bool Anywhere => true;

    public override RiskClass Risk => RiskClass.None;

    public override bool Idempotent => true;

    public override async Task<NotifyOutput> ExecuteAsync(NotifyInput input, ActionContext context, CancellationToken cancellation)
    {
        if (input.Severity is not null && !Severities.Contains(input.Severity))
            throw new ActionFailedException($"{Name}: severity '{input.Severity}' is none of {string.Join(", ", Severities)}");
        await OutboxCall.DeliverAsync(dependencies.Outbox, new Deliver
        {
            Channel = input.Channel,
            Key = context.Key,
            Kind = "notification",
            Title = OutboxCall.Title(input.Text),
            Text = input.Text,
            Severity = input.Severity ?? "medium",
            IncidentId = context.IncidentId,
            IncidentKey = context.IncidentKey,
            RunId = context.RunId,
            At = dependencies.Time.GetUtcNow(),
        }, cancellation).ConfigureAwait(false);
        return new NotifyOutput(input.Channel, context.Key);
    }

    public override async Task<(OutcomeKind Kind, NotifyOutput? Output)> ProbeAsync(NotifyInput input, ActionContext context, CancellationToken cancellation) =>
        await OutboxCall.HasAsync(dependencies.Outbox, input.Channel, context.Key, cancellation).ConfigureAwait(false)
            ? (OutcomeKind.Succeeded, new NotifyOutput(input.Channel, context.Key))
            : (OutcomeKind.NotDone, null);
}
