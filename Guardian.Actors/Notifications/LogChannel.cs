using Akka.Event;

namespace Guardian.Actors.Notifications;

/// <summary>One structured line per item, at a level that follows its severity.</summary>
internal sealed class LogChannel(ILoggingAdapter log) : INotificationChannel
{
    public Task<ChannelResult> SendAsync(Sending sending, CancellationToken cancellation)
    {
        var item = sending.Item;
        var level = item.Severity switch
        {
            "critical" or "high" => LogLevel.ErrorLevel,
            "medium" => LogLevel.WarningLevel,
            _ => LogLevel.InfoLevel,
        };
        log.Log(level, null, "{Kind} on channel {Channel}: {Title}. {Text} (severity {Severity}, incident {IncidentKey} {IncidentId}, run {RunId}, key {Key})",
            new object[] { item.Kind, item.Channel, item.Title, item.Text, item.Severity, item.IncidentKey ?? "-", item.IncidentId ?? "-", item.RunId ?? "-", item.Key });
        return Task.FromResult(ChannelResult.Ok);
    }
}
