using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Guardian.Host.Http;

/// <summary>
/// Refusals as RFC 9457 problem details. The type is a stable URI that scripts may compare; title and detail are for people.
/// Written without exceptions and without reflection: a flood of refusals takes this path.
/// </summary>
internal static class Problems
{
    public const string Base = "https://guardian.dev/problems/";

    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Task AclDenied(HttpContext context, string topic, string? rule) =>
        Write(context, 403, "acl-denied", "Denied by the access policy", $"the policy denies this on '{topic}'; the rule is named in 'rule'", "rule", rule);

    public static Task Blacklisted(HttpContext context, string principal, DateTimeOffset? until) =>
        Write(context, 403, "blacklisted", "The principal is banned", $"'{principal}' is banned; an operator may lift it with DELETE /api/v1/blacklist/{{principal}}",
            "until", until?.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));

    public static Task TooMany(HttpContext context, string type, string title, string detail, TimeSpan? retryAfter)
    {
        context.Response.Headers.RetryAfter = Seconds(retryAfter);
        return Write(context, 429, type, title, detail);
    }

    public static Task Unavailable(HttpContext context, string type, string title, string detail)
    {
        context.Response.Headers.RetryAfter = "1";
        return Write(context, 503, type, title, detail);
    }

    public static Task Invalid(HttpContext context, string detail) => Write(context, 400, "invalid-request", "The request is not valid", detail);

    public static Task NotFound(HttpContext context, string detail) => Write(context, 404, "not-found", "Not found", detail);

    public static Task Write(HttpContext context, int status, string type, string title, string detail, string? extension = null, string? value = null)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = "application/problem+json";
        if (HttpMethods.IsHead(context.Request.Method)) return Task.CompletedTask;
        var buffer = new ArrayBufferWriter<byte>(384);
        using (var json = new Utf8JsonWriter(buffer, Readable))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, Base + type);
            json.WriteString("title"u8, title);
            json.WriteNumber("status"u8, status);
            json.WriteString("detail"u8, detail);
            if (extension is not null && value is not null) json.WriteString(extension, value);
            json.WriteEndObject();
        }

        response.ContentLength = buffer.WrittenCount;
        return response.Body.WriteAsync(buffer.WrittenMemory, context.RequestAborted).AsTask();
    }

    private static string Seconds(TimeSpan? wait) =>
        Math.Max(1, (long)Math.Ceiling(wait?.TotalSeconds ?? 1)).ToString(CultureInfo.InvariantCulture);
}
