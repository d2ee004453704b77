using System.Globalization;
using System.Text.Json;
using Akka.Actor;
using Guardian.Actors.Guards;
using Guardian.Actors.Hosting;
using Guardian.Actors.Switches;
using Guardian.Host.Http.Security;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Planning;
using Guardian.Playbooks.Schema;
using Guardian.Playbooks.Validation;
using Guardian.Playbooks.Yaml;

namespace Guardian.Host.Http;

/// <summary>The playbooks in force, and operators' words on them.</summary>
internal static class PlaybookRoutes
{
    public static void Map(ApiRoutes routes)
    {
        routes.Map("GET", "/api/v1/playbooks", Rights.Read, "Playbooks in force", ListAsync, ApiJson.Default.Playbooks);
        routes.Map("GET", "/api/v1/playbooks/{name}", Rights.Read, "One playbook with its definition", OneAsync, ApiJson.Default.PlaybookDetail);
        routes.Map("GET", "/api/v1/playbooks/schema", Rights.Read, "The JSON schema of playbooks with what this node has registered",
            call => ApiBodies.TextAsync(call.Http, PlaybookSchema.Generate(call.Guardian.Parts.Vocabulary), type: "application/schema+json"));
        routes.Map("POST", "/api/v1/playbooks/explain", Rights.Read, "Which playbooks an event starts and which clause fails", ExplainAsync,
            PlanningJson.Default.Matches, ApiJson.Default.ExplainRequest);
        PlaybookRunRoutes.Map(routes);
        routes.Map("POST", "/api/v1/playbooks/{name}/enable", Rights.Operate, "Lets a playbook start runs again", call => SwitchAsync(call, true),
            body: ApiJson.Default.ReasonRequest, success: 204);
        routes.Map("POST", "/api/v1/playbooks/{name}/disable", Rights.Operate, "Keeps a playbook from starting runs, cluster-wide, until it is enabled",
            call => SwitchAsync(call, false), body: ApiJson.Default.ReasonRequest, success: 204);
        routes.Map("POST", "/api/v1/playbooks/{name}/reset-breaker", Rights.Operate, "Closes a playbook's circuit breaker again", ResetAsync,
            body: ApiJson.Default.ReasonRequest, success: 204);
    }

    /// <summary>A list is worth having without a breaker's state.</summary>
    private static readonly TimeSpan BreakerTimeout = TimeSpan.FromSeconds(1);

    /// <summary>The playbook of the route; null where it was not found and that was answered.</summary>
    public static async ValueTask<Playbook?> FindAsync(ApiCall call)
    {
        var name = call.Route("name");
        if (call.Guardian.Parts.Playbooks().FirstOrDefault(x => x.Name == name) is { } playbook) return playbook;
        await Problems.NotFound(call.Http, $"no playbook '{name}' is in force; GET /api/v1/playbooks lists them");
        return null;
    }

    /// <summary>The incident that a caller describes; its error answered where it does not fit.</summary>
    public static async ValueTask<(IncidentType Type, JsonElement Incident)?> DescribedAsync(ApiCall call, JsonElement given, (IncidentType? Type, string? Error) type)
    {
        var errors = type.Type is null ? [type.Error!] : DescribedIncident.Check(type.Type, given);
        if (errors.Count == 0) return (type.Type!, DescribedIncident.Complete(type.Type!, given, call.Guardian.NodeName, call.Guardian.Parts.Time.GetUtcNow()));
        await Problems.Invalid(call.Http, string.Join("; ", errors));
        return null;
    }

    private static async Task ListAsync(ApiCall call)
    {
        var playbooks = call.Guardian.Parts.Playbooks();
        var breakers = await Task.WhenAll(playbooks.Select(x => BreakerAsync(call, x)));
        await ApiBodies.JsonAsync(call.Http, [.. playbooks.Select((x, i) => Summary(call.Guardian.Parts, x, breakers[i]))], ApiJson.Default.Playbooks);
    }

    private static async Task OneAsync(ApiCall call)
    {
        if (await FindAsync(call) is not { } playbook) return;
        var parts = call.Guardian.Parts;
        await ApiBodies.JsonAsync(call.Http, new PlaybookDetail
        {
            Playbook = Summary(parts, playbook, await BreakerAsync(call, playbook)),
            Steps = [.. playbook.Steps.Concat(playbook.Finally).Select(x => new PlaybookStepView(x.Id, x.Action, x.If?.Source,
                parts.Vocabulary.Actions.TryGetValue(x.Action, out var action) ? YamlValues.Snake(action.Risk) : "unknown"))],
            Verify = [.. playbook.Verify.Select(x => $"{x.Probe}: {x.Check.Source}")],
            Tests = [.. playbook.Tests.Select(x => x.Name)],
            Definition = playbook.Definition,
        }, ApiJson.Default.PlaybookDetail);
    }

