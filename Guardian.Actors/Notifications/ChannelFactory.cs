using Akka.Event;
using Guardian.Actors.Hosting;

namespace Guardian.Actors.Notifications;

/// <summary>What outboxes need; one per node.</summary>
internal sealed record OutboxDependencies
{
    public required NotificationOptions Notifications { get; init; }
    public required TaskOptions Tasks { get; init; }
    public required string NodeName { get; init; }
    public required string DataDirectory { get; init; }
    public required TimeProvider Time { get; init; }
    public required HttpDelivery Http { get; init; }

    /// <summary>Figures of the channels whose outbox lives on this node.</summary>
    public OutboxBoard Board { get; init; } = new();

    /// <summary>Reads an environment variable; secrets come from there.</summary>
    public Func<string, string?> Environment { get; init; } = System.Environment.GetEnvironmentVariable;
}

/// <summary>Which channel a name stands for.</summary>
internal static class ChannelFactory
{
    /// <summary>The name of the log.</summary>
    public const string Log = "log";

    /// <summary>The name of the work items' channel.</summary>
    public const string Tasks = "tasks";

    public static INotificationChannel Create(string name, OutboxDependencies deps, ILoggingAdapter log)
    {
        if (name == Tasks) return TasksChannel(deps, log);
        if (name == Log) return new LogChannel(log);
        if (!deps.Notifications.Channels.TryGetValue(name, out var options))
        {
            log.Warning("Channel {Channel} is not configured: its notifications go to the log. Set Guardian:Notifications:Channels:{Channel}:Webhook to send them elsewhere", name, name);
            return new LogChannel(log);
        }

        return options.Webhook.Length == 0
            ? new LogChannel(log)
            : new WebhookChannel(deps.Http, new Uri(options.Webhook), new Uri("/guardian/" + Uri.EscapeDataString(deps.NodeName), UriKind.Relative),
                options.SecretFromEnvironment, deps.Environment);
    }

    private static INotificationChannel TasksChannel(OutboxDependencies deps, ILoggingAdapter log)
    {
        if (deps.Tasks.File.Length == 0 && deps.Tasks.Webhook.Length == 0)
        {
            log.Warning("Neither Guardian:Tasks:File nor Guardian:Tasks:Webhook is set: work items go to the log");
            return new LogChannel(log);
        }

        return new TaskChannel(
            deps.Tasks.File.Length == 0 ? null : new TaskFile(Path.GetFullPath(deps.Tasks.File, Path.GetFullPath(deps.DataDirectory))),
            deps.Http,
            deps.Tasks.Webhook.Length == 0 ? null : new Uri(deps.Tasks.Webhook));
    }
}
