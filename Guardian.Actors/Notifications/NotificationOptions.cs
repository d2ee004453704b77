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

    /// <summary>Beyond a channel's rate notifications are collected for so long, then told by one digest; the next digest follows a channel's <c>Per</c> later at the earliest.</summary>
    public Duration DigestAfter { get; set; } = TimeSpan.FromMinutes(1);
}

/// <summary>A channel. Neither <see cref="Webhook"/> nor <see cref="Alertmanager"/>: the log.</summary>
public sealed class ChannelOptions
{
    /// <summary>An HTTP endpoint that takes CloudEvents; empty: none.</summary>
    public string Webhook { get; set; } = "";

    /// <summary>How a webhook gets its CloudEvent: structured (everything in the signed body) or binary (attributes as headers).</summary>
    public CloudEventMode CloudEvents { get; set; } = CloudEventMode.Structured;

    /// <summary>Address of an Alertmanager, e.g. http://alertmanager:9093; empty: none.</summary>
    public string Alertmanager { get; set; } = "";

    /// <summary>An alert that nothing resolves ends after so long.</summary>
    public Duration AlertFor { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Name of an environment variable that holds the secret: a webhook's HMAC-SHA256 key, an Alertmanager's bearer token; empty: none.</summary>
    public string SecretFromEnvironment { get; set; } = "";

    /// <summary>Path of a file that holds the secret; empty: none.</summary>
    public string SecretFromFile { get; set; } = "";

    /// <summary>Whether a channel that was told of an incident also hears that it is over. An Alertmanager always does.</summary>
    public bool SendResolved { get; set; }

    /// <summary>Notifications within <see cref="Per"/>; further ones are collected into a digest. 1 to 1,000.</summary>
    public int MaxItems { get; set; } = 10;

    /// <summary>Sliding.</summary>
    public Duration Per { get; set; } = TimeSpan.FromMinutes(10);
}

/// <summary>Content modes of CloudEvents over HTTP.</summary>
public enum CloudEventMode
{
    /// <summary>Attributes and data in one JSON body.</summary>
    Structured,

    /// <summary>Attributes in <c>ce-</c> headers, data in the body.</summary>
    Binary,
}

/// <summary><c>Guardian:Tasks</c>.</summary>
public sealed class TaskOptions
{
    /// <summary>JSON Lines file, relative to the data directory; empty: none.</summary>
    public string File { get; set; } = "tasks.jsonl";

    /// <summary>An HTTP endpoint that takes tickets; empty: none.</summary>
    public string Webhook { get; set; } = "";

    /// <summary>A GitHub- or Gitea-compatible issue tracker.</summary>
    public IssueOptions Issues { get; set; } = new();
}

/// <summary><c>Guardian:Tasks:Issues</c>.</summary>
public sealed class IssueOptions
{
    /// <summary>Address of the API, e.g. https://api.github.com or https://git.example.org/api/v1; empty: none.</summary>
    public string Url { get; set; } = "";

    /// <summary><c>owner/name</c> of the repository.</summary>
    public string Repository { get; set; } = "";

    /// <summary>Name of an environment variable that holds the access token.</summary>
    public string SecretFromEnvironment { get; set; } = "";

    /// <summary>Path of a file that holds the access token.</summary>
    public string SecretFromFile { get; set; } = "";
}
