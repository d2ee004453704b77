using Guardian.Playbooks;

namespace Guardian.Actors.Notifications;

/// <summary>A message for one channel's outbox, to the outbox shard region (entity = channel).</summary>
public interface IOutboxMessage : IGuardianMessage
{
    /// <summary>Channel's name, e.g. <c>security</c>, <c>log</c>, <c>tasks</c>.</summary>
    string Channel { get; }
}

/// <summary>Deliver at least once under one key. Answer after it is in the journal: <see cref="OutboxAccepted"/>.</summary>
public sealed record Deliver : IOutboxMessage
{
    /// <inheritdoc/>
    public required string Channel { get; init; }

    /// <summary>Dedupe key; given again it is delivered once. Receivers see it too.</summary>
    public required string Key { get; init; }

    /// <summary>One of <see cref="ItemKind"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>One line.</summary>
    public required string Title { get; init; }

    /// <summary>The text.</summary>
    public required string Text { get; init; }

    /// <summary>low, medium, high or critical.</summary>
    public string Severity { get; init; } = "medium";

    /// <summary>The incident's id.</summary>
    public string? IncidentId { get; init; }

    /// <summary>The incident's key.</summary>
    public string? IncidentKey { get; init; }

    /// <summary>The run.</summary>
    public string? RunId { get; init; }

    /// <summary>For a task: one open item per this (playbook and subject); recurrences are appended.</summary>
    public string? ItemKey { get; init; }

    /// <summary>When it was asked for, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The incident's type.</summary>
    public string? IncidentType { get; init; }

    /// <summary>The blamed principal, or what the incident is about.</summary>
    public string? Subject { get; init; }

    /// <summary>The playbook.</summary>
    public string? Playbook { get; init; }

    /// <summary>For <see cref="ItemKind.Resolved"/>: the notices that are no longer current.</summary>
    public IReadOnlyList<ToldNotice>? Resolves { get; init; }

    /// <summary>For a task: add to the open item, never open one.</summary>
    public bool CommentOnly { get; init; }
}

/// <summary>Kinds of item.</summary>
public static class ItemKind
{
    /// <summary>Something happened.</summary>
    public const string Notification = "notification";

    /// <summary>What a notification told is over.</summary>
    public const string Resolved = "resolved";

    /// <summary>A summary of notifications beyond the channel's rate.</summary>
    public const string Digest = "digest";

    /// <summary>Work for people.</summary>
    public const string Task = "task";
}

/// <summary>A notification that a channel was given.</summary>
public sealed record ToldNotice
{
    /// <summary>Its key.</summary>
    public required string Key { get; init; }

    /// <summary>Its severity.</summary>
    public required string Severity { get; init; }

    /// <summary>The playbook that sent it.</summary>
    public string? Playbook { get; init; }

    /// <summary>The incident's type.</summary>
    public string? IncidentType { get; init; }

    /// <summary>When it was asked for, UTC; null where it is not known.</summary>
    public DateTimeOffset? At { get; init; }
}

/// <summary>
/// The incident is over: a channel that was told of it gets one resolved notice, under the key <c>&lt;incident&gt;/resolved</c>.
/// Answer after it is in the journal, or at once where the channel was told nothing: <see cref="OutboxAccepted"/>.
/// </summary>
public sealed record TellResolved : IOutboxMessage
{
    /// <inheritdoc/>
    public required string Channel { get; init; }

    /// <summary>The incident's id.</summary>
    public required string IncidentId { get; init; }

    /// <summary>The incident's key.</summary>
    public required string IncidentKey { get; init; }

    /// <summary>resolved, rolled_back or closed.</summary>
    public required string State { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }

    /// <summary>When it ended, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The notice's key.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public string Key => IncidentId + "/resolved";
}

/// <summary>In the journal; delivery follows.</summary>
public sealed record OutboxAccepted : IGuardianMessage
{
    /// <summary>The key.</summary>
    public required string Key { get; init; }

    /// <summary>The channel that answers.</summary>
    public string? Channel { get; init; }

    /// <summary>False where the channel is not configured or its outbox is full; <see cref="Reason"/> says which.</summary>
    public required bool Accepted { get; init; }

    /// <summary>Why not.</summary>
    public string? Reason { get; init; }
}

/// <summary>Was this key accepted? Answer: <see cref="OutboxAccepted"/>.</summary>
public sealed record AskDelivery : IOutboxMessage
{
    /// <inheritdoc/>
    public required string Channel { get; init; }

    /// <summary>The key.</summary>
    public required string Key { get; init; }
}

/// <summary>How is a channel doing? Answer: <see cref="OutboxStatus"/>.</summary>
public sealed record GetOutboxStatus : IOutboxMessage
{
    /// <inheritdoc/>
    public required string Channel { get; init; }
}

/// <summary>A channel's figures, since its first item.</summary>
public sealed record OutboxStatus : IGuardianMessage
{
    /// <summary>The channel.</summary>
    public required string Channel { get; init; }

    /// <summary>In the journal, not delivered yet.</summary>
    public required int Pending { get; init; }

    /// <summary>Delivered.</summary>
    public required long Delivered { get; init; }

    /// <summary>Given up.</summary>
    public required long Dead { get; init; }

    /// <summary>Told by a digest, because the channel's rate was used up.</summary>
    public long Digested { get; init; }

    /// <summary>Of those, the ones that wait for the next digest.</summary>
    public int Collected { get; init; }

    /// <summary>Kept from the channel by a silence.</summary>
    public long Muted { get; init; }

    /// <summary>Refused because too many were waiting, since the entity started.</summary>
    public required long Refused { get; init; }

