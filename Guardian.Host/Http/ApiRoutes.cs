using System.Text.Json.Serialization.Metadata;
using Akka.Actor;
using Guardian.Actors.Hosting;
using Guardian.Host.Http.Security;

namespace Guardian.Host.Http;

/// <summary>One request, admitted.</summary>
internal readonly record struct ApiCall(HttpContext Http, Caller Caller, GuardianSystem Guardian)
{
    public CancellationToken Cancellation => Http.RequestAborted;

    public string Route(string name) => Http.RouteText(name);

    public string? Query(string name) => Http.Request.Query.TryGetValue(name, out var value) && value.Count > 0 ? value[0] : null;
}

/// <summary>What the path names.</summary>
internal static class RouteTexts
{
    /// <summary>
    /// A part of the path, decoded; empty where there is none. The server has decoded everything but <c>%2F</c>, and must not be
    /// outdone: decoding the whole once more would break names with a percent sign.
    /// </summary>
    public static string RouteText(this HttpContext http, string name) =>
        http.Request.RouteValues[name] is string text ? text.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase) : "";
}

/// <summary>A mapped route as the API's description shows it.</summary>
internal sealed record ApiRoute(string Method, string Pattern, Rights Needs, string Summary, int Success, JsonTypeInfo? Answer, JsonTypeInfo? Body);

/// <summary>
/// Maps plain request delegates: no reflection at start, no binder on the way. Each route says which right it needs, and
/// the gate stands before it; a fault becomes a problem.
/// </summary>
internal sealed class ApiRoutes(IEndpointRouteBuilder endpoints, ApiContext api)
{
    private readonly List<ApiRoute> _routes = [];

    public ApiContext Api => api;

    public IReadOnlyList<ApiRoute> All => _routes;

    /// <summary>A route that needs a running Guardian; 503 until there is one.</summary>
    public void Map(string method, string pattern, Rights needs, string summary, Func<ApiCall, Task> handler, JsonTypeInfo? answer = null, JsonTypeInfo? body = null, int success = 200) =>
        MapOpen(method, pattern, needs, summary, (http, caller) => api.Access.Current is { } guardian
            ? handler(new ApiCall(http, caller, guardian))
            : Problems.Unavailable(http, "starting", "Guardian has not started", "wait until /ready answers 200"), answer, body, success);

    /// <summary>A route that works without a running Guardian.</summary>
    public void MapOpen(string method, string pattern, Rights needs, string summary, Func<HttpContext, Caller, Task> handler, JsonTypeInfo? answer = null, JsonTypeInfo? body = null, int success = 200)
    {
        _routes.Add(new ApiRoute(method, pattern, needs, summary, success, answer, body));
        endpoints.MapMethods(pattern, [method], (RequestDelegate)(http => RunAsync(http, pattern, needs, handler)));
    }

    /// <summary>A change of the cluster by the administrator; 405, whoever asks, while management is read-only.</summary>
    public void MapManagement(string method, string pattern, string summary, Func<HttpContext, Caller, Task> handler)
    {
        _routes.Add(new ApiRoute(method, pattern, Rights.Administer, summary, 200, ApiJson.Default.MessageAnswer, null));
        endpoints.MapMethods(pattern, [method], (RequestDelegate)(http =>
        {
            if (api.Access.Current is { Options.Management.ReadOnly: false }) return RunAsync(http, pattern, Rights.Administer, handler);
            http.Response.Headers.Allow = "GET";
            return Problems.Write(http, 405, "method-not-allowed", "Method not allowed", "cluster management is read-only; Guardian:Management:ReadOnly=false opens it to administrators");
        }));
    }

    private async Task RunAsync(HttpContext http, string pattern, Rights needs, Func<HttpContext, Caller, Task> handler)
    {
        try
        {
            if (await api.Gate.AdmitAsync(http, needs) is not { } caller) return;
            if (api.Access.Current is { } guardian && ApiReserve.IsPublic(http, pattern, needs, caller, guardian) && guardian.Parts.ApiLimits.Refuses(out var retryAfter))
            {
                await Problems.TooMany(http, "api-limited", "The API is limited for now", "a mitigation limits this node's API; /api/v1/mitigations says which and until when", retryAfter);
                return;
            }

            await handler(http, caller);
        }
        catch (Exception) when (http.RequestAborted.IsCancellationRequested)
        {
            // The client has gone; there is nobody to answer.
        }
        catch (Exception e) when (e is AskTimeoutException or TimeoutException && !http.Response.HasStarted)
        {
            await Problems.Unavailable(http, "unavailable", "No answer in time", "Guardian is busy or its journal is away; /api/v1/status says which");
        }
        catch (BadHttpRequestException e) when (!http.Response.HasStarted)
        {
            await Problems.Write(http, e.StatusCode, e.StatusCode == 413 ? "too-large" : "invalid-request", "The request is not valid", e.Message);
        }
        catch (Exception e) when (!http.Response.HasStarted)
        {
            ApiLog.Failed(api.Log, http.Request.Method, http.Request.Path.Value ?? "", e);
            await Problems.Write(http, 500, "internal", "Guardian failed", "the node's log has the details");
        }
    }
}

/// <summary>What a limit on the API leaves alone: the control plane has reserved capacity.</summary>
internal static class ApiReserve
{
    /// <summary>False for probes and metrics (no right needed), cluster management, operators, and what is allowed on control topics.</summary>
    public static bool IsPublic(HttpContext http, string pattern, Rights needs, Caller caller, GuardianSystem guardian) =>
        needs is Rights.Read or Rights.Bus
        && !caller.May(Rights.Operate)
        && !pattern.StartsWith("/cluster/", StringComparison.Ordinal) && !pattern.StartsWith("/bootstrap/", StringComparison.Ordinal)
        && !(http.RouteText("topic") is { Length: > 0 } topic && guardian.Parts.IsReserved(caller.Name, topic));
}

internal static partial class ApiLog
{
    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    public static partial void Failed(ILogger log, string method, string path, Exception exception);
}
