using Guardian.Playbooks.Model;

namespace Guardian.Actors.Notifications;

/// <summary><c>Guardian:Notifications</c>.</summary>
public sealed class NotificationOptions
{
    /// <summary>Channels by name. <c>log</c> always exists. A channel that a playbook names and nobody configured goes to the log, and says so.</summary>
    public IDictionary<string, ChannelOptions> Channels { get; set; } = new Dictionary<string, ChannelOptions>();

    /// <summary>Items waiting per channel; further ones are refused to the step that asks. 1 to 100,000.</summary>
    public int MaxPending { get; set; } = 10_000;

    /// <summary>An item that could not be delivered for so long is dead.</summary>
    public Duration DeadAfter { get; set; } = TimeSpan.FromDays(1);
}

/// <summary>A channel.</summary>
public sealed class ChannelOptions
{
    /// <summary>An HTTP endpoint that takes CloudEvents; empty: the log.</summary>
    public string Webhook { get; set; } = "";

    /// <summary>Name of an environment variable that holds the HMAC-SHA256 secret; empty: unsigned.</summary>
    public string SecretFromEnvironment { get; set; } = "";
}

/// <summary><c>Guardian:Tasks</c>.</summary>
public sealed class TaskOptions
{
    /// <summary>JSON Lines file, relative to the data directory; empty: none.</summary>
    public string File { get; set; } = "tasks.jsonl";

    /// <summary>An HTTP endpoint that takes tickets; empty: none.</summary>
    public string Webhook { get; set; } = "";
}
