using System.ComponentModel;
using Guardian.Actors.Notifications;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions.BuiltIn;

/// <summary>Input of <c>task.create</c>.</summary>
internal sealed record TaskCreateInput(
    [property: Description("One line.")] string Title,
    [property: Description("The text; the title where it is missing.")] string? Body = null);

/// <summary>Output of <c>task.create</c>.</summary>
internal sealed record TaskCreateOutput(
    [property: Description("The work item: one is open per playbook and incident key.")] string Item,
    [property: Description("Key under which receivers see it.")] string Key);

/// <summary>
/// Asks for a work item, at least once under the step's key. A recurrence is appended to the open one. Its undo adds a comment
/// to the open one: the work stays people's.
/// </summary>
internal sealed class TaskCreate(ActionDependencies dependencies) : GuardianAction<TaskCreateInput, TaskCreateOutput>
{
    private const string Channel = ChannelFactory.Tasks;

    public override string Name => "task.create";

    public override string Summary => "Creates a work item, or appends to the open one of this playbook and incident key.";

    public override bool Anywhere => true;

    public override RiskClass Risk => RiskClass.None;

    public override bool HasUndo => true;

    public override bool Idempotent => true;

    public override async Task<TaskCreateOutput> ExecuteAsync(TaskCreateInput input, ActionContext context, CancellationToken cancellation)
    {
        await OutboxCall.DeliverAsync(dependencies.Outbox, Message(input, context), cancellation).ConfigureAwait(false);
        return new TaskCreateOutput(Item(context), context.Key);
    }

    public override Task UndoAsync(TaskCreateInput input, TaskCreateOutput? output, ActionContext context, CancellationToken cancellation) =>
        OutboxCall.DeliverAsync(dependencies.Outbox, Message(input, context) with
        {
            Text = $"Run {context.RunId} took back what it did for {context.IncidentKey}; what is left to do, people must judge.", CommentOnly = true,
        }, cancellation);

    private Deliver Message(TaskCreateInput input, ActionContext context) => new()
    {
        Channel = Channel,
        Key = context.Key,
        Kind = ItemKind.Task,
        Title = OutboxCall.Title(input.Title),
        Text = input.Body ?? input.Title,
        IncidentId = context.IncidentId,
        IncidentKey = context.IncidentKey,
        IncidentType = context.IncidentType.Length == 0 ? null : context.IncidentType,
        Subject = context.Subject.Length == 0 ? null : context.Subject,
        Playbook = context.Playbook,
        RunId = context.RunId,
        ItemKey = Item(context),
        At = dependencies.Time.GetUtcNow(),
    };

    public override async Task<(OutcomeKind Kind, TaskCreateOutput? Output)> ProbeAsync(TaskCreateInput input, ActionContext context, CancellationToken cancellation) =>
        await OutboxCall.HasAsync(dependencies.Outbox, Channel, context.Key, cancellation).ConfigureAwait(false)
            ? (OutcomeKind.Succeeded, new TaskCreateOutput(Item(context), context.Key))
            : (OutcomeKind.NotDone, null);

    private static string Item(ActionContext context) => $"{context.Playbook}/{context.IncidentKey}";
}
