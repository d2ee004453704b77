using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions.BuiltIn;

/// <summary>Input of <c>http.call</c>.</summary>
internal sealed record HttpCallInput
{
    [Description("http or https address; scheme, host and port are literal, ${…} may stand in path and query.")]
    [LiteralOrigin]
    public required string Url { get; init; }

    [Description("GET, POST (default), PUT, PATCH or DELETE.")]
    [AllowedValues("GET", "POST", "PUT", "PATCH", "DELETE")]
    public string Method { get; init; } = "POST";

    [Description("Headers by name; may hold secrets.")]
    [Secret]
    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    [Description("A text as it is, or a map or list as JSON.")]
    public JsonElement? Body { get; init; }

    [Description("Of the body; application/json for a map or list, text/plain for a text where it is missing.")]
    public string? ContentType { get; init; }

    [Description("Status codes that are success; every 2xx where it is missing.")]
    public IReadOnlyList<int>? Expect { get; init; }
}

/// <summary>Output of <c>http.call</c>.</summary>
internal sealed record HttpCallOutput(
    [property: Description("Status code; a redirect is not followed.")] int Status,
    [property: Description("The answer's text, at most 16 KiB of it.")] string Body,
    [property: Description("True where the answer was longer.")] bool Truncated,
    [property: Description("Milliseconds until the answer was read.")] double ElapsedMs);

/// <summary>
/// Calls an HTTP endpoint under <c>Idempotency-Key: &lt;run&gt;/&lt;step&gt;</c>, the same for every attempt: after a lost answer it is
/// called again, and the receiver can tell. Its inverse is what the playbook gives under <c>undo</c>.
/// </summary>
internal sealed class HttpCall(ActionDependencies dependencies) : GuardianAction<HttpCallInput, HttpCallOutput>
{
    /// <summary>The answer goes into the journal: what a playbook can use fits in here.</summary>
    private const int MaxAnswerBytes = 16 * 1024;

    /// <summary>These belong to the call itself.</summary>
    private static readonly string[] Reserved = ["Host", "Content-Length", "Content-Type", "Transfer-Encoding", "Connection", "Upgrade", "Idempotency-Key"];

    private static readonly HttpClient Client = HttpGuard.Client();

    public override string Name => "http.call";

    public override string Summary => "Calls an HTTP endpoint under an idempotency key; redirects are not followed, link-local and metadata addresses refused.";

    public override bool Anywhere => true;

    public override RiskClass Risk => RiskClass.Disrupt;

    public override bool Idempotent => true; // under its key: at least once, as for everything outside

    public override async Task<HttpCallOutput> ExecuteAsync(HttpCallInput input, ActionContext context, CancellationToken cancellation)
    {
        using var request = Request(input, context);
        var started = dependencies.Time.GetTimestamp();
        HttpResponseMessage? response = null;
        try
        {
            response = await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
            var (body, truncated) = await ReadAsync(response, cancellation).ConfigureAwait(false);
            var status = (int)response.StatusCode;
            if (!IsExpected(status, input.Expect)) throw Unexpected(request.RequestUri!, status, body);
            return new HttpCallOutput(status, body, truncated, dependencies.Time.GetElapsedTime(started).TotalMilliseconds);
        }
        catch (HttpRequestException e)
        {
            var reason = $"{Shown(request.RequestUri!)} did not answer: {(e.InnerException ?? e).Message}";
            if (e.InnerException is ActionFailedException refused) throw refused;
            throw e.HttpRequestError is HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError
                ? new ActionFailedException(reason, e) // it was never sent
                : new ActionUnknownException(reason, e);
        }
        catch (IOException e)
        {
            throw new ActionUnknownException($"{Shown(request.RequestUri!)} broke off its answer: {e.Message}", e);
        }
        finally
        {
            response?.Dispose();
        }
    }

    private HttpRequestMessage Request(HttpCallInput input, ActionContext context)
    {
        if (!Uri.TryCreate(input.Url, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || url.UserInfo.Length > 0)
            throw new ActionFailedException($"{Name}: url is not an http or https address without user and password");
        var request = new HttpRequestMessage(new HttpMethod(input.Method.ToUpperInvariant()), url);
        if (input.Body is { } body) request.Content = Content(body, input.ContentType);
        request.Headers.TryAddWithoutValidation("Idempotency-Key", context.Key);
        foreach (var (name, value) in input.Headers ?? new Dictionary<string, string>())
        {
            if (Reserved.Contains(name, StringComparer.OrdinalIgnoreCase)) throw new ActionFailedException($"{Name}: the header {name} is the call's own; remove it");
            if (value.AsSpan().ContainsAny('\r', '\n') || !request.Headers.TryAddWithoutValidation(name, value))
                throw new ActionFailedException($"{Name}: '{name}' is not a header that a request can have, or its value has line ends");
        }

        return request;
    }

    private static ByteArrayContent Content(JsonElement body, string? type)
    {
        var text = body.ValueKind == JsonValueKind.String;
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(text ? body.GetString()! : body.GetRawText()));
        type ??= text ? "text/plain; charset=utf-8" : "application/json";
        content.Headers.ContentType = MediaTypeHeaderValue.TryParse(type, out var parsed) ? parsed : throw new ActionFailedException($"http.call: '{type}' is not a content type");
        return content;
    }

    private static async Task<(string Text, bool Truncated)> ReadAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        var buffer = new byte[MaxAnswerBytes + 1];
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellation).ConfigureAwait(false);
        return (Encoding.UTF8.GetString(buffer, 0, Math.Min(length, MaxAnswerBytes)), length > MaxAnswerBytes);
    }

    private static bool IsExpected(int status, IReadOnlyList<int>? expect) => expect is { Count: > 0 } ? expect.Contains(status) : status is >= 200 and < 300;

    /// <summary>A refusal had no effect; a server that failed may have had one.</summary>
    private static Exception Unexpected(Uri url, int status, string body)
    {
        var reason = string.Create(CultureInfo.InvariantCulture, $"{Shown(url)} answered {status}: {(body.Length > 200 ? body[..200] + "…" : body)}");
        return status >= 500 ? new ActionUnknownException(reason) : new ActionFailedException(reason);
    }

    // A path or query may hold what is nobody's business.
    private static string Shown(Uri url) => url.GetLeftPart(UriPartial.Authority);
}
