using System.Globalization;
using System.Text.Json;
using Guardian.Actors.Switches;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;

namespace Guardian.Actors.Incidents;

/// <summary>Whether and when a run is to be started.</summary>
/// <param name="Event">To persist: a run assigned, declined, or the incident settled; null when nothing changes.</param>
/// <param name="RetryAt">Ask again then; null when only a new detection or new playbooks can change it.</param>
internal readonly record struct RunChoice(IncidentEvent? Event, DateTimeOffset? RetryAt);

/// <summary>
/// Decides what a detection means for the incidents of one key. Pure: times come in.
/// <para>
/// One incident is open at a time. Another rule or a new detection joins it; a growing count of a known detection only counts, also
/// after the incident settled, so that the count ends right even when the run was quicker than the flood. After it settled a new
/// detection opens the next incident. Cooldown and quota belong to the key. Within the cooldown an open incident waits and its run
/// starts when the cooldown is over, if it still fires. A recurrence on an escalated incident does not wait: it gets a run at once in
/// which only containment acts, and, where that ends in escalation too and it still fires when the cooldown is over, a full one then.
/// Past the quota of the key a run takes its containment steps alone.
/// </para>
/// </summary>
internal static class IncidentLogic
{
    /// <summary>The kind of keys whose incidents count violations, so that a count that stands still says that there were none.</summary>
    private const string Acl = "acl";

    /// <summary>What was detected or counted this recently still fires: longer than the spam window, shorter than a usual cooldown.</summary>
    public static readonly TimeSpan StillFires = TimeSpan.FromSeconds(30);

    /// <summary>A node that starts again hears of what it missed within a second or two; a loaded one, and one whose raise waited for its shard, later.</summary>
    public static readonly TimeSpan LateAtMost = TimeSpan.FromSeconds(60);

    /// <summary>
    /// The event that a raise leads to; null where it is a repeat, or only its count may have grown. Numbers up to <paramref name="floor"/>
    /// may have been given before the key was pruned; a key with history goes on from its own.
    /// </summary>
    public static IncidentEvent? Raise(IncidentState state, IncidentRaised raised, string entity, long? violations, DateTimeOffset now, int floor = 0)
    {
        if (state.Knows(raised)) return null;
        return state.Open
            ? new IncidentJoined
            {
                At = now, IncidentId = state.Id, Type = raised.Type, Violations = violations,
                Dropped = state.Run?.DropsRecurrences == true,
                Occurrences = state.Run?.DropsRecurrences == true ? state.Occurrences : Math.Max(state.Occurrences, state.SeenBy(raised.Monitor ?? raised.Node) + 1),
                Detection = raised.Detection, Episode = raised.Episode, Node = raised.Node, Monitor = raised.Monitor,
            }
            : new IncidentOpened { At = now, IncidentId = IncidentKeys.Incident(entity, (state.Number == 0 ? floor : state.Number) + 1), Raised = raised };
    }

    /// <summary>
    /// True where the incident that is over covers it: violations that every node's monitor counts, which happened before the end and are
    /// told late, by a monitor that heard of them late. What only one monitor sees is never told twice. What is told later than
    /// <see cref="LateAtMost"/>, or is from long before the incident began, has the time of a clock that goes wrong, as has an end that
    /// lies ahead, and opens one: rather one too many than none.
    /// </summary>
    public static bool IsCovered(IncidentState state, IncidentRaised raised, DateTimeOffset now) =>
        raised.Violations is not null && state.Over is { } over && over.At <= now && now - over.At <= LateAtMost && raised.At <= over.At && raised.At >= state.OpenedAt - StillFires;

