using Akka.Actor;
using Guardian.Actors.Bus;

namespace Guardian.Actors.Monitoring;

// Commands to the AclViolationMonitor.

/// <summary>Answered with <see cref="MonitorReady"/> once the monitor's subscription to the violations is acknowledged.</summary>
internal sealed record AwaitMonitor : INoSerializationVerificationNeeded
{
    public static readonly AwaitMonitor Instance = new();
}

/// <summary>
/// How many policy denials (never attempts of the banned) did a subject, a principal or a topic, cause within the
/// last <paramref name="Window"/> (at most 60 s)? Answer: <see cref="ViolationCount"/>.
/// </summary>
internal sealed record CountViolations(string Subject, TimeSpan Window) : INoSerializationVerificationNeeded;

/// <summary>Answer: <see cref="MonitorTotals"/>.</summary>
internal sealed record GetMonitorTotals : INoSerializationVerificationNeeded
{
    public static readonly GetMonitorTotals Instance = new();
}

// Replies

internal sealed record MonitorReady : INoSerializationVerificationNeeded
{
    public static readonly MonitorReady Instance = new();
}

/// <summary>
/// A count, or why it is not known: unknown is not zero. Within one window a subject is counted exactly up to
/// <see cref="RecentDenials.EntriesPerSubject"/> separate times; beyond that older denials are taken for newer, never lost.
/// </summary>
internal sealed record ViolationCount(string Subject, long Count, string? Unknown = null) : INoSerializationVerificationNeeded;

/// <summary>What the monitor has seen of the whole cluster and what its bounds have cost.</summary>
internal sealed record MonitorTotals : INoSerializationVerificationNeeded
{
    /// <summary>Messages about violations that came from the nodes, this one included: at most 25 a second from each.</summary>
    public required long Digests { get; init; }

    /// <summary>Policy denials of all nodes; exact, also beyond every table.</summary>
    public required long Denied { get; init; }

    /// <summary>Attempts of banned principals on all nodes.</summary>
    public required long Blacklisted { get; init; }

    /// <summary>Of both, how many the nodes could keep in no row.</summary>
    public required long Overflow { get; init; }

    public required int Subjects { get; init; }

    /// <summary>Principals, topics and rows that fell out of a full table.</summary>
    public required long FellOut { get; init; }

    public required long Detections { get; init; }
    public required int RaisesPending { get; init; }

    /// <summary>Detections that found no room among the pending ones; the flood's next detection raises them again.</summary>
    public required long RaisesDropped { get; init; }

    /// <summary>Provisional bans not given because of the cap or the mode.</summary>
    public required long BansWithheld { get; init; }
}

// What ledger and detector say.

/// <summary>
/// What a digest adds to what was known of one row. <paramref name="Times"/> are the times of the newest of the
/// <paramref name="Denied"/>, at most 20; the rest lie before them.
/// </summary>
internal sealed record ViolationDelta(string Node, AclViolation Row, long Denied, long Blacklisted, IReadOnlyList<DateTimeOffset> Times);

/// <summary>A rule fired.</summary>
internal sealed record Detection
{
    public required string Key { get; init; }
    public required string Type { get; init; }
    public required string Node { get; init; }
    public required string Subject { get; init; }
    public string? Principal { get; init; }
    public string? Topic { get; init; }
    public required DateTimeOffset At { get; init; }
    public required long Number { get; init; }
    public required string Episode { get; init; }
    public required long Violations { get; init; }
    public required string Severity { get; init; }

    /// <summary>The rule in words and numbers.</summary>
    public required string Rule { get; init; }
    public string? RuleId { get; init; }
    public required string PolicyHash { get; init; }
}

/// <summary>The episode's count after an observation, for a key whose rule has fired.</summary>
internal sealed record EpisodeGrew(string Key, string Episode, long Violations);

/// <summary>What an observation led to: detections in the order in which they were made, then counts that grew.</summary>
internal sealed record Observed(IReadOnlyList<Detection> Detections, IReadOnlyList<EpisodeGrew> Grew);
