using System.Globalization;
using System.Text.Json;
using Guardian.Actors.Hosting;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;
using Guardian.Tests.Playbooks;

namespace Guardian.Tests.Simulation;

/// <summary>
/// Two nodes' buses, two monitors, incidents, runs of the shipped playbook and an agent: the deciding code of the product,
/// all of it, in one thread and virtual time. Attackers flood, innocents err once or twice, processes die, messages get lost.
/// </summary>
internal sealed class Simulation
{
    private static readonly TimeSpan End = TimeSpan.FromMinutes(12); // a run's 5 min time-out, twice
    private static readonly Vocabulary Words = GuardianVocabulary.Of(new GuardianOptions());
    private static readonly Playbook Shipped = Load();
    private static readonly JsonElement Healthy = JsonElement.Parse("""{ "healthy": true, "restarts": 0, "parked": 0, "queued": 0 }""");

    private readonly World _world;
    private readonly List<SimulatedBus> _buses = [];
    private readonly List<SimulatedMonitor> _monitors = [];
    private readonly Dictionary<string, SimulatedIncident> _incidents = [];
    private readonly SimulatedAgent _agent;
    private readonly IncidentEnvironment _env;
    private readonly List<(string Principal, int Count)> _attackers = [];
    private readonly List<string> _innocents = [];
    private readonly HashSet<string> _banned = [];

    private Simulation(int seed, WorldOptions options, List<string>? history)
    {
        _world = new World(seed, options) { History = history };
        _agent = new SimulatedAgent(_world, Words, IsDispatched, Effect);
        _env = new IncidentEnvironment(_world, Words, Shipped, _agent, Probe);
        foreach (var node in (string[])["n1", "n2"])
        {
            _monitors.Add(new SimulatedMonitor(_world, node, (raised, monitor) => _world.Send($"raised {raised.Key}", () => Incident(raised.Key).Raise(raised, monitor))));
            _buses.Add(new SimulatedBus(_world, node, digest =>
            {
                foreach (var monitor in _monitors) _world.Send("digest " + digest.Node, () => monitor.OnDigest(digest));
            }));
        }
    }

    /// <summary>The history's hash; the same for the same seed.</summary>
    /// <exception cref="BrokenInvariantException">What does not hold.</exception>
    public static ulong Run(int seed, WorldOptions? options = null, List<string>? history = null)
    {
        var simulation = new Simulation(seed, options ?? new WorldOptions(), history);
        simulation.Plan();
        simulation._world.Run(End);
        simulation.Check();
        return simulation._world.Hash;
    }

    private void Plan()
    {
        for (var i = 0; i < 1 + _world.Draw(2); i++)
        {
            var (principal, count) = (string.Create(CultureInfo.InvariantCulture, $"rogue-{i}"), 40 + _world.Draw(200));
            _attackers.Add((principal, count));
            var (start, pause, topic) = (_world.Draw(5_000), 1 + _world.Draw(15), _world.Chance(0.5) ? "system.control" : "library.sealed.x");
            for (var n = 0; n < count; n++)
            {
                var bus = _buses[_world.Draw(10) == 0 ? 1 : 0];
                _world.At(World.Ms(start + n * pause), () => bus.Violate(principal, topic, topic == "system.control"));
            }
        }

        for (var i = 0; i < _world.Draw(4); i++)
        {
            var principal = string.Create(CultureInfo.InvariantCulture, $"visitor-{i}");
            _innocents.Add(principal);
            _world.At(World.Ms(_world.Draw(8_000)), () => _buses[0].Violate(principal, "library.sealed.y", false));
        }

        for (var i = 0; i < _world.Draw(3); i++) _world.At(World.Ms(_world.Draw(15_000)), () => _monitors[_world.Draw(2)].Crash());
        for (var i = 0; i < _world.Draw(3); i++) _world.At(World.Ms(_world.Draw(15_000)), _agent.Crash);
        for (var i = 0; i < _world.Draw(3); i++)
        {
            _world.At(World.Ms(_world.Draw(15_000)), () =>
            {
                if (_incidents.Count > 0) _incidents.OrderBy(x => x.Key, StringComparer.Ordinal).ElementAt(_world.Draw(_incidents.Count)).Value.Crash();
            });
        }
    }

    private SimulatedIncident Incident(string key)
    {
        if (!_incidents.TryGetValue(key, out var incident)) _incidents[key] = incident = new SimulatedIncident(_env, key);
        return incident;
    }

    private bool IsDispatched(string key) => _incidents.Values.SelectMany(x => x.Runs.Values).Any(x => x.Dispatched.Contains(key));

    private void Effect(string action, JsonElement input)
    {
        if (action != "blacklist.add") return;
        var principal = input.GetProperty("principal").GetString()!;
        if (_innocents.Contains(principal)) throw new BrokenInvariantException($"{principal} is innocent and was banned");
        _banned.Add(principal);
        foreach (var bus in _buses) bus.Ban(principal);
    }

    private static JsonElement Probe(string probe, JsonElement with) => probe == "bus.health" ? Healthy : JsonElement.Parse("""{ "count": 0 }""");

    private void Check()
    {
        foreach (var (key, incident) in _incidents)
        {
            if (incident.State.Run is { } run) throw new BrokenInvariantException($"{key}: run {run.RunId} never ended, it is {incident.Runs[run.RunId].State.Phase}");
            if (incident.State.State is "open" or "running") throw new BrokenInvariantException($"{key} was left {incident.State.State}");
            var principal = key.StartsWith("acl/principal/", StringComparison.Ordinal) ? key["acl/principal/".Length..] : null;
            if (principal is null) continue;
            if (_innocents.Contains(principal)) throw new BrokenInvariantException($"{principal} is innocent and was blamed");
            var attempts = _buses.Sum(x => x.Attempts.GetValueOrDefault(principal));
            // A monitor whose process is new counts anew what other nodes had counted before: at most once per life.
            if (incident.State.Counts.Total > attempts * _monitors.Max(x => x.Lives)) throw new BrokenInvariantException($"{key} counts {incident.State.Counts.Total} violations, there were {attempts}");
        }

        foreach (var (principal, count) in _attackers)
        {
            if (!_incidents.TryGetValue("acl/principal/" + principal, out var incident)) throw new BrokenInvariantException($"{principal} violated {count} times and was never detected");
            if (!_banned.Contains(principal) && incident.State.State != "escalated") throw new BrokenInvariantException($"{principal} was detected and never banned");
        }

        foreach (var monitor in _monitors)
        {
            if (monitor.Pending > 0) throw new BrokenInvariantException($"a monitor still has {monitor.Pending} incidents to tell");
        }
    }

    private static Playbook Load()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "playbooks", "message_bus_acl_violation_fix.yaml");
        var loaded = PlaybookLoader.Load([(path, File.ReadAllText(path))], Words);
        loaded.Errors.Should().BeEmpty();
        return loaded.Playbooks.Single();
    }
}
