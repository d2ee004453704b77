using Guardian.Playbooks;

namespace Guardian.Actors.Mitigations;

/// <summary>A restriction in force, as operators see it. Every one is a lease with an owner.</summary>
public sealed record Mitigation : IGuardianMessage
{
    /// <summary>Unique: <c>ban:rogue:run-…</c>, <c>bus-limit:…</c>.</summary>
    public required string Id { get; init; }

    /// <summary>What is restricted, e.g. <c>principal/rogue</c> or <c>topic/system.control</c>.</summary>
    public required string Target { get; init; }

    /// <summary>What is done to it, e.g. <c>ban</c> or <c>limit denials to 10/s</c>.</summary>
    public required string Effect { get; init; }

    /// <summary>Who asked: a run's id, <c>operator/&lt;name&gt;</c> or <c>monitor/&lt;incident key&gt;</c>.</summary>
    public required string Owner { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }

    /// <summary>Node where it holds; null where it holds in the whole cluster.</summary>
    public string? Node { get; init; }

    /// <summary>Since when, UTC.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>It lapses then, UTC.</summary>
    public required DateTimeOffset Until { get; init; }
}
