using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Guardian.Tests.Notifications;

/// <summary>A real HTTP receiver on a free port that keeps what it got and answers as told.</summary>
public sealed class Receiver : IAsyncDisposable
{
    private readonly WebApplication _app;

    private Receiver(WebApplication app) => _app = app;

    public sealed record Request(string Key, string ContentType, string? Signature, byte[] Body)
    {
        public Dictionary<string, string> Headers { get; init; } = [];

        public string Text => System.Text.Encoding.UTF8.GetString(Body);
    }

    public ConcurrentQueue<Request> Requests { get; } = new();

    public Uri Url => new(_app.Urls.Single() + "/hook");

    /// <summary>Status of the next answers, by key.</summary>
    public Func<Request, int> Answer { get; set; } = _ => 204;

    /// <summary>Header of the next answers.</summary>
    public string? RetryAfter { get; set; }

    public static async Task<Receiver> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddRoutingCore();
        var receiver = new Receiver(builder.Build());
        receiver._app.Run(receiver.HandleAsync);
        await receiver._app.StartAsync();
        return receiver;
    }

    public string[] Keys => [.. Requests.Select(x => x.Key)];

    private async Task HandleAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var request = new Request(
            context.Request.Headers["Idempotency-Key"].ToString(),
            context.Request.ContentType ?? "",
            context.Request.Headers.TryGetValue("X-Guardian-Signature", out var signature) ? signature.ToString() : null,
            body.ToArray())
        { Headers = context.Request.Headers.ToDictionary(x => x.Key, x => x.Value.ToString(), StringComparer.OrdinalIgnoreCase) };
        Requests.Enqueue(request);
        if (RetryAfter is not null) context.Response.Headers.RetryAfter = RetryAfter;
        context.Response.StatusCode = Answer(request);
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
