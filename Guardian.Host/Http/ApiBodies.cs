using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Guardian.Playbooks.Model;

namespace Guardian.Host.Http;

/// <summary>Reading bounded bodies and writing answers.</summary>
internal static class ApiBodies
{
    /// <summary>Commands are a few fields; whatever is longer is none.</summary>
    public const int MaxCommandBytes = 16 * 1024;

    /// <summary>
    /// The whole body, or null where it is longer than the bound; also without a Content-Length nothing beyond the bound
    /// (and what the transport had buffered) is taken in.
    /// </summary>
    public static async ValueTask<byte[]?> ReadAsync(HttpRequest request, int max)
    {
        if (request.ContentLength > max) return null;
        var reader = request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(request.HttpContext.RequestAborted);
            if (read.Buffer.Length > max)
            {
                reader.AdvanceTo(read.Buffer.End);
                return null;
            }

            if (read.IsCompleted)
            {
                var body = read.Buffer.IsEmpty ? [] : read.Buffer.ToArray();
                reader.AdvanceTo(read.Buffer.End);
                return body;
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    /// <summary>The command in the body, defaults where it is empty; null where it was refused and answered.</summary>
    public static async ValueTask<T?> CommandAsync<T>(HttpContext http, JsonTypeInfo<T> type, T whenEmpty)
        where T : class
    {
        if (await ReadAsync(http.Request, MaxCommandBytes) is not { } body)
        {
            await TooLarge(http, MaxCommandBytes);
            return null;
        }

        if (body.Length == 0) return whenEmpty;
        try
        {
            if (JsonSerializer.Deserialize(body, type) is { } command) return command;
            await Problems.Invalid(http, "the body is null; send a JSON object");
        }
        catch (JsonException e)
        {
            await Problems.Invalid(http, $"the body is not the expected JSON at {e.Path ?? "$"} (line {(e.LineNumber ?? 0) + 1}): /openapi/v1.json shows its form");
        }

        return null;
    }

    public static Task TooLarge(HttpContext http, int max) =>
        Problems.Write(http, 413, "too-large", "The body is too large", string.Create(CultureInfo.InvariantCulture, $"at most {max} bytes"));

    public static Task JsonAsync<T>(HttpContext http, T value, JsonTypeInfo<T> type, int status = 200)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(value, type);
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = bytes.Length;
        return http.Response.Body.WriteAsync(bytes, http.RequestAborted).AsTask();
    }

    public static Task TextAsync(HttpContext http, string text, int status = 200, string type = "text/plain; charset=utf-8")
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(text);
        http.Response.StatusCode = status;
        http.Response.ContentType = type;
        http.Response.ContentLength = bytes.Length;
        return http.Response.Body.WriteAsync(bytes, http.RequestAborted).AsTask();
    }

    public static Task Empty(HttpContext http, int status = 204)
    {
        http.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    /// <summary>Page size: 1 to 500, 50 by default. False where refused and answered in <paramref name="refusal"/>.</summary>
    public static bool TryLimit(in ApiCall call, out int limit, out Task refusal)
    {
        (limit, refusal) = (50, Task.CompletedTask);
        if (call.Query("limit") is not { } text) return true;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) && limit is >= 1 and <= 500) return true;
        refusal = Problems.Invalid(call.Http, "'limit' is a number from 1 to 500");
        return false;
    }

    /// <summary>Says where the next page is, when this one is full.</summary>
    public static void LinkNext(in ApiCall call, int count, int limit, string? lastId)
    {
        if (count < limit || lastId is null) return;
        var query = QueryString.Create(call.Http.Request.Query.Where(x => x.Key != "after")).Add("after", lastId);
        call.Http.Response.Headers.Link = $"<{call.Http.Request.PathBase}{call.Http.Request.Path}{query}>; rel=\"next\"";
    }

    /// <summary>An optional length of time.</summary>
    public static bool TryFor(string? text, TimeSpan min, TimeSpan max, out TimeSpan? length)
    {
        length = null;
        if (string.IsNullOrWhiteSpace(text)) return true;
        if (!Duration.TryParse(text, out var parsed) || parsed.Value < min || parsed.Value > max) return false;
        length = parsed.Value;
        return true;
    }
}
