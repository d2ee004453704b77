using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Guardian.Actors.Notifications;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions.BuiltIn;

/// <summary>Input of <c>notify</c>.</summary>
internal sealed record NotifyInput(
    [property: Description("Channel, e.g. security or log.")] string Channel,
    [property: Description("The message; its first line is the title.")] string Text,
    [property: Description("low, medium (default), high or critical.")] [property: AllowedValues("low", "medium", "high", "critical")] string? Severity = null);

/// <summary>Output of <c>notify</c>.</summary>
internal sealed record NotifyOutput(
    [property: Description("Channel.")] string Channel,
    [property: Description("Key under which receivers see it.")] string Key);

/// <summary>
/// Puts a notification into the channel's outbox, which delivers it at least once under the step's key. Its undo tells the
/// channel that it is no longer current.
/// </summary>
internal sealed class Notify(ActionDependencies dependencies) : GuardianAction<NotifyInput, NotifyOutput>
{
    private const string DefaultSeverity = "medium";

    private static readonly string[] Severities = ["low", "medium", "high", "critical"];

    public override string Name => "notify";

    public override string Summary => "Sends a message to a channel, at least once under one key.";

    public override bool Anywhere => true;

    public override RiskClass Risk => RiskClass.None;

    public override bool HasUndo => true;

    public override bool Idempotent => true;

    public override async Task<NotifyOutput> ExecuteAsync(NotifyInput input, ActionContext context, CancellationToken cancellation)
    {
        if (input.Severity is not null && !Severities.Contains(input.Severity))
            throw new ActionFailedException($"{Name}: severity '{input.Severity}' is none of {string.Join(", ", Severities)}");
        await OutboxCall.DeliverAsync(dependencies.Outbox, Item(input, context, ItemKind.Notification), cancellation).ConfigureAwait(false);
        return new NotifyOutput(input.Channel, context.Key);
    }

    public override async Task UndoAsync(NotifyInput input, NotifyOutput? output, ActionContext context, CancellationToken cancellation)
    {
        // The channel keeps what it was told: one that never heard of the notice drops this.
        var notice = new ToldNotice
        {
            Key = context.ActKey, Severity = input.Severity ?? DefaultSeverity, Playbook = context.Playbook,
            IncidentType = context.IncidentType.Length == 0 ? null : context.IncidentType,
        };
        var item = Item(input, context, ItemKind.Resolved);
        await OutboxCall.DeliverAsync(dependencies.Outbox, item with
        {
            Title = "No longer current: " + item.Title, Text = "No longer current: " + item.Text, Resolves = [notice],
        }, cancellation).ConfigureAwait(false);
    }

    private Deliver Item(NotifyInput input, ActionContext context, string kind) => new()
    {
        Channel = input.Channel,
        Key = context.Key,
        Kind = kind,
        Title = OutboxCall.Title(input.Text),
        Text = input.Text,
        Severity = input.Severity ?? DefaultSeverity,
        IncidentId = context.IncidentId,
        IncidentKey = context.IncidentKey,
        IncidentType = context.IncidentType.Length == 0 ? null : context.IncidentType,
        Subject = context.Subject.Length == 0 ? null : context.Subject,
        Playbook = context.Playbook,
        RunId = context.RunId,
        At = dependencies.Time.GetUtcNow(),
    };

    public override async Task<(OutcomeKind Kind, NotifyOutput? Output)> ProbeAsync(NotifyInput input, ActionContext context, CancellationToken cancellation) =>
        await OutboxCall.HasAsync(dependencies.Outbox, input.Channel, context.Key, cancellation).ConfigureAwait(false)
            ? (OutcomeKind.Succeeded, new NotifyOutput(input.Channel, context.Key))
            : (OutcomeKind.NotDone, null);
}
