using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace Guardian.Actors.Notifications;

/// <summary>Posts a body under an idempotency key and reads the answer the way every channel does.</summary>
internal sealed class HttpDelivery(HttpClient client, TimeProvider time) : IDisposable
{
    /// <summary>One attempt, connect and answer; the outbox repeats.</summary>
    public static readonly TimeSpan AttemptTimeout = TimeSpan.FromSeconds(10);

    /// <summary>A client to keep for the life of the process. Redirects are not followed: a notification goes where it was configured to go.</summary>
    public static HttpDelivery Create(TimeProvider time) => new(
        new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5), // so that a changed DNS entry is followed
            MaxConnectionsPerServer = 4,
        })
        { Timeout = AttemptTimeout }, time);

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    /// <summary>2xx is delivered, 4xx other than 408 and 429 refused, everything else to be tried again.</summary>
    public async Task<ChannelResult> PostAsync(Uri target, byte[] body, string contentType, string key, IEnumerable<(string Name, string Value)> headers, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, target) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        try
        {
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
            return Read(target, answer.StatusCode, answer.Headers.RetryAfter);
        }
        catch (HttpRequestException e)
        {
            return new ChannelResult.Retry($"POST {Shown(target)}: {e.Message}");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new ChannelResult.Retry(string.Create(CultureInfo.InvariantCulture, $"POST {Shown(target)}: no answer within {AttemptTimeout.TotalSeconds:0} s"));
        }
    }

    private ChannelResult Read(Uri target, HttpStatusCode status, RetryConditionHeaderValue? retryAfter)
    {
        var code = (int)status;
        if (code is >= 200 and < 300) return ChannelResult.Ok;
        var reason = string.Create(CultureInfo.InvariantCulture, $"POST {Shown(target)} answered {code}");
        if (code is >= 400 and < 500 and not 408 and not 429) return new ChannelResult.Refused(reason);
        var after = retryAfter?.Delta ?? (retryAfter?.Date is { } date ? date - time.GetUtcNow() : null);
        return new ChannelResult.Retry(reason, after > TimeSpan.Zero ? after : null);
    }

    // A webhook's path or query often is its secret: logs and journal show the host alone.
    private static string Shown(Uri target) => target.GetLeftPart(UriPartial.Authority);
}