    private static PlaybookSummary Summary(GuardianParts parts, Playbook playbook, BreakerView? breaker) => new()
    {
        Name = playbook.Name,
        Version = playbook.Version,
        Hash = playbook.Hash,
        Mode = StatusRoutes.Text(playbook.Mode),
        Owner = playbook.Owner,
        Description = playbook.Description,
        Triggers = [.. playbook.Triggers.Select(x => new TriggerView(x.Event, x.When?.Source))],
        Enabled = parts.Switches.IsEnabled(playbook.Name),
        Switched = parts.Switches.Of(playbook.Name) is { } word ? new SwitchedView(word.By, word.Reason, word.At) : null,
        Breaker = breaker,
        Errors = [.. parts.PlaybookErrors().Where(x => x.File == playbook.File).Select(x => x.ToString())],
    };

    /// <summary>What its guard says; null where the playbook declares no breaker, unknown where nobody answers.</summary>
    private static async Task<BreakerView?> BreakerAsync(ApiCall call, Playbook playbook)
    {
        if (playbook.Guards.CircuitBreaker is not { } declared) return null;
        var bound = string.Create(CultureInfo.InvariantCulture, $"{declared.Failures} escalated runs within {new Duration(declared.Within)}");
        try
        {
            var status = await call.Guardian.Parts.Guards.Ask<GuardStatus>(new GetGuard { Guard = GuardNames.Playbook(playbook.Name) }, BreakerTimeout, call.Cancellation);
            return new BreakerView(status.BreakerOpen is null ? "closed" : "open", bound, status.BreakerOpen, status.BreakerOpenSince);
        }
        catch (Exception e) when (e is AskTimeoutException or TaskCanceledException && !call.Cancellation.IsCancellationRequested)
        {
            return new BreakerView("unknown", bound, "its guard does not answer", null);
        }
    }

    private static async Task ResetAsync(ApiCall call)
    {
        if (await ApiBodies.CommandAsync(call.Http, ApiJson.Default.ReasonRequest, new ReasonRequest(null)) is not { } request) return;
        if (await FindAsync(call) is not { } playbook) return;
        if (playbook.Guards.CircuitBreaker is null)
        {
            await Problems.Write(call.Http, 409, "conflict", "Not possible now", $"{playbook.Name} declares no circuit breaker");
            return;
        }

        var answer = await call.Guardian.Parts.Guards.Ask<BreakerAnswer>(
            new ResetBreaker { Playbook = playbook.Name, By = call.Caller.Name, Reason = request.Reason ?? "" }, ApiContext.AskTimeout, call.Cancellation);
        await (answer.Done
            ? ApiBodies.Empty(call.Http)
            : Problems.Write(call.Http, 409, "conflict", "Not possible now", answer.Reason ?? "the circuit breaker is closed"));
    }

    private static async Task ExplainAsync(ApiCall call)
    {
        if (await ApiBodies.CommandAsync(call.Http, ApiJson.Default.ExplainRequest, new ExplainRequest(default)) is not { } request) return;
        var parts = call.Guardian.Parts;
        if (await DescribedAsync(call, request.Event, DescribedIncident.TypeFor(parts.Vocabulary, request.Event)) is not var (type, incident)) return;
        await ApiBodies.JsonAsync(call.Http, PlaybookMatcher.Explain(parts.Playbooks(), type.Name, incident, parts.Switches.IsEnabled), PlanningJson.Default.Matches);
    }

    private static async Task SwitchAsync(ApiCall call, bool enabled)
    {
        if (await ApiBodies.CommandAsync(call.Http, ApiJson.Default.ReasonRequest, new ReasonRequest(null)) is not { } request) return;
        if (await FindAsync(call) is not { } playbook) return;
        var answer = await call.Guardian.Parts.SwitchActor.Ask<SwitchAnswer>(new SetSwitch
        {
            Playbook = playbook.Name, Enabled = enabled, By = call.Caller.Name, Reason = string.IsNullOrWhiteSpace(request.Reason) ? "no reason was given" : request.Reason,
        }, ApiContext.AskTimeout, call.Cancellation);
        await (answer.Unkept is { } reason
            ? Problems.Unavailable(call.Http, "not-kept", "In force, but not kept", $"it would be lost if every node restarted: {reason}")
            : ApiBodies.Empty(call.Http));
    }
}
