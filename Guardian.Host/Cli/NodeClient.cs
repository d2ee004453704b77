using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Guardian.Host.Cli;

/// <summary>A running node over HTTP; what goes wrong is told in one line with the right exit code.</summary>
internal sealed class NodeClient : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(15);

    private readonly HttpClient _http;

    public NodeClient(Uri url, string? key)
    {
        Url = url;
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = !url.IsLoopback, ConnectTimeout = TimeSpan.FromSeconds(5) })
        {
            BaseAddress = new Uri(url.AbsoluteUri.TrimEnd('/') + "/"),
            Timeout = System.Threading.Timeout.InfiniteTimeSpan,
        };
        if (key is not null) _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    public Uri Url { get; }

    public Task<JsonElement> GetAsync(string path, CancellationToken cancellation) => SendAsync(HttpMethod.Get, path, null, cancellation);

    /// <summary>The answer's JSON; undefined where it has no body.</summary>
    public async Task<JsonElement> SendAsync(HttpMethod method, string path, JsonObject? body, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using var response = await ReachAsync(token => _http.SendAsync(request, token), cancellation);
        var text = await response.Content.ReadAsStringAsync(cancellation);
        if (!response.IsSuccessStatusCode) throw new CliException(ExitCodes.Negative, Describe(response.StatusCode, text));
        return text.Length == 0 ? default : JsonSerializer.Deserialize(text, CliJson.Default.JsonElement);
    }

    /// <summary>Status and problem type of a publish; never throws for a refusal.</summary>
    public async Task<(HttpStatusCode Status, string? Problem)> PublishAsync(string principal, string topic, string body, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "api/v1/bus/" + Uri.EscapeDataString(topic));
        request.Headers.Add(Http.Security.Gate.PrincipalHeader, principal);
        request.Content = new StringContent(body);
        using var response = await ReachAsync(token => _http.SendAsync(request, token), cancellation);
        if (response.IsSuccessStatusCode) return (response.StatusCode, null);
        var text = await response.Content.ReadAsStringAsync(cancellation);
        return (response.StatusCode, Field(text, "type")?.Split('/')[^1]);
    }

    /// <summary>The data lines of a stream of events.</summary>
    public async IAsyncEnumerable<(string Id, string Data)> StreamAsync(string path, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        using var response = await ReachAsync(token => _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token), cancellation);
        if (!response.IsSuccessStatusCode)
            throw new CliException(ExitCodes.Negative, Describe(response.StatusCode, await response.Content.ReadAsStringAsync(cancellation)));
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellation));
        var id = "";
        while (await LineAsync(reader, cancellation) is { } line)
        {
            if (line.StartsWith("id: ", StringComparison.Ordinal)) id = line[4..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal)) yield return (id, line[6..]);
        }
    }

    private async Task<string?> LineAsync(StreamReader reader, CancellationToken cancellation)
    {
        try
        {
            return await reader.ReadLineAsync(cancellation);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw new CliException(ExitCodes.Unreachable, $"the connection to {Url} broke: {e.Message}");
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage> ReachAsync(Func<CancellationToken, Task<HttpResponseMessage>> send, CancellationToken cancellation)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(Timeout);
        try
        {
            return await send(timeout.Token);
        }
        catch (HttpRequestException e)
        {
            throw new CliException(ExitCodes.Unreachable, $"cannot reach {Url}: {e.Message}; is a node running there? 'guardian run' starts one, --url names another");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new CliException(ExitCodes.Unreachable, $"{Url} did not answer within {Timeout.TotalSeconds} s");
        }
    }

    private static string Describe(HttpStatusCode status, string text) => Field(text, "title") is { } title
        ? $"{title}: {Field(text, "detail")} ({(int)status} {Field(text, "type")?.Split('/')[^1]})"
        : $"the node answered {(int)status} {status}";

    private static string? Field(string text, string name)
    {
        try
        {
            return text.StartsWith('{') && JsonSerializer.Deserialize(text, CliJson.Default.JsonElement).TryGetProperty(name, out var value) ? value.ToString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(JsonElement))]
[System.Text.Json.Serialization.JsonSerializable(typeof(JsonObject))]
internal sealed partial class CliJson : System.Text.Json.Serialization.JsonSerializerContext;
