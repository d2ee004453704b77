using System.Globalization;
using System.Text;
using System.Text.Json;
using Guardian.Actors.Chaos;
using Guardian.Actors.Chaos.Reports;
using Guardian.Actors.Chaos.Targets;
using Guardian.Host.Http.Security;

namespace Guardian.Host.Http;

/// <summary>Chaos on this node: only where <c>Guardian:Chaos:Enabled</c> says so, and only for an admin.</summary>
internal static class ChaosRoutes
{
    private static readonly TimeSpan LongestTtl = TimeSpan.FromMinutes(10);

    public static void Map(ApiRoutes routes)
    {
        routes.Map("POST", "/api/v1/chaos/runs", Rights.Administer, "Runs scenarios on this node; 202 with the run's id", Enabled(StartAsync), ApiJson.Default.ChaosStarted, ApiJson.Default.ChaosRunRequest, 202);
        routes.Map("GET", "/api/v1/chaos/runs/{id}", Rights.Administer, "What the run is doing, or its report", Enabled(ReportAsync));
        routes.Map("DELETE", "/api/v1/chaos/runs/{id}", Rights.Administer, "Aborts the run with its faults withdrawn", Enabled(AbortAsync), success: 204);
        routes.Map("POST", "/api/v1/chaos/faults", Rights.Administer, "Injects one fault into this node, for a runner outside", Enabled(InjectAsync), ApiJson.Default.ChaosStarted, ApiJson.Default.ChaosFaultRequest, 202);
        routes.Map("GET", "/api/v1/chaos/faults/{id}", Rights.Administer, "Whether the fault is over", Enabled(FaultAsync), ApiJson.Default.ChaosFaultState);
        routes.Map("DELETE", "/api/v1/chaos/faults/{id}", Rights.Administer, "Withdraws the fault", Enabled(WithdrawAsync), success: 204);
    }

    private static Func<ApiCall, Task> Enabled(Func<ApiCall, NodeChaos, Task> handler) => call => call.Guardian.Parts.Chaos is { Enabled: true } chaos
        ? handler(call, chaos)
        : Problems.Write(call.Http, 403, "chaos-disabled", "This node does not allow chaos", "its operator may set Guardian:Chaos:Enabled=true");

    private static async Task StartAsync(ApiCall call, NodeChaos chaos)
    {
        if (await ApiBodies.CommandAsync(call.Http, ApiJson.Default.ChaosRunRequest, new ChaosRunRequest(null, null)) is not { } request) return;
        var (id, refusal) = chaos.Start(request.Scenarios ?? [], request.Seed ?? Random.Shared.Next(1, 1_000_000));
        await (id is not null ? ApiBodies.JsonAsync(call.Http, new ChaosStarted(id), ApiJson.Default.ChaosStarted, 202) : Problems.Invalid(call.Http, refusal!));
    }

    private static async Task ReportAsync(ApiCall call, NodeChaos chaos)
    {
        var id = call.Route("id");
        if (chaos.Run(id) is not { } run)
        {
            await Problems.NotFound(call.Http, $"no chaos run '{id}'");
            return;
        }

        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("id", id);
            json.WriteString("state", run.Report is null ? "running" : "ended");
            json.WriteString("phase", run.Phase);
            if (run.Report is { } report)
            {
                json.WritePropertyName("report");
                JsonReport.Write(json, report);
            }

            json.WriteEndObject();
        }

        await ApiBodies.TextAsync(call.Http, Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length), type: "application/json");
    }

    private static Task AbortAsync(ApiCall call, NodeChaos chaos) =>
        chaos.Abort(call.Route("id")) ? ApiBodies.Empty(call.Http) : Problems.NotFound(call.Http, $"no chaos run '{call.Route("id")}'");

    private static async Task InjectAsync(ApiCall call, NodeChaos chaos)
    {
        if (await ApiBodies.CommandAsync(call.Http, ApiJson.Default.ChaosFaultRequest, new ChaosFaultRequest(null, null, null, null, null, null)) is not { } request) return;
        if (request.Kind is not { Length: > 0 } kind || request.Id is not { Length: > 0 and <= 200 } id)
            await Problems.Invalid(call.Http, "'id' (1 to 200 characters) and 'kind' are needed");
        else if (!ApiBodies.TryFor(request.Ttl, TimeSpan.FromSeconds(1), LongestTtl, out var ttl) || ttl is null)
            await Problems.Invalid(call.Http, string.Create(CultureInfo.InvariantCulture, $"'ttl' is a length of time from 1s to {LongestTtl.TotalMinutes:0}m"));
        else if (chaos.Inject(new InNodeFault(id, kind, request.With ?? default, ttl.Value, request.Drill ?? id, request.Seed ?? 0)) is { } refusal)
            await Problems.Invalid(call.Http, refusal);
        else
            await ApiBodies.JsonAsync(call.Http, new ChaosStarted(id), ApiJson.Default.ChaosStarted, 202);
    }

    private static Task FaultAsync(ApiCall call, NodeChaos chaos) => chaos.Fault(call.Route("id")) is { } fault
        ? ApiBodies.JsonAsync(call.Http, new ChaosFaultState(fault.IsCompleted, fault.Exception?.GetBaseException().Message), ApiJson.Default.ChaosFaultState)
        : Problems.NotFound(call.Http, $"no fault '{call.Route("id")}'");

    private static Task WithdrawAsync(ApiCall call, NodeChaos chaos) =>
        chaos.Withdraw(call.Route("id")) ? ApiBodies.Empty(call.Http) : Problems.NotFound(call.Http, $"no fault '{call.Route("id")}'");
}
