using Akka.Event;

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

    /// <summary>Why a silence keeps an item from its channel; null where none does.</summary>
    public Func<Deliver, string?> Muted { get; init; } = static _ => null;
}

/// <summary>Which channel a name stands for.</summary>
internal static class ChannelFactory
{
    /// <summary>The name of the log.</summary>
    public const string Log = "log";

    /// <summary>The name of the work items' channel.</summary>
    public const string Tasks = "tasks";

    /// <summary>The decisions of a channel's outbox.</summary>
    public static OutboxLogic Logic(string name, OutboxDependencies deps)
    {
        var options = deps.Notifications.Channels.TryGetValue(name, out var found) ? found : new ChannelOptions();
        return new OutboxLogic(deps.Notifications, options, keepsState: options.Alertmanager.Length > 0);
    }

    public static INotificationChannel Create(string name, OutboxDependencies deps, ILoggingAdapter log)
    {
        if (name == Tasks) return TasksChannel(deps, log);
        if (deps.Notifications.Channels.TryGetValue(name, out var options)) return Configured(name, options, deps) ?? new LogChannel(log);
        if (name != Log)
        {
            log.Warning("Channel {Channel} is not configured: its notifications go to the log. Set Guardian:Notifications:Channels:{Channel}:Webhook or :Alertmanager to send them elsewhere", name, name);
        }

        return new LogChannel(log);
    }

    private static INotificationChannel? Configured(string name, ChannelOptions options, OutboxDependencies deps)
    {
        var secret = new SecretSource("Guardian:Notifications:Channels:" + name, options.SecretFromEnvironment, options.SecretFromFile, deps.Environment);
        if (options.Alertmanager.Length > 0)
            return new AlertmanagerChannel(deps.Http, new Uri(options.Alertmanager), deps.NodeName, options.AlertFor, secret);
        if (options.Webhook.Length == 0) return null;
        var source = new Uri("/guardian/" + Uri.EscapeDataString(deps.NodeName), UriKind.Relative);
        return new WebhookChannel(deps.Http, new Uri(options.Webhook), source, options.CloudEvents, secret);
    }

    private static INotificationChannel TasksChannel(OutboxDependencies deps, ILoggingAdapter log)
    {
        var issues = deps.Tasks.Issues;
        if (deps.Tasks.File.Length == 0 && deps.Tasks.Webhook.Length == 0 && issues.Url.Length == 0)
        {
            log.Warning("None of Guardian:Tasks:File, :Webhook and :Issues:Url is set: work items go to the log");
            return new LogChannel(log);
        }

        return new TaskChannel(
            deps.Tasks.File.Length == 0 ? null : new TaskFile(Path.GetFullPath(deps.Tasks.File, Path.GetFullPath(deps.DataDirectory))),
            deps.Http,
            deps.Tasks.Webhook.Length == 0 ? null : new Uri(deps.Tasks.Webhook),
            issues.Url.Length == 0 ? null : new IssueTracker(deps.Http, new Uri(issues.Url), issues.Repository,
                new SecretSource("Guardian:Tasks:Issues", issues.SecretFromEnvironment, issues.SecretFromFile, deps.Environment)));
    }
}