    /// <summary>The run for an incident that needs one.</summary>
    public static RunChoice Choose(IncidentState state, JsonElement fields, IReadOnlyList<Playbook> playbooks, DateTimeOffset lastSeen, DateTimeOffset now, SwitchView? switches = null)
    {
        var escalated = state.State == "escalated";
        if (!escalated && state.State != "open") return default;
        if (escalated && !state.Recurred && !(state.OwesRun && now - lastSeen <= StillFires)) return default;
        IReadOnlyList<Playbook> enabled = switches is null ? playbooks : [.. playbooks.Where(x => switches.IsEnabled(x.Name))];
        if (Match(state, fields, enabled) is not { } match) return Decline(state, NoMatch(state, fields, playbooks, switches), now, null);

        var (playbook, because) = match;
        var cooled = (escalated ? state.LastFullRunEndedAt : state.LastRunEndedAt) + playbook.Guards.Cooldown;
        if (cooled > now)
        {
            if (escalated && !state.Recurred) return new RunChoice(null, cooled);
            if (escalated) return Assign(state, playbook, $"{because}; recurrence on an escalated incident within the cooldown: containment only", true, now);
            return Decline(state, string.Create(CultureInfo.InvariantCulture, $"cooldown of {playbook.Name} until {cooled:O}"), now, cooled);
        }

        // What is not counted is told once: silence says nothing.
        if (state.Declined?.StartsWith("cooldown", StringComparison.Ordinal) == true && state.Raised?.TellsEnd != true && state.Counts.Total is not null && now - lastSeen > StillFires)
        {
            return new RunChoice(new IncidentSettled
            {
                At = now, IncidentId = state.Id, State = "resolved",
                Reason = string.Create(CultureInfo.InvariantCulture, $"not seen since {lastSeen:O}, when the cooldown was over"),
                Violations = state.Counts.Total,
            }, null);
        }

        foreach (var quota in playbook.Guards.MaxRuns.Where(x => x.Scope == QuotaScope.Key))
        {
            List<DateTimeOffset> starts = [.. state.Starts.Where(x => x.Playbook == playbook.Name && x.At > now - quota.Per).Select(x => x.At).Order()];
            var runs = starts.Count;
            if (runs >= quota.Count)
            {
                // The full run that it owes waits for the quota. Containment alone follows a new detection, not itself.
                if (escalated && !state.Recurred) return new RunChoice(null, starts[runs - quota.Count] + quota.Per);
                return Assign(state, playbook, string.Create(CultureInfo.InvariantCulture,
                    $"{because}; {runs} runs within {new Duration(quota.Per)} use up the quota of {quota.Count}: containment only"), true, now);
            }
        }

        return Assign(state, playbook, because, false, now);
    }

    /// <summary>
    /// Whether an incident on which nothing is done any more, escalated or without a run, is over because its subject was quiet, or when to look again;
    /// neither for what a monitor calls over and for what is not counted: there silence says nothing. Quiet counts from the last detection or growth and from the end of the run, which told people; after
    /// a restart its monitors have <see cref="LateAtMost"/> to tell what they saw meanwhile.
    /// </summary>
    public static RunChoice Quiet(IncidentState state, DateTimeOffset lastSeen, DateTimeOffset? recoveredAt, long? violations, TimeSpan after, DateTimeOffset now)
    {
        if (!(state.State == "escalated" || state is { State: "open", Declined: not null }) || state.Raised is not { TellsEnd: false } raised || IncidentKeys.Kind(raised.Key) != Acl) return default;
        var due = Later(lastSeen, state.LastRunEndedAt) + after;
        due = Later(due, recoveredAt + LateAtMost);
        if (now < due) return new RunChoice(null, due);
        return new RunChoice(new IncidentSettled
        {
            At = now, IncidentId = state.Id, State = "resolved", Reason = $"not seen again for {new Duration(after)}", Violations = violations,
        }, null);

        static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset? b) => b > a ? b.Value : a;
    }

    /// <summary>What a run's end means for its incident.</summary>
    public static IncidentSettled Settle(IncidentState state, string runId, RunPhase phase, string reason, long? violations, DateTimeOffset now) => new()
    {
        At = now,
        IncidentId = state.Id,
        State = phase switch
        {
            RunPhase.Resolved => "resolved",
            RunPhase.RolledBack => "rolled_back",
            RunPhase.Escalated => "escalated",
            // An operator's cancel and a run that only observed leave nothing that Guardian goes on with.
            _ => "closed",
        },
        RunId = runId,
        Reason = reason,
        Violations = violations,
    };

    /// <summary>The next run of the open incident.</summary>
    public static IncidentRunAssigned Assigned(IncidentState state, Playbook playbook, string because, DateTimeOffset now) => new()
    {
        At = now, IncidentId = state.Id, RunId = string.Create(CultureInfo.InvariantCulture, $"{state.Id}.{state.Runs + 1}"),
        Playbook = playbook.Name, Definition = playbook.Definition, Because = because,
        DropsRecurrences = playbook.OnConflict == ConflictPolicy.Drop,
    };

    private static string NoMatch(IncidentState state, JsonElement fields, IReadOnlyList<Playbook> playbooks, SwitchView? switches) =>
        Match(state, fields, playbooks)?.Playbook.Name is { } name && switches?.Of(name) is { } off
            ? $"playbook {name} fits but was disabled by {off.By}: {off.Reason}"
            : "no playbook has a trigger that fits";

    private static (Playbook Playbook, string Because)? Match(IncidentState state, JsonElement fields, IReadOnlyList<Playbook> playbooks)
    {
        foreach (var rule in state.Rules)
        {
            if (PlaybookMatcher.Match(playbooks, rule, fields) is { } match) return match;
        }

        return null;
    }

    private static RunChoice Assign(IncidentState state, Playbook playbook, string because, bool containmentOnly, DateTimeOffset now) =>
        new(Assigned(state, playbook, because, now) with { ContainmentOnly = containmentOnly }, null);

    private static RunChoice Decline(IncidentState state, string reason, DateTimeOffset now, DateTimeOffset? retryAt) => new(
        state.Declined == reason ? null : new IncidentRunDeclined { At = now, IncidentId = state.Id, Reason = reason }, retryAt);
}
