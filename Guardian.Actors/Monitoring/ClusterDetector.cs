using System.Globalization;
using System.Text.Json.Nodes;

namespace Guardian.Actors.Monitoring;

/// <summary>A node as another one sees it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Address">Its address.</param>
/// <param name="Reachable">False while the failure detector has lost it.</param>
/// <param name="Hashes">What it was configured with, by kind (policy, playbooks); empty while it has not said.</param>
internal sealed record SeenNode(string Name, string Address, bool Reachable, IReadOnlyDictionary<string, string> Hashes);

/// <summary>What one node sees of the cluster, itself included, the oldest first.</summary>
internal sealed record SeenCluster(string Self, IReadOnlyList<SeenNode> Nodes);

/// <summary>
/// Nodes that cannot be reached, and nodes that were configured differently for longer than it takes to bring out a change. One
/// node speaks for all: the oldest that can be reached. Trouble that outlasts its incident is raised again after
/// <see cref="OutlastingTrouble.Pause"/>. Pure.
/// </summary>
internal sealed class ClusterDetector(string self, string incarnation, TimeSpan driftAfter)
{
    public const string Unreachable = Playbooks.Model.BuiltInIncidents.NodeUnreachable;
    public const string Drift = Playbooks.Model.BuiltInIncidents.ConfigDrift;

    /// <summary>A view of the cluster that is younger may lack what the others know; nobody should have to change it.</summary>
    public static readonly TimeSpan CalmFor = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, MonitorSignal> _raised = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTimeOffset> _differsSince = new(StringComparer.Ordinal);
    private readonly OutlastingTrouble _outlasting = new();
    private readonly HashSet<string> _ended = new(StringComparer.Ordinal);
    private string? _members;
    private DateTimeOffset _calmSince;
    private DateTimeOffset _lastLook;
    private long _number;

    public static string NodeKey(string node) => Playbooks.Model.BuiltInIncidents.UnreachableKey(node);

    public static string DriftKey(string what) => Playbooks.Model.BuiltInIncidents.DriftKey(what);

    /// <summary>What has changed since the last look.</summary>
    public IReadOnlyList<MonitorSignal> Observe(SeenCluster seen, DateTimeOffset now)
    {
        var signals = new List<MonitorSignal>();
        _lastLook = now;
        var speaks = Speaks(seen);
        foreach (var node in seen.Nodes.Where(x => x.Reachable)) _outlasting.Calm(NodeKey(node.Name));
        foreach (var node in seen.Nodes.Where(x => !x.Reachable && speaks && MayRaise(NodeKey(x.Name), now)))
        {
            signals.Add(Enter(NodeKey(node.Name), Unreachable, node.Name, now, $"{node.Name} ({node.Address}) does not answer",
                new Dictionary<string, JsonNode>(StringComparer.Ordinal) { ["address"] = node.Address }));
        }

        foreach (var raised in _raised.Values.Where(x => x.Type == Unreachable).ToList())
        {
            var node = seen.Nodes.FirstOrDefault(x => x.Name == raised.Subject);
            if (node is null || node.Reachable) signals.Add(Leave(raised, now, node is null ? $"{raised.Subject} was removed from the cluster" : $"{raised.Subject} answers again"));
        }

        Drifts(seen, speaks, now, signals);
        return signals;
    }

    /// <summary>The incident is over: where the trouble lasts, it is raised anew after the pause, as another episode.</summary>
    public void Over(string key, string episode)
    {
        if (!_raised.TryGetValue(key, out var raised) || raised.Episode != episode) return;
        _raised.Remove(key);
        _outlasting.Over(key, _lastLook);
    }

    /// <summary>
    /// Ends of what another node that spoke before, or this one before it started, may have raised: of the key of each node and of each kind of
    /// file, once after each change in the membership, where this node speaks and has seen all nodes the same and reachable for <see cref="CalmFor"/>. Of
    /// files only where every node has said what it has: not known is not calm. Called after <see cref="Observe"/>.
    /// </summary>
    public IReadOnlyList<MonitorSignal> EndsOfEarlier(SeenCluster seen, DateTimeOffset now)
    {
        var members = Speaks(seen) && seen.Nodes.All(x => x.Reachable) ? string.Join('\n', seen.Nodes.Select(x => $"{x.Name} {x.Address}")) : null;
        if (members != _members)
        {
            (_members, _calmSince) = (members, now);
            _ended.Clear();
        }

        if (members is null || now - _calmSince < CalmFor) return [];
        var ends = seen.Nodes.Select(x => End(NodeKey(x.Name), Unreachable, x.Name, $"{x.Name} answers"))
            .Concat(seen.Nodes[0].Hashes.Where(x => seen.Nodes.All(n => n.Hashes.TryGetValue(x.Key, out var hash) && hash == x.Value))
                .Select(x => End(DriftKey(x.Key), Drift, x.Key, "all nodes have the same")));
        return [.. ends.Where(x => _ended.Add(x.Key))];

        MonitorSignal End(string key, string type, string subject, string reason) =>
            new(key, type, subject, string.Create(CultureInfo.InvariantCulture, $"{incarnation}-calm-{_calmSince.UtcTicks:x}"), 0, now, false, reason, new Dictionary<string, JsonNode>());
    }

    private bool Speaks(SeenCluster seen) => seen.Nodes.FirstOrDefault(x => x.Reachable)?.Name == self;

    private bool MayRaise(string key, DateTimeOffset now) => !_raised.ContainsKey(key) && !_outlasting.Waits(key, now);

    private void Drifts(SeenCluster seen, bool speaks, DateTimeOffset now, List<MonitorSignal> signals)
    {
        foreach (var what in seen.Nodes.SelectMany(x => x.Hashes.Keys).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList())
        {
            var said = seen.Nodes.Where(x => x.Reachable && x.Hashes.ContainsKey(what)).ToList();
            var key = DriftKey(what);
            if (said.Select(x => x.Hashes[what]).Distinct(StringComparer.Ordinal).Count() <= 1)
            {
                _differsSince.Remove(what);
                _outlasting.Calm(key);
                if (_raised.TryGetValue(key, out var raised)) signals.Add(Leave(raised, now, "all nodes have the same again"));
                continue;
            }

            if (!_differsSince.TryGetValue(what, out var since)) _differsSince[what] = since = now;
            if (!speaks || now - since < driftAfter || !MayRaise(key, now)) continue;
            var nodes = string.Join(", ", said.Select(x => $"{x.Name} {x.Hashes[what][..Math.Min(8, x.Hashes[what].Length)]}"));
            signals.Add(Enter(key, Drift, what, now, $"the nodes differ in their {what}: {nodes}",
                new Dictionary<string, JsonNode>(StringComparer.Ordinal) { ["what"] = what, ["hashes"] = nodes }));
        }
    }

    private MonitorSignal Enter(string key, string type, string subject, DateTimeOffset now, string reason, IReadOnlyDictionary<string, JsonNode> evidence)
    {
        var number = ++_number;
        return _raised[key] = new MonitorSignal(key, type, subject, string.Create(CultureInfo.InvariantCulture, $"{incarnation}-{number}"), number, now, true, reason, evidence)
        {
            Severity = type == Unreachable ? "high" : "medium",
        };
    }

    private MonitorSignal Leave(MonitorSignal raised, DateTimeOffset now, string reason)
    {
        _raised.Remove(raised.Key);
        return raised with { At = now, Entered = false, Reason = reason };
    }
}
