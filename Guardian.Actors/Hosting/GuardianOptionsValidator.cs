using System.Globalization;
using System.Text.RegularExpressions;
using Guardian.Actors.Access;
using Guardian.Actors.Blacklisting;
using Guardian.Actors.Bus;
using Guardian.Actors.Monitoring;
using Guardian.Actors.Notifications;
using Guardian.Actors.Persistence;
using Guardian.Playbooks.Model;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Guardian.Actors.Hosting;

/// <summary>Checks every option; each error is one line that names its key and what would be right.</summary>
public static partial class GuardianOptionsValidator
{
    /// <summary>All errors; empty where the options are usable.</summary>
    public static IReadOnlyList<string> Validate(GuardianOptions options)
    {
        var errors = new List<string>();
        Node(options, errors);
        Cluster(options, errors);
        Persistence(options, errors);
        Retention(options.Retention, errors);
        Http(options.Http, errors);
        Monitors(options.Monitors.Acl, errors);
        ResourceOptionsValidator.Validate(options, errors);
        Bus(options.Bus, errors);
        Blacklist(options.Blacklist, errors);
        Outside(options, errors);
        Between("Guardian:Monitors:Heartbeats:Interval", options.Monitors.Heartbeats.Interval, TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(1), errors);
        Between("Guardian:Monitors:Heartbeats:Tolerance", options.Monitors.Heartbeats.Tolerance, TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(10), errors);
        Between("Guardian:Kernels:ShutdownWithin", options.Kernels.ShutdownWithin, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(25), errors);
        Between("Guardian:Leasekeeper:Longest", options.Leasekeeper.Longest, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1), errors);
        return errors;
    }

    private static void Node(GuardianOptions o, List<string> errors)
    {
        if (o.Node.Name.Length > 0 && !NodeName().IsMatch(o.Node.Name))
            errors.Add($"Guardian:Node:Name: '{o.Node.Name}' is not a node name; use 1 to 64 letters, digits, '.', '-' or '_'");
        Required("Guardian:Node:DataDirectory", o.Node.DataDirectory, errors);
        Required("Guardian:Files:Policy", o.Files.Policy, errors);
        Required("Guardian:Files:Playbooks", o.Files.Playbooks, errors);
        Defined("Guardian:Mode", o.Mode, errors);
        Defined("Guardian:Autonomy:Contain", o.Autonomy.Contain, errors);
        Defined("Guardian:Autonomy:Disrupt", o.Autonomy.Disrupt, errors);
        Defined("Guardian:Autonomy:Destroy", o.Autonomy.Destroy, errors);
    }

    private static void Persistence(GuardianOptions o, List<string> errors)
    {
        switch (o.Persistence.Provider)
        {
            case "sqlite":
                if (o.Cluster.HasPeers)
                    errors.Add($"Guardian:Persistence:Provider: sqlite cannot be shared by nodes, but Guardian:Cluster:{(o.Cluster.SeedNodes.Count > 0 ? "SeedNodes" : "Discovery:Name")} is set; use postgres with a ConnectionString");
                if (o.Persistence.ConnectionString.Length > 0) Parses(() => SqliteFile(o.Persistence.ConnectionString), "Data Source=/var/lib/guardian/journal.db", errors);
                break;
            case "postgres":
                if (string.IsNullOrWhiteSpace(o.Persistence.ConnectionString))
                    errors.Add("Guardian:Persistence:ConnectionString: required with Provider postgres, e.g. Host=db;Database=guardian;Username=guardian");
                else
                    Parses(() => NpgsqlDataSource.Create(o.Persistence.ConnectionString).Dispose(), "Host=db;Database=guardian;Username=guardian", errors);
                break;
            default:
                errors.Add($"Guardian:Persistence:Provider: '{o.Persistence.Provider}' is unknown; use sqlite or postgres");
                break;
        }
    }

    // Not the value itself: it may hold a password.
    private static void Parses(Action parse, string example, List<string> errors)
    {
        try
        {
            parse();
        }
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidOperationException or NotSupportedException)
        {
            errors.Add($"Guardian:Persistence:ConnectionString: not usable: {e.Message.Split('\n', 2)[0].Trim()}; write e.g. {example}");
        }
    }

    private static void SqliteFile(string connectionString)
    {
        if (new SqliteConnectionStringBuilder(connectionString).DataSource.Length == 0) throw new ArgumentException("it names no file");
    }

    private static void Retention(RetentionOptions o, List<string> errors)
    {
        Between("Guardian:Retention:Closed", o.Closed, RetentionPlan.Youngest, TimeSpan.FromDays(3650), errors);
        Between("Guardian:Retention:Interval", o.Interval, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1), errors);
        if (!ByteSize.TryParse(o.MaxBytes, out var size) || size.Bytes < 1 << 20)
            errors.Add($"Guardian:Retention:MaxBytes: '{o.MaxBytes}' is not a size of at least 1MiB; write e.g. 512MiB or 1GiB");
    }

    private static void Key(string at, ApiKeyOptions key, List<string> errors)
    {
        if (!TopicNames.IsPrincipal(key.Principal))
            errors.Add($"{at}:Principal: '{key.Principal}' is not a principal; use 1 to {TopicNames.MaxPrincipal} characters, no control characters and no blank at either end");
        if (!Sha256().IsMatch(key.KeySha256)) errors.Add($"{at}:KeySha256: not a SHA-256 in 64 hex digits; 'guardian keys new' prints one");
        if (key.Roles.Count == 0) errors.Add($"{at}:Roles: empty; use viewer, publisher, operator or admin");
        foreach (var role in key.Roles.Where(x => x is not ("viewer" or "publisher" or "operator" or "admin")))
            errors.Add($"{at}:Roles: '{role}' is unknown; use viewer, publisher, operator or admin");
    }

    private static void Monitors(AclMonitorOptions o, List<string> errors)
    {
        const string At = "Guardian:Monitors:Acl:";
        Range(At + nameof(o.SpamViolations), o.SpamViolations, 2, 20, errors);
        Positive(At + nameof(o.SpamWindow), o.SpamWindow, errors);
        Range(At + nameof(o.BlacklistViolations), o.BlacklistViolations, 2, 100_000, errors);
        Positive(At + nameof(o.BlacklistWindow), o.BlacklistWindow, errors);
        Range(At + nameof(o.ControlTopicViolations), o.ControlTopicViolations, 2, 20, errors);
        Positive(At + nameof(o.ControlTopicWindow), o.ControlTopicWindow, errors);
        Range(At + nameof(o.TableSize), o.TableSize, 1_000, 1_000_000, errors);
        Between(At + nameof(o.ProvisionalBan), o.ProvisionalBan, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1), errors);
        if (o.ProvisionalBanCapPercent is < 0 or > 100) errors.Add($"{At}{nameof(o.ProvisionalBanCapPercent)}: {o.ProvisionalBanCapPercent} is out of range; use 0 to 100");
    }

    private static void Bus(BusOptions o, List<string> errors)
    {
        Range("Guardian:Bus:DefaultQueue", o.DefaultQueue, 1, 1_000_000, errors);
        Range("Guardian:Bus:MaxBodyBytes", o.MaxBodyBytes, 1, 262_144, errors);
        Range("Guardian:Bus:DecisionCache", o.DecisionCache, 1_000, 10_000_000, errors);
        Range("Guardian:Bus:MaxTopics", o.MaxTopics, 1_000, 1_000_000, errors);
        Range("Guardian:Bus:MaxSubscriptions", o.MaxSubscriptions, 1, 1_000_000, errors);
        Range("Guardian:Bus:ViolationRows", o.ViolationRows, 256, 1_000_000, errors);
        Positive("Guardian:Bus:RestartInterval", o.RestartInterval, errors);
        Range("Guardian:Bus:MaxParked", o.MaxParked, 1, 10_000, errors);
    }

    private static void Blacklist(BlacklistOptions o, List<string> errors)
    {
        Between("Guardian:Blacklist:Cap", o.Cap, TimeSpan.FromSeconds(1), TimeSpan.FromDays(365), errors);
        Positive("Guardian:Blacklist:ForgetAfter", o.ForgetAfter, errors);
        Range("Guardian:Blacklist:MaxBans", o.MaxBans, 1, 1_000_000, errors);
        for (var i = 0; i < o.AllowList.Count; i++) Required($"Guardian:Blacklist:AllowList:{i}:Principal", o.AllowList[i].Principal, errors);
    }

    private static void Outside(GuardianOptions o, List<string> errors)
    {
        Range("Guardian:Incidents:MaxOpen", o.Incidents.MaxOpen, 1, 100_000, errors);
        Between("Guardian:Incidents:QuietAfter", o.Incidents.QuietAfter, TimeSpan.FromMinutes(1), TimeSpan.FromDays(30), errors);
        Range("Guardian:Notifications:MaxPending", o.Notifications.MaxPending, 1, 100_000, errors);
        Positive("Guardian:Notifications:DeadAfter", o.Notifications.DeadAfter, errors);
        Positive("Guardian:Notifications:DigestAfter", o.Notifications.DigestAfter, errors);
        foreach (var (name, channel) in o.Notifications.Channels) Channel($"Guardian:Notifications:Channels:{name}", channel, errors);
        Endpoint("Guardian:Tasks:Webhook", o.Tasks.Webhook, errors);
        Endpoint("Guardian:Tasks:Issues:Url", o.Tasks.Issues.Url, errors);
        if (o.Tasks.Issues.Url.Length > 0 && !RepositoryName().IsMatch(o.Tasks.Issues.Repository))
            errors.Add($"Guardian:Tasks:Issues:Repository: '{o.Tasks.Issues.Repository}' is not owner/name");
        Secret("Guardian:Tasks:Issues", o.Tasks.Issues.SecretFromEnvironment, o.Tasks.Issues.SecretFromFile, errors);
        foreach (var (name, secret) in o.Secrets) PlaybookSecret($"Guardian:Secrets:{name}", name, secret, errors);
        if (o.Tasks.File.Length > 0 && (Path.IsPathRooted(o.Tasks.File) || o.Tasks.File.Contains("..", StringComparison.Ordinal)))
            errors.Add($"Guardian:Tasks:File: '{o.Tasks.File}' must be a path inside the data directory");
    }

    private static void PlaybookSecret(string at, string name, Actions.SecretOptions secret, List<string> errors)
    {
        if (!SecretName().IsMatch(name)) errors.Add($"{at}: a secret's name is a letter or underscore, then letters, digits and underscores, at most 64");
        if (secret.FromEnvironment.Length > 0 == secret.FromFile.Length > 0)
            errors.Add($"{at}: set FromEnvironment (a variable's name) or FromFile (a path), one of the two");
    }

    private static void Channel(string at, ChannelOptions o, List<string> errors)
    {
        Endpoint(at + ":Webhook", o.Webhook, errors);
        Endpoint(at + ":Alertmanager", o.Alertmanager, errors);
        if (o.Webhook.Length > 0 && o.Alertmanager.Length > 0) errors.Add($"{at}: a channel is a Webhook or an Alertmanager, not both; make two channels");
        Secret(at, o.SecretFromEnvironment, o.SecretFromFile, errors);
        Range(at + ":MaxItems", o.MaxItems, 1, OutboxState.MaxSent, errors);
        Between(at + ":Per", o.Per, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1), errors);
        Between(at + ":AlertFor", o.AlertFor, TimeSpan.FromMinutes(1), TimeSpan.FromDays(365), errors);
    }

    private static void Secret(string at, string variable, string file, List<string> errors)
    {
        if (variable.Length > 0 && file.Length > 0) errors.Add($"{at}: SecretFromEnvironment and SecretFromFile are both set; keep one");
    }

    private static void Endpoint(string key, string value, List<string> errors)
    {
        if (value.Length > 0 && (!Uri.TryCreate(value, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https")))
            errors.Add($"{key}: '{value}' is not an http or https address");
    }

    internal static void Required(string key, string value, List<string> errors)
    {
        if (string.IsNullOrWhiteSpace(value)) errors.Add($"{key}: required");
    }

    private static void Defined(string key, OperatingMode mode, List<string> errors)
    {
        if (!Enum.IsDefined(mode)) errors.Add($"{key}: '{(int)mode}' is unknown; use observe, propose or enforce");
    }

    internal static void Range(string key, int value, int min, int max, List<string> errors)
    {
        if (value < min || value > max)
            errors.Add(string.Create(CultureInfo.InvariantCulture, $"{key}: {value} is out of range; use {min} to {max}"));
    }

    internal static void Positive(string key, Duration value, List<string> errors)
    {
        if (value.Value <= TimeSpan.Zero) errors.Add($"{key}: must be longer than 0s");
    }

    internal static void Between(string key, Duration value, TimeSpan min, TimeSpan max, List<string> errors)
    {
        if (value.Value < min || value.Value > max) errors.Add($"{key}: {value} is out of range; use {(Duration)min} to {(Duration)max}");
    }

    [GeneratedRegex("^[A-Za-z0-9._-]{1,64}$", RegexOptions.NonBacktracking)]
    private static partial Regex NodeName();

    [GeneratedRegex("^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$", RegexOptions.NonBacktracking)]
    private static partial Regex RepositoryName();

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]{0,63}$", RegexOptions.NonBacktracking)]
    private static partial Regex SecretName();

    [GeneratedRegex("^[0-9a-fA-F]{64}$", RegexOptions.NonBacktracking)]
    private static partial Regex Sha256();
}
