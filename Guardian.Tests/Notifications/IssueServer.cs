using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Guardian.Tests.Notifications;

/// <summary>A Gitea-compatible issues API on a free port: creates, lists, comments, edits. Knows no idempotency keys, like the real one.</summary>
public sealed partial class IssueServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Lock _gate = new();

    private IssueServer(WebApplication app) => _app = app;

    public List<JsonObject> Issues { get; } = [];

    public List<(int Issue, JsonObject Comment)> Comments { get; } = [];

    /// <summary>Carries the request out and then answers with this, by method and path; 0: as usual.</summary>
    public Func<string, string, int> Fault { get; set; } = (_, _) => 0;

    public Uri Url => new(_app.Urls.Single() + "/api/v1");

    public static async Task<IssueServer> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var server = new IssueServer(builder.Build());
        server._app.Run(server.HandleAsync);
        await server._app.StartAsync();
        return server;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task HandleAsync(HttpContext http)
    {
        var request = http.Request;
        using var reader = new StreamReader(request.Body);
        var body = JsonNode.Parse(await reader.ReadToEndAsync() is { Length: > 0 } text ? text : "{}")!.AsObject();
        if (request.Headers.Authorization != "token t0ken")
        {
            http.Response.StatusCode = 401;
            return;
        }

        var match = Route().Match(request.Path.Value!);
        JsonNode? answer;
        int status;
        lock (_gate) (status, answer) = match.Success ? Answer(request, match.Groups[1].Value, match.Groups[2].Success, body) : (404, null);
        if (Fault(request.Method, request.Path.Value!) is var fault and > 0) (status, answer) = (fault, null);
        http.Response.StatusCode = status;
        if (answer is not null)
        {
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync(answer.ToJsonString());
        }
    }

    private (int Status, JsonNode? Answer) Answer(HttpRequest request, string number, bool comments, JsonObject body)
    {
        if (number.Length == 0)
        {
            if (request.Method == "GET")
            {
                var page = int.Parse(request.Query["page"]!);
                return (200, new JsonArray([.. Issues.Where(x => (string?)x["state"] == "open").Reverse().Skip((page - 1) * 50).Take(50).Select(x => x.DeepClone())]));
            }

            var issue = new JsonObject { ["number"] = Issues.Count + 1, ["title"] = body["title"]!.DeepClone(), ["body"] = body["body"]!.DeepClone(), ["state"] = "open" };
            Issues.Add(issue);
            return (201, issue.DeepClone());
        }

        if (Issues.Find(x => (int)x["number"]! == int.Parse(number)) is not { } found) return (404, null);
        switch (request.Method, comments)
        {
            case ("GET", true): return (200, new JsonArray([.. Comments.Where(x => x.Issue == (int)found["number"]!).Select(x => x.Comment.DeepClone())]));
            case ("POST", true):
                Comments.Add(((int)found["number"]!, new JsonObject { ["body"] = body["body"]!.DeepClone() }));
                return (201, body.DeepClone());
            case ("PATCH", false):
                foreach (var (name, value) in body) found[name] = value!.DeepClone();
                return (201, found.DeepClone());
            default: return (200, found.DeepClone());
        }
    }

    [GeneratedRegex("^/api/v1/repos/ops/guardian/issues(?:/([0-9]+)(/comments)?)?$")]
    private static partial Regex Route();
}
