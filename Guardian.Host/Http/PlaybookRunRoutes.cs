using System.Text.Json;
using Akka.Actor;
using Guardian.Actors.Hosting;
using Guardian.Actors.Incidents;
using Guardian.Host.Http.Security;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Planning;

namespace Guardian.Host.Http;

/// <summary>A run that an operator asks for, or the plan of it.</summary>
internal static class PlaybookRunRoutes
{
    private static readonly string[] Common = ["id", "key", "type", "severity", "node", "subject", "openedAt", "occurrences", "principal", "topic", "violations"];

    public static void Map(ApiRoutes routes) =>
        // A plan only reads; that a run needs an operator is asked once it is known which of the two is wanted.
        routes.Map("POST", "/api/v1/playbooks/{name}/runs", Rights.Read, "Starts a run for a described incident (operator), or with dryRun answers 200 with its plan",
            call => RunAsync(routes.Api, call), ApiJson.Default.RunAnswer, ApiJson.Default.RunRequest, success: 202);

    private static async Task RunAsync(ApiContext api, ApiCall call)
    {
        if (await ApiBodies.CommandAsync(call.Http, ApiJson.Default.RunRequest, new RunRequest(default, false, null)) is not { } request) return;
        if (!request.DryRun)
        {
            if (await api.Gate.AdmitAsync(call.Http, Rights.Operate) is not { } admitted) return;
            call = call with { Caller = admitted };
        }

        if (await PlaybookRoutes.FindAsync(call) is not { } playbook) return;
        var parts = call.Guardian.Parts;
        if (await PlaybookRoutes.DescribedAsync(call, request.Incident, DescribedIncident.TypeFor(playbook, parts.Vocabulary, request.Incident)) is not var (type, incident)) return;
        if (request.DryRun)
        {
            var planner = new PlaybookPlanner(parts.Vocabulary, new PlanAutonomy(parts.Mode.Mode, parts.Options.Autonomy.For, parts.Mode.Held));
            await ApiBodies.JsonAsync(call.Http, planner.Plan(playbook, type, incident), PlanningJson.Default.RunPlan);
            return;
        }

        var answer = await parts.Incidents.Ask<RunRequested>(new RequestRun
        {
            Key = incident.GetProperty("key").GetString()!, Playbook = playbook.Name, By = call.Caller.Name, Reason = request.Reason ?? "",
            Raised = Raised(parts, incident),
        }, ApiContext.AskTimeout, call.Cancellation);
        await (answer.Done
            ? ApiBodies.JsonAsync(call.Http, new RunAnswer(answer.RunId!, answer.IncidentId!), ApiJson.Default.RunAnswer, 202)
            : Problems.Write(call.Http, 409, "conflict", "Not possible now", answer.Reason ?? "the incident is in another state"));
    }

    /// <summary>The described incident as a detection by nobody's monitor: an episode of its own.</summary>
    private static IncidentRaised Raised(GuardianParts parts, JsonElement incident) => new()
    {
        Key = incident.GetProperty("key").GetString()!,
        Type = incident.GetProperty("type").GetString()!,
        Node = incident.GetProperty("node").GetString()!,
        Severity = incident.GetProperty("severity").GetString()!,
        Subject = incident.GetProperty("subject").GetString()!,
        At = parts.Time.GetUtcNow(),
        Principal = Text(incident, "principal"),
        Topic = Text(incident, "topic"),
        Violations = incident.TryGetProperty("violations", out var count) && count.TryGetInt64(out var violations) ? violations : null,
        Detection = 1,
        Episode = $"operator/{Guid.NewGuid():N}",
        Evidence = JsonSerializer.SerializeToElement(
            incident.EnumerateObject().Where(x => !Common.Contains(x.Name)).ToDictionary(x => x.Name, x => x.Value), ApiJson.Default.Fields),
    };

    private static string? Text(JsonElement incident, string name) => incident.TryGetProperty(name, out var value) ? value.GetString() : null;
}
