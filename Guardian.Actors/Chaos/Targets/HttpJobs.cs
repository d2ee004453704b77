using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Guardian.Actors.Chaos.Targets;

/// <summary>The pools of a node over its HTTP API.</summary>
internal sealed class HttpJobs(HttpClient http) : IJobTarget
{
    public async Task<SeenJob> SubmitAsync(string kernel, string? command, string payload, CancellationToken cancellation)
    {
        var body = TargetJson.Object(x =>
        {
            if (command is not null) x.WriteString("command", command);
            x.WriteString("payload", payload);
        }).GetRawText();
        return Seen(Parse(await SendAsync(HttpMethod.Post, Path(kernel), body, cancellation).ConfigureAwait(false)));
    }

    public async Task<SeenJob> JobAsync(string kernel, string id, CancellationToken cancellation) =>
        Seen(Parse(await SendAsync(HttpMethod.Get, $"{Path(kernel)}/{Uri.EscapeDataString(id)}", null, cancellation).ConfigureAwait(false)));

    public async Task<IReadOnlyList<SeenJob>> FailedAsync(string kernel, CancellationToken cancellation) =>
        [.. TargetJson.Items(Parse(await SendAsync(HttpMethod.Get, Path(kernel) + "?state=failed&limit=100", null, cancellation).ConfigureAwait(false))).Select(Seen)];

    public Task<byte[]> PayloadAsync(string kernel, string id, CancellationToken cancellation) => SendAsync(HttpMethod.Get, $"{Path(kernel)}/{Uri.EscapeDataString(id)}/payload", null, cancellation);

    private async Task<byte[]> SendAsync(HttpMethod method, string path, string? body, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        try
        {
            using var response = await http.SendAsync(request, cancellation).ConfigureAwait(false);
            var answer = await response.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false);
            return response.IsSuccessStatusCode ? answer : throw new ChaosTargetException(string.Create(CultureInfo.InvariantCulture, $"{method} {path}: {(int)response.StatusCode} {Encoding.UTF8.GetString(answer)}"));
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            throw new ChaosTargetException($"{method} {path}: {e.Message}", e);
        }
    }

    private static string Path(string kernel) => $"/api/v1/kernels/{Uri.EscapeDataString(kernel)}/jobs";

    private static SeenJob Seen(JsonElement job) => new(TargetJson.Text(job, "id"), TargetJson.Text(job, "state"), (int)(TargetJson.Number(job, "attempt") ?? 0));

    private static JsonElement Parse(byte[] answer)
    {
        try
        {
            using var document = JsonDocument.Parse(answer);
            return document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw new ChaosTargetException($"the answer is no JSON: {e.Message}", e);
        }
    }
}
