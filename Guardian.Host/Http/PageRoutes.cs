using System.Net;
using Guardian.Host.Http.Security;

namespace Guardian.Host.Http;

/// <summary>One plain page: how it is, and where to look.</summary>
internal static class PageRoutes
{
    public static void Map(ApiRoutes routes) =>
        routes.MapOpen("GET", "/", Rights.Read, "Status and links, for people", (http, _) =>
        {
            http.Response.Headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
            http.Response.Headers.XContentTypeOptions = "nosniff";
            return ApiBodies.TextAsync(http, Page(routes.Api), type: "text/html; charset=utf-8");
        });

    private static string Page(ApiContext api)
    {
        var rows = api.Access.Current is { } guardian
            ? Rows(guardian.Parts)
            : [("state", "starting")];
        var links = string.Concat(((string[])["/api/v1/status", "/api/v1/incidents", "/api/v1/runs", "/api/v1/blacklist", "/api/v1/mitigations", "/api/v1/mode",
            "/api/v1/playbooks", "/api/v1/events", "/cluster/members", "/ready", "/metrics", "/openapi/v1.json"])
            .Select(x => $"<li><a href=\"{WebUtility.HtmlEncode(api.Prefix + x)}\">{x}</a></li>"));
        return $$"""
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Guardian</title>
            <style>body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}th{text-align:left;padding-right:2rem;font-weight:600}ul{columns:2;padding-left:1.2rem}</style></head>
            <body><h1>Guardian</h1><table>{{string.Concat(rows.Select(x => $"<tr><th>{x.Name}</th><td>{WebUtility.HtmlEncode(x.Value)}</td></tr>"))}}</table>
            <h2>Look</h2><ul>{{links}}</ul></body></html>
            """;
    }

    private static (string Name, string Value)[] Rows(Guardian.Actors.Hosting.GuardianParts parts)
    {
        var counters = parts.Counters();
        var notReady = parts.NotReady();
        var journal = parts.Journal();
        return
        [
            ("node", parts.NodeName),
            ("version", StatusRoutes.Version),
            ("state", notReady.Count == 0 ? journal.Healthy ? "ready" : "degraded: journal" : string.Join("; ", notReady)),
            ("mode", parts.Mode.Held is { } reason ? $"hold ({reason})" : StatusRoutes.Text(parts.Mode.Mode)),
            ("messages", FormattableString.Invariant($"{counters.Sent} sent, {counters.Accepted} accepted, {counters.Refused} refused")),
            ("bans", FormattableString.Invariant($"{parts.Bans.Count}")),
        ];
    }
}
