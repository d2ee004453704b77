using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.Extensions.Http.Resilience;
using Polly;

namespace Guardian.Actors.Notifications;

/// <summary>A receiver's answer.</summary>
/// <param name="Result">What it means.</param>
/// <param name="Status">Status code; 0 where there was none.</param>
/// <param name="Body">The body, where it was asked for and is JSON.</param>
internal sealed record HttpAnswer(ChannelResult Result, int Status, JsonElement? Body = null);

/// <summary>
/// Sends a body under an idempotency key and reads the answer the way every channel does. A hiccup of the line is repeated here
/// at once, by Microsoft.Extensions.Http.Resilience; what lasts longer is the outbox's, which survives the process.
/// </summary>
internal sealed class HttpDelivery(Lazy<HttpClient> client, TimeProvider time) : IDisposable
{
    /// <summary>All tries of one attempt together; the outbox repeats.</summary>
    public static readonly TimeSpan AttemptTimeout = TimeSpan.FromSeconds(10);

    /// <summary>One try, connect and answer.</summary>
    private static readonly TimeSpan TryTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Longer answers than a receiver's list of a page of issues are not read.</summary>
    private const int MaxAnswerBytes = 4 * 1024 * 1024;

    private static readonly HttpRequestOptionsKey<bool> Once = new("guardian.once");

    /// <summary>A client to keep for the life of the process. Redirects are not followed: a notification goes where it was configured to go.</summary>
    public static HttpDelivery Create(TimeProvider time) => new(new Lazy<HttpClient>(static () => new HttpClient(Resilient())
    {
        Timeout = AttemptTimeout, MaxResponseContentBufferSize = MaxAnswerBytes,
    }), time);

    private static ResilienceHandler Resilient()
    {
        var (once, repeating) = (new ResiliencePipelineBuilder<HttpResponseMessage>().AddTimeout(TryTimeout).Build(), Pipeline());
        return new ResilienceHandler(request => request.Options.TryGetValue(Once, out var only) && only ? once : repeating)
        {
            InnerHandler = new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                ConnectTimeout = TryTimeout,
                PooledConnectionLifetime = TimeSpan.FromMinutes(5), // so that a changed DNS entry is followed
                MaxConnectionsPerServer = 4,
            },
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (client.IsValueCreated) client.Value.Dispose();
    }

    /// <summary>2xx is delivered, 4xx other than 408 and 429 refused, everything else to be tried again.</summary>
    public async Task<ChannelResult> PostAsync(Uri target, byte[] body, string contentType, string key, IEnumerable<(string Name, string Value)> headers, CancellationToken cancellation) =>
        (await SendAsync(HttpMethod.Post, target, body, contentType, key, headers, false, cancellation).ConfigureAwait(false)).Result;

    /// <summary>
    /// The same with any method and, where <paramref name="read"/>, the answer's JSON; <paramref name="once"/>: not repeated here,
    /// for receivers that do not know the key. Never throws for a receiver's fault.
    /// </summary>
    public async Task<HttpAnswer> SendAsync(
        HttpMethod method, Uri target, byte[]? body, string contentType, string key, IEnumerable<(string Name, string Value)> headers, bool read, CancellationToken cancellation, bool once = false)
    {
        using var request = new HttpRequestMessage(method, target);
        request.Options.Set(Once, once);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        }

        request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        try
        {
            var until = read ? HttpCompletionOption.ResponseContentRead : HttpCompletionOption.ResponseHeadersRead;
            using var answer = await client.Value.SendAsync(request, until, cancellation).ConfigureAwait(false);
            var json = read && answer.IsSuccessStatusCode ? await JsonOfAsync(answer, cancellation).ConfigureAwait(false) : null;
            return new HttpAnswer(Read(method, target, answer.StatusCode, answer.Headers.RetryAfter), (int)answer.StatusCode, json);
        }
        catch (HttpRequestException e)
        {
            return new HttpAnswer(new ChannelResult.Retry($"{method} {Shown(target)}: {e.Message}"), 0);
        }
        catch (Exception e) when (e is Polly.Timeout.TimeoutRejectedException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return new HttpAnswer(new ChannelResult.Retry(string.Create(CultureInfo.InvariantCulture, $"{method} {Shown(target)}: no answer within {AttemptTimeout.TotalSeconds:0} s")), 0);
        }
    }

    /// <summary>Two more tries within a second or so. A receiver that asks for patience is not asked again here.</summary>
    private static ResiliencePipeline<HttpResponseMessage> Pipeline()
    {
        var retry = new HttpRetryStrategyOptions
        {
            MaxRetryAttempts = 2,
            Delay = TimeSpan.FromMilliseconds(200),
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            ShouldRetryAfterHeader = false,
        };
        var transient = retry.ShouldHandle;
        retry.ShouldHandle = async x => x.Outcome.Result?.Headers.RetryAfter is null && await transient(x).ConfigureAwait(false);
        return new ResiliencePipelineBuilder<HttpResponseMessage>().AddRetry(retry).AddTimeout(TryTimeout).Build();
    }

    private static async Task<JsonElement?> JsonOfAsync(HttpResponseMessage answer, CancellationToken cancellation)
    {
        try
        {
            await using var stream = await answer.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
            using var document = await JsonDocument.ParseAsync(stream, default, cancellation).ConfigureAwait(false);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private ChannelResult Read(HttpMethod method, Uri target, HttpStatusCode status, RetryConditionHeaderValue? retryAfter)
    {
        var code = (int)status;
        if (code is >= 200 and < 300) return ChannelResult.Ok;
        var reason = string.Create(CultureInfo.InvariantCulture, $"{method} {Shown(target)} answered {code}");
        if (code is >= 400 and < 500 and not 408 and not 429) return new ChannelResult.Refused(reason);
        var after = retryAfter?.Delta ?? (retryAfter?.Date is { } date ? date - time.GetUtcNow() : null);
        return new ChannelResult.Retry(reason, after > TimeSpan.Zero ? after : null);
    }

    // A webhook's path or query often is its secret: logs and journal show the host alone.
    private static string Shown(Uri target) => target.GetLeftPart(UriPartial.Authority);
}
