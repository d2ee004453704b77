using Guardian.Actors.Incidents;

namespace Guardian.Actors.Persistence;

/// <summary>An incident's view as the fold of its events. Pure.</summary>
internal static class IncidentProjection
{
    /// <summary>True while somebody or something still has to act: what <c>?state=open</c> lists.</summary>
    public static bool IsOpen(string state) => state is "open" or "running" or "escalated";

    /// <summary>The view after <paramref name="e"/>; null where the incident's opening was never seen.</summary>
    public static IncidentView? Apply(IncidentView? view, IncidentEvent e)
    {
        if (e is IncidentOpened opened) return view ?? Open(opened);
        return view is null ? null : e switch
        {
            IncidentJoined { Dropped: true } x => view with { Dropped = view.Dropped + 1, Violations = Greater(view.Violations, x.Violations) },
            IncidentJoined x => view with
            {
                Occurrences = Math.Max(view.Occurrences, x.Occurrences),
                Violations = Greater(view.Violations, x.Violations),
                Rules = view.Rules.Contains(x.Type) ? view.Rules : [.. view.Rules, x.Type],
            },
            IncidentCounted x => view with { Violations = Greater(view.Violations, x.Violations) },
            IncidentRunAssigned x => view with
            {
                State = "running",
                EndedAt = null,
                Reason = x.Because,
                Runs = view.Runs.Contains(x.RunId) ? view.Runs : [.. view.Runs, x.RunId],
            },
            IncidentRunDeclined x => view with { Reason = x.Reason },
            IncidentSettled x => view with
            {
                State = x.State,
                Reason = x.Reason,
                EndedAt = IsOpen(x.State) ? null : x.At,
                Violations = Greater(view.Violations, x.Violations),
            },
            _ => view,
        };
    }

    private static IncidentView Open(IncidentOpened e) => new()
    {
        Id = e.IncidentId,
        Key = e.Raised.Key,
        Type = e.Raised.Type,
        Severity = e.Raised.Severity,
        Node = e.Raised.Node,
        Subject = e.Raised.Subject,
        Principal = e.Raised.Principal,
        Topic = e.Raised.Topic,
        Violations = e.Raised.Violations,
        OpenedAt = e.At,
        State = "open",
        Occurrences = 1,
        Rules = [e.Raised.Type],
    };

    // Counts are cumulative; one that arrives late is smaller.
    private static long? Greater(long? a, long? b) => a is null ? b : b is null ? a : Math.Max(a.Value, b.Value);
}
