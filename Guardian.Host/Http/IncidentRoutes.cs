using Akka.Actor;
using Guardian.Actors.Incidents;
using Guardian.Host.Http.Security;

namespace Guardian.Host.Http;

/// <summary>Incidents and runs, from the projection; an operator's word goes to the incident itself.</summary>
internal static class IncidentRoutes
{
    private static readonly string[] States = ["open", "running", "resolved", "rolled_back", "escalated", "closed"];

    public static void Map(ApiRoutes routes)
    {
        routes.Map("GET", "/api/v1/incidents", Rights.Read, "Incidents, newest first; query: state, limit, after", ListAsync, ApiJson.Default.Incidents);
        routes.Map("GET", "/api/v1/incidents/{id}", Rights.Read, "One incident", GetAsync, ApiJson.Default.IncidentView);
        routes.Map("POST", "/api/v1/incidents/{id}/close", Rights.Operate, "Closes an open incident", CloseAsync, body: ApiJson.Default.ReasonRequest, success: 204);
        routes.Map("GET", "/api/v1/runs", Rights.Read, "Runs, newest first; query: playbook, incident, limit, after", RunsAsync, ApiJson.Default.Runs);
        routes.Map("GET", "/api/v1/runs/{id}", Rights.Read, "One run: why it started, each step, each check", RunAsync, ApiJson.Default.RunDetail);
        foreach (var verb in (string[])["approve", "reject", "cancel"])
        {
            routes.Map("POST", $"/api/v1/runs/{{id}}/{verb}", Rights.Operate, $"An operator's word on the run: {verb}", call => DirectAsync(call, verb),
                body: ApiJson.Default.DirectRunRequest, success: 204);
        }
    }

    private static async Task ListAsync(ApiCall call)
    {
        var state = call.Query("state");
        if (state is not null && !States.Contains(state))
        {
            await Problems.Invalid(call.Http, $"'state' is one of {string.Join(", ", States)}");
            return;
        }

        if (!ApiBodies.TryLimit(call, out var limit, out var refusal))
        {
            await refusal;
            return;
        }

        var items = await call.Guardian.Parts.ReadModel.IncidentsAsync(state, limit, call.Query("after"), call.Cancellation);
        ApiBodies.LinkNext(call, items.Count, limit, items.Count > 0 ? items[^1].Id : null);
        await ApiBodies.JsonAsync(call.Http, items, ApiJson.Default.Incidents);
    }

    private static async Task GetAsync(ApiCall call)
    {
        var id = call.Route("id");
        await (await call.Guardian.Parts.ReadModel.IncidentAsync(id, call.Cancellation) is { } incident
            ? ApiBodies.JsonAsync(call.Http, incident, ApiJson.Default.IncidentView)
            : Problems.NotFound(call.Http, $"no incident '{id}'"));
    }

    private static async Task CloseAsync(ApiCall call)
    {
        if (await ApiBodies.CommandAsync(call.Http, ApiJson.Default.ReasonRequest, new ReasonRequest(null)) is not { } request) return;
        var id = call.Route("id");
        if (await call.Guardian.Parts.ReadModel.IncidentAsync(id, call.Cancellation) is not { } incident)
        {
            await Problems.NotFound(call.Http, $"no incident '{id}'");
            return;
        }

        await AnswerAsync(call, new CloseIncident { Key = incident.Key, By = call.Caller.Name, Reason = request.Reason ?? "closed by an operator" });
    }

    private static async Task RunsAsync(ApiCall call)
    {
        if (!ApiBodies.TryLimit(call, out var limit, out var refusal))
        {
            await refusal;
            return;
        }

        var items = await call.Guardian.Parts.ReadModel.RunsAsync(call.Query("playbook"), call.Query("incident"), limit, call.Query("after"), call.Cancellation);
        ApiBodies.LinkNext(call, items.Count, limit, items.Count > 0 ? items[^1].Id : null);
        await ApiBodies.JsonAsync(call.Http, items, ApiJson.Default.Runs);
    }

    private static async Task RunAsync(ApiCall call)
    {
        var id = call.Route("id");
        await (await call.Guardian.Parts.ReadModel.RunAsync(id, call.Cancellation) is { } run
            ? ApiBodies.JsonAsync(call.Http, run, ApiJson.Default.RunDetail)
            : Problems.NotFound(call.Http, $"no run '{id}'"));
    }

    private static async Task DirectAsync(ApiCall call, string verb)
    {
        if (await ApiBodies.CommandAsync(call.Http, ApiJson.Default.DirectRunRequest, new DirectRunRequest(null, null)) is not { } request) return;
        var id = call.Route("id");
        if (await call.Guardian.Parts.ReadModel.RunAsync(id, call.Cancellation) is not { } run)
        {
            await Problems.NotFound(call.Http, $"no run '{id}'");
            return;
        }

        await AnswerAsync(call, new DirectRun { Key = run.IncidentKey, RunId = id, Verb = verb, By = call.Caller.Name, Reason = request.Reason ?? "", Step = request.Step });
    }

    private static async Task AnswerAsync(ApiCall call, IIncidentMessage command)
    {
        var answer = await call.Guardian.Parts.Incidents.Ask<IncidentAnswer>(command, ApiContext.AskTimeout, call.Cancellation);
        await (answer.Done
            ? ApiBodies.Empty(call.Http)
            : Problems.Write(call.Http, 409, "conflict", "Not possible now", answer.Reason ?? "the incident or run is in another state"));
    }
}
