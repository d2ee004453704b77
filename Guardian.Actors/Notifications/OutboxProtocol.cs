using Akka.Actor;
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
