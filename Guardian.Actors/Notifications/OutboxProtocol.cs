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

    /// <summary><c>notification</c> or <c>task</c>.</summary>
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
}

/// <summary>In the journal; delivery follows.</summary>
public sealed record OutboxAccepted : IGuardianMessage
{
    /// <summary>The key.</summary>
    public required string Key { get; init; }

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
}

/// <summary>A key that is remembered, so that it is not delivered again.</summary>
/// <param name="Key">The key.</param>
/// <param name="At">When it came to its end, UTC.</param>
public sealed record EndedKey(string Key, DateTimeOffset At);
