using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CloudNative.CloudEvents;
using CloudNative.CloudEvents.SystemTextJson;

namespace Guardian.Actors.Notifications;

/// <summary>
/// Posts each item as a CloudEvents 1.0 event in structured JSON. The event's id and the header <c>Idempotency-Key</c> are the
/// item's key; <c>X-Guardian-Signature: sha256=…</c> is the HMAC-SHA256 of the body where a secret is configured.
/// </summary>
/// <param name="http">The process's client.</param>
/// <param name="target">The endpoint.</param>
/// <param name="source">The event's source, <c>/guardian/&lt;node&gt;</c>.</param>
/// <param name="secretVariable">Environment variable that holds the secret; empty: unsigned.</param>
/// <param name="environment">Reads an environment variable.</param>
internal sealed class WebhookChannel(HttpDelivery http, Uri target, Uri source, string secretVariable, Func<string, string?> environment) : INotificationChannel
{
    private readonly JsonEventFormatter _formatter = new();

    public Task<ChannelResult> SendAsync(Deliver item, CancellationToken cancellation)
    {
        // Read for each attempt: a secret that is set later frees what waits. Never sent unsigned where a signature was asked for.
        var secret = secretVariable.Length == 0 ? null : environment(secretVariable);
        if (secretVariable.Length > 0 && string.IsNullOrEmpty(secret))
        {
            return Task.FromResult<ChannelResult>(new ChannelResult.Retry(
                $"environment variable {secretVariable} is not set (Guardian:Notifications:Channels:{item.Channel}:SecretFromEnvironment)"));
        }

        var (body, contentType) = Encode(item);
        var headers = secret is null ? [] : new[] { ("X-Guardian-Signature", Sign(body, secret)) };
        return http.PostAsync(target, body, contentType, item.Key, headers, cancellation);
    }

    internal static string Sign(byte[] body, string secret) =>
        "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), body));

    private (byte[] Body, string ContentType) Encode(Deliver item)
    {
        var cloudEvent = new CloudEvent(CloudEventsSpecVersion.V1_0)
        {
            Id = item.Key,
            Type = "guardian." + item.Kind,
            Source = source,
            Subject = item.IncidentKey,
            Time = item.At,
            DataContentType = "application/json",
            Data = JsonSerializer.SerializeToElement(NotificationData.From(item), OutboxJson.Default.NotificationData),
        };
        var body = _formatter.EncodeStructuredModeMessage(cloudEvent, out var contentType);
        return (body.ToArray(), contentType.ToString());
    }
}

/// <summary>The event's <c>data</c>.</summary>
internal sealed record NotificationData
{
    public required string Channel { get; init; }
    public required string Kind { get; init; }
    public required string Title { get; init; }
    public required string Text { get; init; }
    public required string Severity { get; init; }
    public string? IncidentId { get; init; }
    public string? IncidentKey { get; init; }
    public string? RunId { get; init; }
    public string? ItemKey { get; init; }

    public static NotificationData From(Deliver item) => new()
    {
        Channel = item.Channel,
        Kind = item.Kind,
        Title = item.Title,
        Text = item.Text,
        Severity = item.Severity,
        IncidentId = item.IncidentId,
        IncidentKey = item.IncidentKey,
        RunId = item.RunId,
        ItemKey = item.ItemKey,
    };
}
