using System.Text.Json;

namespace Guardian.Actors.Notifications;

/// <summary>An alert as Alertmanager's API v2 takes it.</summary>
/// <param name="Labels">Its identity: the same labels are the same alert.</param>
/// <param name="Annotations">What people read.</param>
/// <param name="StartsAt">Since when.</param>
/// <param name="EndsAt">It fires until then; resolved once that is past.</param>
internal sealed record Alert(
    IReadOnlyDictionary<string, string> Labels, IReadOnlyDictionary<string, string> Annotations, DateTimeOffset StartsAt, DateTimeOffset EndsAt);

/// <summary>
/// Posts items as alerts to <c>/api/v2/alerts</c>. An alert's identity is made of incident key, playbook and severity, so that
/// what resolves it names the same alert, whichever node sends it.
/// </summary>
/// <param name="http">The process's client.</param>
/// <param name="address">The Alertmanager.</param>
/// <param name="node">This node, as an annotation.</param>
/// <param name="alertFor">An alert that nothing resolves ends after so long.</param>
/// <param name="secret">A bearer token.</param>
internal sealed class AlertmanagerChannel(HttpDelivery http, Uri address, string node, TimeSpan alertFor, SecretSource secret) : INotificationChannel
{
    /// <summary>Nothing resolves a digest: it is news, not a state.</summary>
    private static readonly TimeSpan DigestFor = TimeSpan.FromHours(1);

    private readonly Uri _target = new(address.AbsoluteUri.TrimEnd('/') + "/api/v2/alerts");

    public async Task<ChannelResult> SendAsync(Sending sending, CancellationToken cancellation)
    {
        var (token, problem) = secret.Read();
        if (problem is not null) return new ChannelResult.Retry(problem);
        var body = JsonSerializer.SerializeToUtf8Bytes(Alerts(sending.Item), OutboxJson.Default.Alerts);
        (string, string)[] headers = token is null ? [] : [("Authorization", "Bearer " + token)];
        return await http.PostAsync(_target, body, "application/json", sending.Item.Key, headers, cancellation).ConfigureAwait(false);
    }

    internal IReadOnlyList<Alert> Alerts(Deliver item) => item.Kind == ItemKind.Resolved
        ? [.. (item.Resolves ?? []).DistinctBy(x => (x.Playbook, x.Severity, x.IncidentType)).Select(x => Of(item, x.Playbook, x.Severity, x.IncidentType, x.At ?? item.At, item.At))]
        : [Of(item, item.Playbook, item.Severity, item.IncidentType, item.At, item.At + (item.Kind == ItemKind.Digest ? DigestFor : alertFor))];

    private Alert Of(Deliver item, string? playbook, string severity, string? type, DateTimeOffset starts, DateTimeOffset ends)
    {
        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["alertname"] = item.Kind == ItemKind.Digest ? "guardian.digest" : type ?? "guardian.notification",
            ["source"] = "guardian",
            ["channel"] = item.Channel,
            ["severity"] = severity,
        };
        if (item.IncidentKey is { Length: > 0 } key) labels["incident"] = key;
        if (playbook is { Length: > 0 }) labels["playbook"] = playbook;
        var annotations = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["summary"] = item.Title, ["description"] = item.Text, ["key"] = item.Key, ["node"] = node,
        };
        if (item.IncidentId is { Length: > 0 } id) annotations["incident_id"] = id;
        if (item.RunId is { Length: > 0 } run) annotations["run"] = run;
        return new Alert(labels, annotations, starts, ends);
    }
}
