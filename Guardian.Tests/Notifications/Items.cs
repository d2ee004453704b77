using Guardian.Actors.Hosting;
using Guardian.Actors.Notifications;

namespace Guardian.Tests.Notifications;

internal static class Items
{
    public static readonly DateTimeOffset At = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public static Deliver Item(string key, string channel = "security", string? itemKey = null) => new()
    {
        Channel = channel,
        Key = key,
        Kind = channel == "tasks" ? "task" : "notification",
        Title = "rogue was banned",
        Text = "12 violations on system.control",
        Severity = "high",
        IncidentId = "a-1",
        IncidentKey = "acl/principal/rogue",
        RunId = "a-1.1",
        ItemKey = itemKey,
        At = At,
    };

    public static OutboxDependencies Dependencies(string folder, Uri? webhook = null, string secret = "", Uri? tasks = null, string file = "tasks.jsonl", NotificationOptions? options = null)
    {
        var notifications = options ?? new NotificationOptions();
        if (webhook is not null) notifications.Channels["security"] = new ChannelOptions { Webhook = webhook.ToString(), SecretFromEnvironment = secret, MaxItems = 1000 };
        return new OutboxDependencies
        {
            Notifications = notifications,
            Tasks = new TaskOptions { File = file, Webhook = tasks?.ToString() ?? "" },
            NodeName = "n1",
            DataDirectory = folder,
            Time = TimeProvider.System,
            Http = HttpDelivery.Create(TimeProvider.System),
        };
    }
}
