using System.Text.Json;
using Guardian.Actors.Incidents;
using Guardian.Actors.Persistence;
using Guardian.Playbooks.Execution;

namespace Guardian.Tests.Persistence;

/// <summary>Histories of incidents and runs, as their writers leave them in the journal.</summary>
internal static class Stories
{
    public static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;

    public static IncidentRaised Raised(string subject, string type = "message_bus.acl_violation.control_topic_flood") => new()
    {
        Key = "acl/principal/" + subject,
        Type = type,
        Node = "n1",
        At = Start,
        Subject = subject,
        Principal = subject,
        Topic = "system.control",
        Detection = 1,
        Episode = "e1",
        Violations = 5,
        Severity = "high",
    };

    public static IncidentOpened Opened(string id, string subject = "rogue", int second = 0) =>
        new() { At = Start.AddSeconds(second), IncidentId = id, Raised = Raised(subject) };

    public static IReadOnlyList<IncidentEvent> Incident(string id) =>
    [
        Opened(id),
        new IncidentRunAssigned { At = Start.AddSeconds(1), IncidentId = id, RunId = id + ".1", Playbook = "fix", Definition = "…", Because = "spam" },
        new IncidentJoined { At = Start.AddSeconds(2), IncidentId = id, Type = "message_bus.acl_violation.spam_attack", Occurrences = 2, Violations = 10 },
        new IncidentCounted { At = Start.AddSeconds(3), IncidentId = id, Violations = 300 },
        new IncidentSettled { At = Start.AddSeconds(4), IncidentId = id, State = "resolved", RunId = id + ".1", Reason = "verified", Violations = 300 },
    ];

    public static RunStarted Started(string id, params string[] steps) => new()
    {
        At = Start,
        RunId = id,
        IncidentId = id.Split('.')[0],
        IncidentKey = "acl/principal/rogue",
        Playbook = "fix",
        Version = 1,
        Hash = "abc",
        Definition = "…",
        Incident = Json("{}"),
        Because = "incident.violations >= 10 (12)",
        Node = "n1",
        Seed = 1,
        Steps = [.. steps.Select(x => new StepOutline(x, "action." + x))],
        Verify = ["quiet"],
    };

    public static StepDispatched Dispatched(string step, int attempt = 1, int second = 1) => new()
    {
        At = Start.AddSeconds(second),
        StepId = step,
        Attempt = attempt,
        Key = "r/" + step,
        Action = "action." + step,
        Input = Json("""{"principal":"rogue"}"""),
        Node = "n1",
        Undo = true,
        Deadline = Start.AddSeconds(second + 5),
    };

    public static IReadOnlyList<RunEvent> Run(string id) =>
    [
        Started(id, "ban", "restart", "tell"),
        Dispatched("ban"),
        new StepFailed { At = Start.AddSeconds(2), StepId = "ban", Reason = "busy", RetryAt = Start.AddSeconds(3) },
        Dispatched("ban", attempt: 2, second: 3),
        new StepSucceeded { At = Start.AddSeconds(4), StepId = "ban", Output = Json("""{"until":"later"}""") },
        new StepSkipped { At = Start.AddSeconds(4), StepId = "restart", Reason = "incident.violations > 200 was false (12)" },
        Dispatched("tell", second: 5),
        new RunRecovered { At = Start.AddSeconds(6), Epoch = 2 },
        new StepSucceeded { At = Start.AddSeconds(7), StepId = "tell", Output = Json("{}") },
        new VerificationStarted { At = Start.AddSeconds(8) },
        new VerificationProbed { At = Start.AddSeconds(9), Id = "quiet", Passed = false, Reason = "probe failed", Final = false },
        new VerificationProbed { At = Start.AddSeconds(10), Id = "quiet", Passed = true, Result = Json("""{"count":0}"""), Final = true },
        new RunEnded { At = Start.AddSeconds(11), Phase = RunPhase.Resolved, Reason = "verified" },
    ];

    /// <summary>Three incidents and their runs, interleaved.</summary>
    public static IReadOnlyList<ProjectedEvent> Journal()
    {
        var ids = new[] { "a-1", "b-1", "c-1" };
        var streams = ids.Select(x => new Queue<(string, object)>(Incident(x).Select(e => ("incident-" + x, (object)e))))
            .Concat(ids.Select(x => new Queue<(string, object)>(Run(x + ".1").Select(e => ("run-" + x + ".1", (object)e))))).ToList();
        var events = new List<ProjectedEvent>();
        while (streams.Exists(x => x.Count > 0))
            foreach (var stream in streams.Where(x => x.Count > 0))
            {
                var (id, e) = stream.Dequeue();
                events.Add(new ProjectedEvent(events.Count * 2 + 1, id, e, Start));
            }

        return events;
    }
}
