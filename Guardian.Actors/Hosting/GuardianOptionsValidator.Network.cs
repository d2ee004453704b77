using System.Net;
using System.Text.RegularExpressions;

namespace Guardian.Actors.Hosting;

// What listens, and for whom.
public static partial class GuardianOptionsValidator
{
    private static void Cluster(GuardianOptions options, List<string> errors)
    {
        var o = options.Cluster;
        if (!SystemName().IsMatch(o.SystemName))
            errors.Add($"Guardian:Cluster:SystemName: '{o.SystemName}' is not an actor system name; use letters, digits, '-' or '_', starting with a letter or digit");
        Required("Guardian:Cluster:Hostname", o.Hostname, errors);
        Range("Guardian:Cluster:Port", o.Port, 0, 65_535, errors);
        Range("Guardian:Cluster:BindPort", o.BindPort, 0, 65_535, errors);
        Range("Guardian:Relay:Queue", options.Relay.Queue, 1, 1_000_000, errors);
        Range("Guardian:Relay:QueueBytes", options.Relay.QueueBytes, 262_144, 1_073_741_824, errors);
        Between("Guardian:Monitors:Cluster:DriftAfter", options.Monitors.Cluster.DriftAfter, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1), errors);
        Between("Guardian:Monitors:Bus:UnhealthyFor", options.Monitors.Bus.UnhealthyFor, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10), errors);
        Range("Guardian:Monitors:Bus:Restarts", options.Monitors.Bus.Restarts, 2, 9, errors);
        Between("Guardian:Monitors:Bus:RestartWindow", options.Monitors.Bus.RestartWindow, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1), errors);
        Range("Guardian:Cluster:Discovery:Required", o.Discovery.Required, 1, 100, errors);
        for (var i = 0; i < o.SeedNodes.Count; i++) SeedNode($"Guardian:Cluster:SeedNodes:{i}", o.SeedNodes[i], o.SystemName, errors);
        if (o.SeedNodes.Count > 0 && o.Discovery.Name.Length > 0)
            errors.Add("Guardian:Cluster:Discovery:Name: set besides SeedNodes; choose one of them");
        foreach (var role in o.Roles.Where(x => !Role().IsMatch(x)))
            errors.Add($"Guardian:Cluster:Roles: '{role}' is not a role; use letters, digits, '.', '-' or '_'");
        if (o.Tls is { } tls)
        {
            Required("Guardian:Cluster:Tls:CertificatePath", tls.CertificatePath, errors);
            Required("Guardian:Cluster:Tls:KeyPath", tls.KeyPath, errors);
            Required("Guardian:Cluster:Tls:CaPath", tls.CaPath, errors);
        }
        else if (!o.AllowPlaintext && ((string[])[o.Hostname, o.BindHostname]).FirstOrDefault(x => !IsLoopback(x)) is { } reachable)
        {
            var key = reachable == o.Hostname ? "Hostname" : "BindHostname";
            errors.Add($"Guardian:Cluster:{key}: {reachable} is reachable from outside, which needs Guardian:Cluster:Tls; on a network that nobody else is on, Guardian:Cluster:AllowPlaintext=true does without");
        }
    }

    private static void SeedNode(string key, string value, string system, List<string> errors)
    {
        if (!Akka.Actor.Address.TryParse(value, out var address) || address is not { Host: not null, Port: not null } || address.Protocol is not ("akka.tcp" or "akka.ssl.tcp"))
            errors.Add($"{key}: '{value}' is not an address; use e.g. akka.tcp://{system}@10.0.0.1:{ClusterOptions.DefaultPort}");
        else if (address.System != system)
            errors.Add($"{key}: '{value}' is of the system '{address.System}', this node of '{system}' (Guardian:Cluster:SystemName)");
    }

    private static bool IsLoopback(string host) =>
        host.Length == 0 || host == "localhost" || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    /// <summary>The errors of <c>Guardian:Http</c> alone, which reloads while the node runs; empty where it is usable.</summary>
    internal static IReadOnlyList<string> ValidateHttp(HttpOptions options)
    {
        var errors = new List<string>();
        Http(options, errors);
        return errors;
    }

    private static void Http(HttpOptions o, List<string> errors)
    {
        if (!Uri.TryCreate(o.Url, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || url.PathAndQuery != "/")
        {
            errors.Add($"Guardian:Http:Url: '{o.Url}' is not an address; use e.g. http://127.0.0.1:8558");
        }
        else if (!url.IsLoopback)
        {
            if (o.ApiKeys.Count == 0)
                errors.Add($"Guardian:Http:Url: {o.Url} is reachable from outside, which needs Guardian:Http:ApiKeys; make one with 'guardian keys new', or listen on 127.0.0.1");
            if (o.Tls is null && !o.BehindTlsProxy)
                errors.Add($"Guardian:Http:Url: {o.Url} is reachable from outside, which needs Guardian:Http:Tls or Guardian:Http:BehindTlsProxy=true");
        }

        ProbeUrl(o, errors);
        if (o.Tls is { } tls)
        {
            Required("Guardian:Http:Tls:CertificatePath", tls.CertificatePath, errors);
            Required("Guardian:Http:Tls:KeyPath", tls.KeyPath, errors);
            if (url is { Scheme: "http" }) errors.Add("Guardian:Http:Url: begins with http://, but Guardian:Http:Tls is set; write https://");
        }

        Range("Guardian:Http:FailedAuthenticationsPerMinute", o.FailedAuthenticationsPerMinute, 1, 100_000, errors);
        for (var i = 0; i < o.ApiKeys.Count; i++) Key($"Guardian:Http:ApiKeys:{i}", o.ApiKeys[i], errors);
        foreach (var twice in o.ApiKeys.Where(x => x.Id.Length > 0).GroupBy(x => x.Id, StringComparer.Ordinal).Where(x => x.Count() > 1))
            errors.Add($"Guardian:Http:ApiKeys: the id '{twice.Key}' is used {twice.Count()} times");
    }

    private static void ProbeUrl(HttpOptions o, List<string> errors)
    {
        if (o.ProbeUrl.Length == 0) return;
        if (!Uri.TryCreate(o.ProbeUrl, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || url.PathAndQuery != "/")
            errors.Add($"Guardian:Http:ProbeUrl: '{o.ProbeUrl}' is not an address; use e.g. http://127.0.0.1:8559");
        else if (!url.IsLoopback && o.ApiKeys.Count == 0)
            errors.Add($"Guardian:Http:ProbeUrl: {o.ProbeUrl} is reachable from outside, which needs Guardian:Http:ApiKeys: without keys the node serves this machine alone");
        else if (url.Scheme == "https" && o.Tls is null)
            errors.Add("Guardian:Http:ProbeUrl: https needs Guardian:Http:Tls");
    }

    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$", RegexOptions.NonBacktracking)]
    private static partial Regex SystemName();

    [GeneratedRegex("^[A-Za-z0-9._-]{1,64}$", RegexOptions.NonBacktracking)]
    private static partial Regex Role();
}
