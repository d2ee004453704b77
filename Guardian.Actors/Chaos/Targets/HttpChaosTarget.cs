using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Guardian.Actors.Bus;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Chaos.Targets;

/// <summary>A node over its HTTP API.</summary>
internal sealed class HttpChaosTarget : IChaosTarget
{
    private const string PrincipalHeader = "X-Guardian-Principal";

    /// <summary>New incidents and runs stand first; a drill makes a handful.</summary>
    private const int ListLimit = 100;

    /// <summary>An answer later than this counts as unknown: chaos has no use for it.</summary>
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan FaultPoll = TimeSpan.FromMilliseconds(50);

    private readonly HttpClient _http;
    private readonly HttpClient _streams;

    public HttpChaosTarget(Uri node, string? key = null, HttpMessageHandler? handler = null)
    {
        if (!node.IsLoopback) throw new ChaosTargetException($"{node} is not a loopback address; chaos loads only nodes on this machine");
        // The load and the flood never wait for one another's connections.
        handler ??= new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, MaxConnectionsPerServer = 256, UseCookies = false };
        _http = new HttpClient(handler, disposeHandler: true) { BaseAddress = node, Timeout = AnswerWithin };
        _streams = new HttpClient(handler, disposeHandler: false) { BaseAddress = node, Timeout = Timeout.InfiniteTimeSpan };
        if (key is null) return;
        foreach (var client in new[] { _http, _streams }) client.DefaultRequestHeaders.Authorization = new("Bearer", key);
    }

    public async Task<ChaosAnswer> PublishAsync(string principal, string topic, string body, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"/api/v1/bus/{Uri.EscapeDataString(topic)}", UriKind.Relative));
        request.Headers.TryAddWithoutValidation(PrincipalHeader, principal);
        request.Content = new StringContent(body, Encoding.UTF8, "text/plain");
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
            if (response.StatusCode == HttpStatusCode.Accepted) return ChaosAnswer.Of(PublishOutcome.Accepted);
            var problem = await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
            return Refusal(response.StatusCode, problem);
        }
        catch (HttpRequestException e)
        {
            return ChaosAnswer.Unknown(e.Message) with { NotSent = e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused } };
        }
        catch (OperationCanceledException)
        {
            return ChaosAnswer.Unknown(cancellation.IsCancellationRequested ? "stopped" : "time-out");
        }
        catch (IOException e)
        {
            return ChaosAnswer.Unknown(e.Message);
        }
    }

    /// <summary>The problem's type decides where a status has several meanings.</summary>
    internal static ChaosAnswer Refusal(HttpStatusCode status, string problem)
    {
        var type = ProblemType(problem);
        return (status, type) switch
        {
            (HttpStatusCode.Forbidden, "acl-denied") => ChaosAnswer.Of(PublishOutcome.AclDenied),
            (HttpStatusCode.Forbidden, "blacklisted") => ChaosAnswer.Of(PublishOutcome.Blacklisted),
            (HttpStatusCode.TooManyRequests, "queue-full") => ChaosAnswer.Of(PublishOutcome.QueueFull),
            (HttpStatusCode.TooManyRequests, _) => ChaosAnswer.Of(PublishOutcome.RateLimited),
            (HttpStatusCode.BadRequest, _) => ChaosAnswer.Of(PublishOutcome.InvalidTopic),
            (HttpStatusCode.RequestEntityTooLarge, _) => ChaosAnswer.Of(PublishOutcome.TooLarge),
            (HttpStatusCode.ServiceUnavailable, _) => ChaosAnswer.Of(PublishOutcome.Draining),
            (HttpStatusCode.Gone, _) => ChaosAnswer.Of(PublishOutcome.Revoked),
            _ => ChaosAnswer.Unknown(string.Create(CultureInfo.InvariantCulture, $"{(int)status} {type}")),
        };
    }

    public async Task<IChaosSubscription> SubscribeAsync(string principal, string pattern, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"/api/v1/bus/{Uri.EscapeDataString(pattern)}/stream", UriKind.Relative));
        request.Headers.TryAddWithoutValidation(PrincipalHeader, principal);
        request.Headers.Accept.ParseAdd("text/event-stream");
        try
        {
            var response = await _streams.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
            if (response.IsSuccessStatusCode) return new SseSubscription(response);
            using (response)
            {
                var problem = await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
                throw new ChaosTargetException(string.Create(CultureInfo.InvariantCulture,
                    $"{principal} may not read {pattern}: {(int)response.StatusCode} {ProblemType(problem)}; the policy must allow the drill's reader"));
            }
        }
        catch (HttpRequestException e)
        {
            throw new ChaosTargetException($"cannot subscribe to {pattern}: {e.Message}", e);
        }
    }

    public async Task<IReadOnlyList<TargetIncident>> IncidentsAsync(CancellationToken cancellation) =>
        [.. TargetJson.Items(await GetAsync(FormattableString.Invariant($"/api/v1/incidents?limit={ListLimit}"), cancellation).ConfigureAwait(false)).Select(TargetJson.Incident)];

    public async Task<IReadOnlyList<TargetRun>> RunsAsync(CancellationToken cancellation) =>
        [.. TargetJson.Items(await GetAsync(FormattableString.Invariant($"/api/v1/runs?limit={ListLimit}"), cancellation).ConfigureAwait(false)).Select(TargetJson.Run)];

    public async Task<IReadOnlyList<string>> BannedAsync(CancellationToken cancellation) =>
        [.. TargetJson.Items(await GetAsync("/api/v1/blacklist", cancellation).ConfigureAwait(false)).Select(x => TargetJson.Text(x, "principal"))];

    /// <summary>The node's status, whole.</summary>
    public Task<JsonElement> StatusAsync(CancellationToken cancellation) => GetAsync("/api/v1/status", cancellation);

    /// <summary>The status code of a GET; null where the node cannot be reached.</summary>
    public async Task<int?> CodeAsync(string path, CancellationToken cancellation)
    {
        try
        {
            using var response = await _http.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
            return (int)response.StatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return null;
        }
    }

    public async Task<JsonElement> ProbeAsync(string probe, JsonElement with, CancellationToken cancellation)
    {
        switch (probe)
        {
            case ChaosProbes.HttpGet:
                var path = TargetJson.Text(with, "url");
                var code = await CodeAsync(path, cancellation).ConfigureAwait(false) ?? throw new ChaosTargetException($"GET {path}: no answer");
                return TargetJson.Object(x => x.WriteNumber("status", code));
            case ChaosProbes.BlacklistContains:
                var who = TargetJson.Text(with, "principal");
                var banned = (await BannedAsync(cancellation).ConfigureAwait(false)).Contains(who);
                return TargetJson.Object(x => x.WriteBoolean("banned", banned));
            case ChaosProbes.MitigationsActive:
                var target = TargetJson.Text(with, "target");
                var all = TargetJson.Items(await GetAsync("/api/v1/mitigations", cancellation).ConfigureAwait(false));
                return TargetJson.Object(x => x.WriteNumber("count", all.Count(m => target.Length == 0 || TargetJson.Text(m, "target") == target)));
            case ChaosProbes.ClusterMembers:
                return TargetJson.Members(await GetAsync("/cluster/members", cancellation).ConfigureAwait(false));
            case ChaosProbes.JobsRoundtrip:
                return await JobMeasures.RoundtripAsync(new HttpJobs(_http), with, cancellation).ConfigureAwait(false);
            case ChaosProbes.JobsKept:
                return await JobMeasures.KeptAsync(new HttpJobs(_http), with, cancellation).ConfigureAwait(false);
            case ChaosProbes.KernelsStatus:
                return TargetJson.Kernel(await GetAsync($"/api/v1/kernels/{Uri.EscapeDataString(TargetJson.Text(with, "kernel"))}", cancellation).ConfigureAwait(false), TimeProvider.System.GetUtcNow());
            case ChaosProbes.NodeClock:
                var status = await StatusAsync(cancellation).ConfigureAwait(false);
                if (!status.TryGetProperty("now", out var now) || !now.TryGetDateTimeOffset(out var shown)) throw new ChaosTargetException("the node does not say what time it is");
                return TargetJson.Object(x => x.WriteNumber("skew", (shown - TimeProvider.System.GetUtcNow()).TotalSeconds));
            case ChaosProbes.BusHealth:
                return TargetJson.BusHealth(await StatusAsync(cancellation).ConfigureAwait(false));
            default:
                throw new ChaosTargetException($"probe {probe} cannot be measured over HTTP");
        }
    }

    public async Task InjectAsync(InNodeFault fault, CancellationToken withdraw)
    {
        var body = TargetJson.Object(x =>
        {
            x.WriteString("id", fault.Id);
            x.WriteString("kind", fault.Kind);
            x.WritePropertyName("with");
            fault.With.WriteTo(x);
            x.WriteString("ttl", new Duration(fault.Ttl).ToString());
            x.WriteString("drill", fault.Drill);
            x.WriteNumber("seed", fault.Seed);
        }).GetRawText();
        var at = $"/api/v1/chaos/faults/{Uri.EscapeDataString(fault.Id)}";
        await SendAsync(HttpMethod.Post, "/api/v1/chaos/faults", body).ConfigureAwait(false);
        var withdrawn = false;
        while (true)
        {
            if (withdraw.IsCancellationRequested && !withdrawn)
            {
                withdrawn = true;
                await SendAsync(HttpMethod.Delete, at, null).ConfigureAwait(false);
            }

            var state = await GetAsync(at, CancellationToken.None).ConfigureAwait(false);
            if (state.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.String) throw new ChaosTargetException($"{fault.Kind} broke inside the node: {error.GetString()}");
            if (state.TryGetProperty("over", out var over) && over.ValueKind == JsonValueKind.True) return;
            await Task.Delay(FaultPoll, withdrawn ? CancellationToken.None : withdraw).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public ValueTask DisposeAsync()
    {
        _streams.Dispose();
        _http.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task SendAsync(HttpMethod method, string path, string? body)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        try
        {
            using var response = await _http.SendAsync(request).ConfigureAwait(false);
            if (response.IsSuccessStatusCode) return;
            var text = await response.Content.ReadAsStringAsync().ConfigureAwait(false);
            throw new ChaosTargetException(string.Create(CultureInfo.InvariantCulture, $"{method} {path}: {(int)response.StatusCode} {ProblemType(text)} {text}"));
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            throw new ChaosTargetException($"{method} {path}: {e.Message}", e);
        }
    }

    private async Task<JsonElement> GetAsync(string path, CancellationToken cancellation)
    {
        try
        {
            using var response = await _http.GetAsync(new Uri(path, UriKind.Relative), cancellation).ConfigureAwait(false);
            var text = await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode)
                throw new ChaosTargetException(string.Create(CultureInfo.InvariantCulture, $"GET {path}: {(int)response.StatusCode} {ProblemType(text)}"));
            using var document = JsonDocument.Parse(text);
            return document.RootElement.Clone();
        }
        catch (Exception e) when (e is HttpRequestException or IOException or JsonException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            throw new ChaosTargetException($"GET {path}: {e.Message}", e);
        }
    }

    private static string ProblemType(string problem)
    {
        try
        {
            using var document = JsonDocument.Parse(problem);
            var type = TargetJson.Text(document.RootElement, "type");
            return type[(type.LastIndexOfAny(['/', ':']) + 1)..];
        }
        catch (JsonException)
        {
            return "";
        }
    }
}
