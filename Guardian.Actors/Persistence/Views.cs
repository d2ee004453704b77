using System.Text.Json;

namespace Guardian.Actors.Persistence;

/// <summary>An incident as lists show it.</summary>
internal sealed record IncidentView
{
    public required string Id { get; init; }
    public required string Key { get; init; }
    public required string Type { get; init; }
    public required string Severity { get; init; }
    public required string Node { get; init; }
    public required string Subject { get; init; }
    public string? Principal { get; init; }
    public string? Topic { get; init; }
    public long? Violations { get; init; }
    public required DateTimeOffset OpenedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>open, running, resolved, rolled_back, escalated or closed.</summary>
    public required string State { get; init; }
    public string? Reason { get; init; }
    public required int Occurrences { get; init; }

    /// <summary>Detections dropped because of <c>onConflict: drop</c>.</summary>
    public int Dropped { get; init; }

    /// <summary>Types that fired, the opening one first.</summary>
    public IReadOnlyList<string> Rules { get; init; } = [];
    public IReadOnlyList<string> Runs { get; init; } = [];
}

/// <summary>A run as lists show it.</summary>
internal sealed record RunDetail
{
    public required string Id { get; init; }
    public required string Playbook { get; init; }
    public required int Version { get; init; }
    public required string Hash { get; init; }
    public required string Incident { get; init; }
    public required string IncidentKey { get; init; }
    public required string State { get; init; }
    public required DateTimeOffset StartedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }
    public string? Reason { get; init; }
    public IReadOnlyList<StepDetail> Steps { get; init; } = [];
    public IReadOnlyList<VerifyDetail> Verify { get; init; } = [];
    public IReadOnlyList<string> Explain { get; init; } = [];
}

internal sealed record StepDetail
{
    public required string Id { get; init; }
    public required string Action { get; init; }
    public required string State { get; init; }
    public required int Attempt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }
    public JsonElement? Input { get; init; }
    public JsonElement? Output { get; init; }
    public string? Reason { get; init; }
    public string? Undo { get; init; }
}

internal sealed record VerifyDetail
{
    public required string Id { get; init; }
    public bool? Passed { get; init; }
    public JsonElement? Result { get; init; }
    public string? Reason { get; init; }
}

/// <summary>One thing worth seeing, without payloads.</summary>
/// <param name="Offset">Position in the journal; resume after it.</param>
/// <param name="Type">E.g. <c>incident-opened</c>: the manifest without its version.</param>
/// <param name="Entity">Incident or run id.</param>
/// <param name="At">When, UTC.</param>
/// <param name="Summary">One line.</param>
internal sealed record EventView(long Offset, string Type, string Entity, DateTimeOffset At, string Summary);

/// <summary>
/// Lists and searches: a rebuildable projection of the journal. While the journal is away it answers with what it has.
/// </summary>
internal interface IReadModel
{
    /// <summary>Incidents, newest first; <paramref name="state"/> null is all, <c>open</c> is every state that is not over; <paramref name="after"/> is the id of the last one of the page before.</summary>
    Task<IReadOnlyList<IncidentView>> IncidentsAsync(string? state, int limit, string? after, CancellationToken cancellation);

    Task<IncidentView?> IncidentAsync(string id, CancellationToken cancellation);

    /// <summary>Runs, newest first.</summary>
    Task<IReadOnlyList<RunDetail>> RunsAsync(string? playbook, string? incident, int limit, string? after, CancellationToken cancellation);

    Task<RunDetail?> RunAsync(string id, CancellationToken cancellation);

    Task<int> OpenIncidentsAsync(CancellationToken cancellation);

    /// <summary>Everything after the offset, then live; ends with the token.</summary>
    IAsyncEnumerable<EventView> EventsAsync(long after, CancellationToken cancellation);
}

/// <summary>Whether the journal takes writes and the database answers, measured now and then, not remembered.</summary>
/// <param name="Healthy">False: Guardian is degraded.</param>
/// <param name="Reason">What was seen.</param>
/// <param name="CheckedAt">When, UTC.</param>
/// <param name="NumberFloor">Numbers up to this may have been given to incidents that were pruned; null where it could not be read.</param>
internal sealed record JournalHealth(bool Healthy, string? Reason, DateTimeOffset CheckedAt, int? NumberFloor = null);
