using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.RegularExpressions;
using Guardian.Host.Http.Security;

namespace Guardian.Host.Http;

/// <summary>The API's description, made from the very table that maps the routes, so that it cannot leave one out.</summary>
internal static partial class OpenApiRoutes
{
    public static void Map(ApiRoutes routes)
    {
        // Made at the first question: it costs nothing at start.
        var document = new Lazy<string>(() => Document(routes).ToJsonString());
        routes.MapOpen("GET", "/openapi/v1.json", Rights.Read, "This description", (http, _) => ApiBodies.TextAsync(http, document.Value, type: "application/json"));
    }

    private static JsonObject Document(ApiRoutes routes)
    {
        var paths = new JsonObject();
        foreach (var group in routes.All.GroupBy(x => PathOf(x.Pattern)))
        {
            var path = new JsonObject();
            foreach (var route in group) path[route.Method.ToLowerInvariant()] = Operation(route);
            paths[group.Key] = path;
        }

        return new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject { ["title"] = "Guardian", ["version"] = StatusRoutes.Version },
            ["servers"] = new JsonArray(new JsonObject { ["url"] = routes.Api.Prefix.Length == 0 ? "/" : routes.Api.Prefix }),
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["securitySchemes"] = new JsonObject { ["key"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer" } },
                ["schemas"] = new JsonObject { ["problem"] = ProblemSchema() },
            },
        };
    }

    private static JsonObject Operation(ApiRoute route)
    {
        var success = new JsonObject { ["description"] = route.Summary };
        if (route.Answer is not null) success["content"] = Content("application/json", route.Answer.GetJsonSchemaAsNode());
        var operation = new JsonObject
        {
            ["summary"] = route.Summary,
            ["responses"] = new JsonObject
            {
                [FormattableString.Invariant($"{route.Success}")] = success,
                ["default"] = new JsonObject
                {
                    ["description"] = "RFC 9457 problem details",
                    ["content"] = Content("application/problem+json", new JsonObject { ["$ref"] = "#/components/schemas/problem" }),
                },
            },
        };
        var parameters = Parameter().Matches(route.Pattern).Select(x => (JsonNode)new JsonObject
        {
            ["name"] = x.Groups[1].Value,
            ["in"] = "path",
            ["required"] = true,
            ["schema"] = new JsonObject { ["type"] = "string" },
        }).ToArray();
        if (parameters.Length > 0) operation["parameters"] = new JsonArray(parameters);
        if (route.Body is not null) operation["requestBody"] = new JsonObject { ["content"] = Content("application/json", route.Body.GetJsonSchemaAsNode()) };
        if (route.Needs != Rights.None) operation["security"] = new JsonArray(new JsonObject { ["key"] = new JsonArray() });
        return operation;
    }

    private static JsonObject Content(string type, JsonNode schema) => new() { [type] = new JsonObject { ["schema"] = schema } };

    private static JsonObject ProblemSchema()
    {
        var fields = new JsonObject();
        foreach (var name in (string[])["type", "title", "detail", "rule", "until"]) fields[name] = new JsonObject { ["type"] = "string" };
        fields["status"] = new JsonObject { ["type"] = "integer" };
        return new JsonObject { ["type"] = "object", ["properties"] = fields, ["required"] = new JsonArray("type", "title", "status", "detail") };
    }

    private static string PathOf(string pattern) => Parameter().Replace(pattern, "{$1}");

    [GeneratedRegex(@"\{\**([A-Za-z]+)\??\}")]
    private static partial Regex Parameter();
}
