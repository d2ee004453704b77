namespace Guardian.Actors.Leasekeeping;

/// <summary>An effect on the operating system, for a time. Taken before the effect.</summary>
internal sealed record OsLease
{
    /// <summary>Unique on the node, e.g. <c>pause:trainer/1:run-…</c>; taking it again replaces it.</summary>
    public required string Id { get; init; }

    /// <summary>Who asked: a run's id, <c>operator/&lt;name&gt;</c>, <c>chaos/&lt;drill&gt;</c>.</summary>
    public required string Owner { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }

    /// <summary>From the moment the keeper receives it.</summary>
    public required TimeSpan For { get; init; }

    /// <summary>Carried out in this order; 1 to <see cref="UndoRules.MaxUndos"/>.</summary>
    public required IReadOnlyList<LeaseUndo> Undo { get; init; }

    /// <summary>Set by the keeper, UTC.</summary>
    public DateTimeOffset Since { get; init; }

    /// <summary>Set by the keeper, UTC: it is undone then. In the keeper the deadline is monotonic.</summary>
    public DateTimeOffset Until { get; init; }

    /// <summary>Set by the keeper: the boot its processes belong to.</summary>
    public string Boot { get; init; } = "";
}
