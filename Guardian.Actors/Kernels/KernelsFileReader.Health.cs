using System.Globalization;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Yaml;

namespace Guardian.Actors.Kernels;

/// <summary>Heartbeats, probes and restarts.</summary>
internal sealed partial class KernelsFileReader
{
    private HeartbeatSpec Heartbeat(MapReader? map)
    {
        var fallback = new HeartbeatSpec();
        if (map is null) return fallback;
        var every = map.Duration("every", fallback.Every, Shortest, Longest);
        var miss = map.Duration("missAfter", every * 3, Shortest, Longest * 3);
        if (miss < every) _sink.Add(map.Node.Get("missAfter")!, $"'missAfter' must be at least one interval ('every' is {new Duration(every)}); use three, {new Duration(every * 3)}");
        var probe = Probe(map, "probe") ?? fallback.Probe;
        map.Finish();
        return new HeartbeatSpec { Every = every, MissAfter = miss, Probe = probe };
    }

    private HealthProbe? Probe(MapReader owner, string key)
    {
        if (owner.Take(key) is not { } node) return null;
        if (node is { Kind: YamlKind.Scalar, Text: "alive" }) return new HealthProbe(ProbeKind.Alive);
        if (owner.Map(key, "'" + key + "'") is not { } map) return null;
        string[] kinds = ["http", "tcp", "exec", "file", "alive"];
        var given = map.Node.Entries.Where(x => kinds.Contains(x.Key)).ToList();
        if (given.Count != 1)
        {
            _sink.Add(node, $"'{key}' must have exactly one of {string.Join(", ", kinds)}");
            foreach (var kind in kinds) map.Take(kind);
            map.Finish();
            return null;
        }

        var probe = given[0].Key switch
        {
            "http" => Http(map),
            "tcp" => Tcp(map),
            "exec" => new HealthProbe(ProbeKind.Exec, "", Command(map, "exec")),
            "file" => map.RequireText("file") is { } path ? new HealthProbe(ProbeKind.File, path) : null,
            _ => map.Bool("alive", true) ? new HealthProbe(ProbeKind.Alive) : null,
        };
        map.Finish();
        return probe;
    }

    private HealthProbe? Http(MapReader map)
    {
        if (map.RequireText("http") is not { } url) return null;
        if (Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https") return new HealthProbe(ProbeKind.Http, url);
        _sink.Add(map.Node.Get("http")!, $"'{YamlNode.Shorten(url)}' is no http or https address");
        return null;
    }

    private HealthProbe? Tcp(MapReader map)
    {
        if (map.RequireText("tcp") is not { } target) return null;
        var at = target.LastIndexOf(':');
        if (at > 0 && int.TryParse(target.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65_536)
            return new HealthProbe(ProbeKind.Tcp, target);
        _sink.Add(map.Node.Get("tcp")!, $"'{YamlNode.Shorten(target)}' is no host:port, e.g. 127.0.0.1:9000");
        return null;
    }

    private RestartSpec Restart(MapReader? map)
    {
        var fallback = new RestartSpec();
        if (map is null) return fallback;
        var spec = new RestartSpec
        {
            Max = map.Int("max", fallback.Max, 1, 100_000),
            Within = map.Duration("within", fallback.Within, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)),
            HealthyAfter = map.Take("healthyAfter") is null ? null : map.Duration("healthyAfter", fallback.Within, TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(1)),
        };
        if (map.Map("backoff") is { } backoff)
        {
            spec = spec with
            {
                Initial = backoff.Duration("initial", fallback.Initial, TimeSpan.FromMilliseconds(1), Longest),
                Longest = backoff.Duration("max", fallback.Longest, TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(1)),
            };
            if (spec.Longest < spec.Initial) _sink.Add(backoff.Node, "'max' must not be shorter than 'initial'");
            backoff.Finish();
        }

        map.Finish();
        return spec;
    }
}
