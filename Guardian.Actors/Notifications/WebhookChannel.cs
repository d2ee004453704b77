using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CloudNative.CloudEvents;
using CloudNative.CloudEvents.Http;
using CloudNative.CloudEvents.SystemTextJson;

namespace Guardian.Actors.Notifications;

/// <summary>
/// Posts each item as a CloudEvents 1.0 event, structured or binary. The event's id and the header <c>Idempotency-Key</c> are the
/// item's key; <c>X-Guardian-Signature: sha256=…</c> is the HMAC-SHA256 of the body where a secret is configured.
/// </summary>
/// <param name="http">The process's client.</param>
/// <param name="target">The endpoint.</param>
/// <param name="source">The event's source, <c>/guardian/&lt;node&gt;</c>.</param>
/// <param name="mode">Where the event's attributes go.</param>
/// <param name="secret">The key of the signature.</param>
internal sealed class WebhookChannel(HttpDelivery http, Uri target, Uri source, CloudEventMode mode, SecretSource secret) : INotificationChannel
{
    private readonly JsonEventFormatter _formatter = new();

    public async Task<ChannelResult> SendAsync(Sending sending, CancellationToken cancellation)
    {
        // Never sent unsigned where a signature was asked for.
        var (key, problem) = secret.Read();
        if (problem is not null) return new ChannelResult.Retry(problem);
        using var content = CloudEventOf(sending.Item).ToHttpContent(mode == CloudEventMode.Binary ? ContentMode.Binary : ContentMode.Structured, _formatter);
        var body = await content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false);
        var headers = content.Headers
            .Where(x => x.Key.StartsWith("ce-", StringComparison.OrdinalIgnoreCase))
            .Select(x => (x.Key, string.Join(',', x.Value)))
            .Concat(key is null ? [] : [("X-Guardian-Signature", Sign(body, key))]);
        return await http.PostAsync(target, body, content.Headers.ContentType!.ToString(), sending.Item.Key, headers, cancellation).ConfigureAwait(false);
    }

    internal static string Sign(byte[] body, string secret) =>
        "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), body));

    private CloudEvent CloudEventOf(Deliver item) => new(CloudEventsSpecVersion.V1_0)
    {
        Id = item.Key,
        Type = "guardian." + item.Kind,
        Source = source,
        Subject = item.IncidentKey,
        Time = item.At,
        DataContentType = "application/json",
        Data = JsonSerializer.SerializeToElement(NotificationData.From(item), OutboxJson.Default.NotificationData),
    };
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
    public string? IncidentType { get; init; }
    public string? Playbook { get; init; }
    public string? RunId { get; init; }
    public string? ItemKey { get; init; }

    /// <summary>Ids of the events that are no longer current.</summary>
    public IReadOnlyList<string>? Resolves { get; init; }

    public static NotificationData From(Deliver item) => new()
    {
        Channel = item.Channel,
        Kind = item.Kind,
        Title = item.Title,
        Text = item.Text,
        Severity = item.Severity,
        IncidentId = item.IncidentId,
        IncidentKey = item.IncidentKey,
        IncidentType = item.IncidentType,
        Playbook = item.Playbook,
        RunId = item.RunId,
        ItemKey = item.ItemKey,
        Resolves = item.Resolves is null ? null : [.. item.Resolves.Select(x => x.Key)],
    };
}
