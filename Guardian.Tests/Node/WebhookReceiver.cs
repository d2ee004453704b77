using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Guardian.Tests.Node;

/// <summary>A real HTTP endpoint that remembers every call with its idempotency key.</summary>
public sealed class WebhookReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;

    private WebhookReceiver(WebApplication app) => _app = app;

    public ConcurrentQueue<(string Path, string Key, JsonElement Body)> Calls { get; } = new();

    /// <summary>The last <c>Authorization</c> by key, where one came.</summary>
    public ConcurrentDictionary<string, string> Authorizations { get; } = new();

    /// <summary>Runs while a call is held, after it was remembered and before it is answered; with its key.</summary>
    public Func<string, Task>? Before { get; set; }

    /// <summary>Status to answer with; 200 by default.</summary>
    public int Answer { get; set; } = 200;

    public string Url { get; private set; } = "";

    public static async Task<WebhookReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var receiver = new WebhookReceiver(builder.Build());
        receiver._app.Map("/{**path}", receiver.TakeAsync);
        await receiver._app.StartAsync();
        receiver.Url = receiver._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return receiver;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        using var body = await JsonDocument.ParseAsync(context.Request.Body);
        Calls.Enqueue((context.Request.Path, context.Request.Headers["Idempotency-Key"].ToString(), body.RootElement.Clone()));
        if (context.Request.Headers.Authorization is { Count: > 0 } given) Authorizations[context.Request.Headers["Idempotency-Key"].ToString()] = given.ToString();
        if (Before is { } before) await before(context.Request.Headers["Idempotency-Key"].ToString());
        context.Response.StatusCode = Answer;
    }
}