    /// <summary>Attempts for the item in front so far.</summary>
    public required int Attempts { get; init; }

    /// <summary>When the item in front was accepted, UTC.</summary>
    public DateTimeOffset? WaitingSince { get; init; }

    /// <summary>Why the last attempt failed; null once one succeeded.</summary>
    public string? LastFailure { get; init; }
}

// Events

/// <summary>A fact of a channel's outbox. Persistence id <c>outbox-&lt;channel&gt;</c>.</summary>
public abstract record OutboxEvent : IGuardianMessage
{
    /// <summary>When, UTC.</summary>
    public required DateTimeOffset At { get; init; }
}

/// <summary>An item was taken; delivery follows.</summary>
public sealed record DeliveryAccepted : OutboxEvent
{
    /// <summary>What to deliver.</summary>
    public required Deliver Item { get; init; }
}

/// <summary>The receiver has taken an item.</summary>
public sealed record DeliveryDone : OutboxEvent
{
    /// <summary>The item's key.</summary>
    public required string Key { get; init; }

    /// <summary>Attempts of the process that delivered it.</summary>
    public required int Attempts { get; init; }

    /// <summary>What the receiver calls it, e.g. an issue's number; null where it has no name for it.</summary>
    public string? Reference { get; init; }
}

/// <summary>Some of the channel's receivers are through with an item; the others are tried again.</summary>
public sealed record DeliveryPartlyDone : OutboxEvent
{
    /// <summary>The item's key.</summary>
    public required string Key { get; init; }

    /// <summary>Who.</summary>
    public required IReadOnlyList<ReceiverEnd> Ends { get; init; }
}

/// <summary>A receiver that is through with an item.</summary>
/// <param name="Receiver"><c>webhook</c> or <c>issues</c>.</param>
/// <param name="Reference">What it calls the item; null where it has no name for it.</param>
/// <param name="Refused">Why it will never take it; null where it has it.</param>
public sealed record ReceiverEnd(string Receiver, string? Reference = null, string? Refused = null);

/// <summary>The channel's rate was used up: the item is told by the next digest.</summary>
public sealed record DeliveryCollected : OutboxEvent
{
    /// <summary>The item's key.</summary>
    public required string Key { get; init; }
}

/// <summary>A silence kept the item from the channel.</summary>
public sealed record DeliveryMuted : OutboxEvent
{
    /// <summary>The item's key.</summary>
    public required string Key { get; init; }

    /// <summary>The silence, with its reason.</summary>
    public required string Reason { get; init; }
}

/// <summary>An item was given up.</summary>
public sealed record DeliveryDead : OutboxEvent
{
    /// <summary>The item's key.</summary>
    public required string Key { get; init; }

    /// <summary>Attempts of the process that gave it up.</summary>
    public required int Attempts { get; init; }

    /// <summary>What the receiver answered last.</summary>
    public required string Reason { get; init; }
}

/// <summary>A channel's outbox as a snapshot holds it.</summary>
public sealed record OutboxSnapshot : IGuardianMessage
{
    /// <summary>Waiting, in order.</summary>
    public required IReadOnlyList<DeliveryAccepted> Pending { get; init; }

    /// <summary>Keys that came to an end, oldest first.</summary>
    public required IReadOnlyList<EndedKey> Ended { get; init; }

    /// <summary>Delivered so far.</summary>
    public required long Delivered { get; init; }

    /// <summary>Given up so far.</summary>
    public required long Dead { get; init; }

    /// <summary>Told by digests so far.</summary>
    public long Digested { get; init; }

    /// <summary>Kept back by silences so far.</summary>
    public long Muted { get; init; }

    /// <summary>When the latest items that count towards the rate were delivered, oldest first.</summary>
    public IReadOnlyList<DateTimeOffset>? Sent { get; init; }

    /// <summary>What waits for the next digest; null where nothing does.</summary>
    public CollectedItems? Collected { get; init; }

    /// <summary>When the latest digest was made.</summary>
    public DateTimeOffset? LastDigest { get; init; }

    /// <summary>Open incidents that the channel was told of, oldest first.</summary>
    public IReadOnlyList<ToldIncident>? Told { get; init; }

    /// <summary>Work items that were opened, oldest first.</summary>
    public IReadOnlyList<OpenItem>? Items { get; init; }

    /// <summary>Of the item in front, the receivers that are through with it; null where none is.</summary>
    public DeliveryPartlyDone? Partly { get; init; }
}

/// <summary>What a digest will tell.</summary>
public sealed record CollectedItems
{
    /// <summary>How many.</summary>
    public required int Count { get; init; }

    /// <summary>Since when, UTC.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>The greatest severity among them.</summary>
    public required string Severity { get; init; }

    /// <summary>The first titles.</summary>
    public required IReadOnlyList<string> Titles { get; init; }
}

/// <summary>An incident that a channel was told of.</summary>
/// <param name="IncidentId">The incident.</param>
/// <param name="Notices">What was told.</param>
public sealed record ToldIncident(string IncidentId, IReadOnlyList<ToldNotice> Notices);

/// <summary>A work item as the receiver knows it.</summary>
/// <param name="ItemKey">Playbook and subject.</param>
/// <param name="Reference">What the receiver calls it; null where nothing.</param>
/// <param name="Occurrences">How often it was asked for.</param>
public sealed record OpenItem(string ItemKey, string? Reference, int Occurrences);

/// <summary>A key that is remembered, so that it is not delivered again.</summary>
/// <param name="Key">The key.</param>
/// <param name="At">When it came to its end, UTC.</param>
public sealed record EndedKey(string Key, DateTimeOffset At);
