using System.Globalization;
using System.Text.Json;
using Guardian.Actors.Chaos.Faults;
using Guardian.Actors.Chaos.Proxies;
using Guardian.Actors.Chaos.Targets;
using Guardian.Actors.Leasekeeping;
using Guardian.Actors.Persistence;
using Npgsql;

namespace Guardian.Host.Chaos;

/// <summary>
/// Nodes of one drill, n1, n2, …: child processes on loopback with a database of their own, which they reach through a proxy, and with
/// links between them that can be cut. A node that ends by itself is started again, as its supervisor would.
/// </summary>
internal sealed class ThrowawayCluster : IClusterControl, IAsyncDisposable
{
    private const int Killed = 128 + 9; // whoever killed it starts it again
    private static readonly TimeSpan FormedWithin = TimeSpan.FromSeconds(60);

    /// <summary>While its nodes warm up they may miss one another's heartbeats for a moment.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan RestartAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    private readonly ThrowawayDatabaseLease _database;
    private readonly CancellationTokenSource _ending = new();
    private readonly List<ThrowawayNode> _nodes = [];
    private readonly TimeProvider _time;
    private List<Task> _supervised = [];

    private ThrowawayCluster(ThrowawayDatabaseLease database, int count, int seed, TimeProvider time)
    {
        (_database, _time, Victim) = (database, time, new Random(seed).Next(count));
        Database = new DatabaseProxy(database.Direct);
        Journal = JournalDatabase.From("postgres", database.Direct, "");
        if (count > 1) Links = new NodeLinks();
    }

    public IReadOnlyList<INodeControl> Nodes => _nodes;

    public DatabaseProxy Database { get; }

    public JournalDatabase Journal { get; }

    public NodeLinks? Links { get; }

    public int Victim { get; }

    public ThrowawayNode First => _nodes[0];

    /// <exception cref="ChaosTargetException">A node did not become ready, or they did not find one another.</exception>
    /// <exception cref="ChaosUnsupportedException">This machine cannot give them what they need.</exception>
    public static async Task<ThrowawayCluster> StartAsync(NodePlan plan, int count, int seed, ChaosPostgres postgres, string home, CancellationToken cancellation)
    {
        if (count > 1 && NodeLinks.Unsupported is { } reason) throw new ChaosUnsupportedException(reason);
        Directory.CreateDirectory(home);
        var server = await postgres.ServerAsync(cancellation);
        var cluster = new ThrowawayCluster(await ThrowawayDatabaseLease.TakeAsync(server, home, plan.Keeper, cancellation), count, seed, plan.Time);
        try
        {
            var ports = Enumerable.Range(0, count).Select(_ => (Public: LoopbackPorts.Free(), Bound: LoopbackPorts.Free())).ToList();
            for (var i = 0; i < ports.Count && cluster.Links is { } links; i++) links.Add(i, ports[i].Public, ports[i].Bound);
            foreach (var node in await Task.WhenAll(Enumerable.Range(0, count).Select(i => ThrowawayNode.StartAsync(cluster.PlanOf(plan, i, ports), Path.Combine(home, Name(i)), cancellation)))) cluster._nodes.Add(node);
            await cluster.FormedAsync(cancellation);
            cluster._supervised = [.. cluster._nodes.Select(cluster.SuperviseAsync)];
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>The cluster as its clients see it.</summary>
    public IChaosTarget Target() => _nodes.Count == 1
        ? new HttpChaosTarget(First.Url, First.AdminKey)
        : new ClusterChaosTarget([.. _nodes.Select(x => (x.Name, new HttpChaosTarget(x.Url, x.AdminKey)))], Victim);

    /// <summary>How another process withdraws a fault inside a node.</summary>
    public LeaseUndo Withdraw(string fault) => First.Withdraw(fault);

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await Task.WhenAll(_supervised);
        await Task.WhenAll(_nodes.Select(x => x.DisposeAsync().AsTask()));
        if (Links is { } links) await links.DisposeAsync();
        await Database.DisposeAsync();
        await _database.DisposeAsync();
        _ending.Dispose();
    }

    private static string Name(int node) => string.Create(CultureInfo.InvariantCulture, $"n{node + 1}");

    private NodePlan PlanOf(NodePlan plan, int node, List<(int Public, int Bound)> ports)
    {
        var options = new Dictionary<string, string>(plan.Options) { ["Guardian:Node:Name"] = Name(node), ["Guardian:Persistence:Provider"] = "postgres" };
        var again = new Dictionary<string, string>();
        if (ports.Count > 1)
        {
            options["Guardian:Cluster:Port"] = ports[node].Public.ToString(CultureInfo.InvariantCulture);
            options["Guardian:Cluster:BindPort"] = ports[node].Bound.ToString(CultureInfo.InvariantCulture);
            // The first one begins the cluster at once. A node that comes back joins the others, and begins none of its own while it is cut off.
            var all = Enumerable.Range(0, ports.Count).ToList();
            Seeds(options, node == 0 ? [0] : all);
            Seeds(again, [.. all.Where(x => x != node), node]);
        }

        return plan with
        {
            Options = options, OptionsAgain = again, WatchResources = false,
            Environment = new Dictionary<string, string> { ["Guardian__Persistence__ConnectionString"] = Database.Through },
            Started = process => Links?.Owner(node, process),
        };

        void Seeds(Dictionary<string, string> into, IReadOnlyList<int> nodes)
        {
            for (var i = 0; i < nodes.Count; i++) into[string.Create(CultureInfo.InvariantCulture, $"Guardian:Cluster:SeedNodes:{i}")] = string.Create(CultureInfo.InvariantCulture, $"akka.tcp://guardian@127.0.0.1:{ports[nodes[i]].Public}");
        }
    }

    private async Task FormedAsync(CancellationToken cancellation)
    {
        if (_nodes.Count == 1) return;
        var target = Target();
        await using (target)
        {
            var began = _time.GetTimestamp();
            long? whole = null;
            while (whole is not { } since || _time.GetElapsedTime(since) < Settled)
            {
                whole = await WholeAsync(target, cancellation) ? whole ?? _time.GetTimestamp() : null;
                if (_time.GetElapsedTime(began) > FormedWithin) throw new ChaosTargetException(string.Create(CultureInfo.InvariantCulture, $"the nodes did not form a cluster of {_nodes.Count} within {FormedWithin.TotalSeconds:0} s"));
                await Task.Delay(Poll, _time, cancellation);
            }
        }
    }

    private async Task<bool> WholeAsync(IChaosTarget target, CancellationToken cancellation)
    {
        try
        {
            var members = await target.ProbeAsync(Actors.Chaos.ChaosProbes.ClusterMembers, default, cancellation);
            return TargetJson.Number(members, "up") == _nodes.Count && TargetJson.Number(members, "unreachable") == 0;
        }
        catch (ChaosTargetException)
        {
            return false;
        }
    }

    private async Task SuperviseAsync(ThrowawayNode node)
    {
        while (!_ending.IsCancellationRequested)
        {
            await node.ExitedAsync(_ending.Token);
            await Task.Delay(RestartAfter, _time, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_ending.IsCancellationRequested || node.Running || node.ExitCode == Killed) continue;
            try
            {
                await node.StartAgainAsync(_ending.Token);
            }
            catch (Exception e) when (e is ChaosTargetException or OperationCanceledException)
            {
                // It is tried again; the drill's bounds tell what that is worth.
            }
        }
    }
}
