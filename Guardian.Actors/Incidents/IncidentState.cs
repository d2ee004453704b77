using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Guardian.Playbooks;

namespace Guardian.Actors.Incidents;

/// <summary>Start of a full run.</summary>
internal sealed record RunStart(string Playbook, DateTimeOffset At);

/// <summary>
/// The incidents of one key as their events tell them, and their snapshot: the latest one in full, of those before only what cooldown and
/// quota need.
/// </summary>
internal sealed record IncidentState : IGuardianMessage
{
    /// <summary>Starts of runs remembered for quotas; a quota cannot count further than this.</summary>
    private const int MaxStarts = 1_000;

    /// <summary>Episodes whose detections are remembered; a repeat of an older one counts as an occurrence.</summary>
    private const int MaxEpisodes = 64;

    public static IncidentState Empty { get; } = new();

    /// <summary>How many incidents this key has had.</summary>
    public int Number { get; init; }

    /// <summary>Id of the latest; empty before the first.</summary>
    public string Id { get; init; } = "";

    /// <summary>open, running, resolved, rolled_back, escalated or closed; empty before the first.</summary>
    public string State { get; init; } = "";

    public IncidentRaised? Raised { get; init; }
    public DateTimeOffset OpenedAt { get; init; }
    public ImmutableList<string> Rules { get; init; } = [];
    public int Occurrences { get; init; }

    /// <summary>Detections dropped while a run said so.</summary>
    public int Dropped { get; init; }

    /// <summary>Counts as far as the journal knows them.</summary>
    public ViolationCounts Counts { get; init; } = ViolationCounts.None;

    /// <summary>Greatest detection by episode.</summary>
    public ImmutableDictionary<string, long> Detections { get; init; } = ImmutableDictionary<string, long>.Empty;

    /// <summary>Last new detection.</summary>
    public DateTimeOffset LastDetectedAt { get; init; }

    /// <summary>The run under way.</summary>
    public IncidentRunAssigned? Run { get; init; }

    /// <summary>Runs of the latest incident.</summary>
    public int Runs { get; init; }

    /// <summary>Starts of full runs, of all incidents of this key.</summary>
    public ImmutableList<RunStart> Starts { get; init; } = [];

    /// <summary>End of the last run, of whichever incident.</summary>
    public DateTimeOffset? LastRunEndedAt { get; init; }

    /// <summary>End of the last run that might take every step.</summary>
    public DateTimeOffset? LastFullRunEndedAt { get; init; }

    /// <summary>A recurrence on the escalated incident was contained; the full run that it deserves follows the cooldown.</summary>
    public bool OwesRun { get; init; }

    /// <summary>Why no run was started; null once one was.</summary>
    public string? Declined { get; init; }

    /// <summary>Channels that were told of the latest incident.</summary>
    public ImmutableList<string> Told { get; init; } = [];

    /// <summary>The end of the latest incident, once it is over.</summary>
    public IncidentSettled? Over { get; init; }

    /// <summary>A detection came after the last run ended: an escalated incident needs another.</summary>
    public bool Recurred { get; init; }

    /// <summary>True while something is to be done about it; escalated ones stay open.</summary>
    [JsonIgnore]
    public bool Open => State is "open" or "running" or "escalated";

    /// <summary>Detections that this node's monitor has told. Monitors on several nodes see the same: an occurrence is what one of them alone has seen.</summary>
    public int SeenBy(string monitor) => Monitors.GetValueOrDefault(monitor, Settled);

    /// <summary>Occurrences when the last run of this incident ended: whatever any monitor tells after that is a recurrence, however few it told before.</summary>
    public int Settled { get; init; }

    /// <summary>Detections by the node of their monitor.</summary>
    public ImmutableDictionary<string, int> Monitors { get; init; } = ImmutableDictionary<string, int>.Empty;

    public bool Knows(IncidentRaised raised) => Detections.TryGetValue(raised.Episode, out var known) && raised.Detection <= known;

    public IncidentState Apply(IncidentEvent e) => e switch
    {
        IncidentOpened x => Opened(x),
        IncidentJoined { Dropped: true } x => this with
        {
            Dropped = Dropped + 1,
            Detections = Remember(x.Episode, x.Detection),
            LastDetectedAt = x.At,
            Counts = Counts.Seen(x.Monitor ?? x.Node, x.Episode, null).AtLeast(x.Violations),
        },
        IncidentJoined x => this with
        {
            Rules = Rules.Contains(x.Type) ? Rules : Rules.Add(x.Type),
            Occurrences = x.Occurrences,
            Monitors = Monitors.SetItem(x.Monitor ?? x.Node, SeenBy(x.Monitor ?? x.Node) + 1),
            Detections = Remember(x.Episode, x.Detection),
            LastDetectedAt = x.At,
            Counts = Counts.Seen(x.Monitor ?? x.Node, x.Episode, null).AtLeast(x.Violations),
            Recurred = Recurred || x.Occurrences > Occurrences,
        },
        IncidentCounted x => this with { Counts = Counts.AtLeast(x.Violations) },
        IncidentRunAssigned x => this with
        {
            State = "running",
            Run = x,
            Runs = Runs + 1,
            Starts = x.ContainmentOnly ? Starts : Starts.Count < MaxStarts ? Starts.Add(new RunStart(x.Playbook, x.At)) : Starts.RemoveAt(0).Add(new RunStart(x.Playbook, x.At)),
            Declined = null,
            Recurred = false,
            OwesRun = x.ContainmentOnly && State == "escalated",
        },
        IncidentRunDeclined x => this with { Declined = x.Reason },
        IncidentSettled x => this with
        {
            State = x.State,
            Run = null,
            Recurred = false,
            Monitors = x.State == "escalated" ? ImmutableDictionary<string, int>.Empty : Monitors,
            Settled = x.State == "escalated" ? Occurrences : Settled,
            LastRunEndedAt = x.RunId is null ? LastRunEndedAt : x.At,
            LastFullRunEndedAt = x.RunId is null || Run?.ContainmentOnly == true ? LastFullRunEndedAt : x.At,
            OwesRun = OwesRun && x.State == "escalated",
            Told = x.Told is null ? Told : [.. Told.Union(x.Told, StringComparer.Ordinal)],
            Over = x.State == "escalated" ? null : x,
            Counts = Counts.AtLeast(x.Violations),
        },
        _ => this,
    };

    private IncidentState Opened(IncidentOpened x) => this with
    {
        Number = IncidentKeys.Number(x.IncidentId), // not counted: those before it may have been pruned
        Id = x.IncidentId,
        State = "open",
        Raised = x.Raised,
        OpenedAt = x.At,
        Rules = [x.Raised.Type],
        Occurrences = 1,
        Settled = 0,
        Monitors = ImmutableDictionary<string, int>.Empty.Add(x.Raised.Monitor ?? x.Raised.Node, 1),
        Dropped = 0,
        Counts = ViolationCounts.None.Seen(x.Raised.Monitor ?? x.Raised.Node, x.Raised.Episode, x.Raised.Violations),
        Detections = Remember(x.Raised.Episode, x.Raised.Detection),
        LastDetectedAt = x.At,
        Run = null,
        Runs = 0,
        Told = [],
        Over = null,
        Declined = null,
        Recurred = false,
        OwesRun = false,
    };

    private ImmutableDictionary<string, long> Remember(string episode, long detection)
    {
        var kept = Detections.Count < MaxEpisodes || Detections.ContainsKey(episode) ? Detections : Detections.Clear();
        return kept.SetItem(episode, Math.Max(detection, kept.GetValueOrDefault(episode)));
    }
}
