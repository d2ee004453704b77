using System.Diagnostics;
using Guardian.Tests.Node;
using Guardian.Tests.Persistence;
using Xunit.Abstractions;

namespace Guardian.Tests.Clustering;

/// <summary>Nodes of three that do not hear each other: what is alone ends and is let in again, and no key ever has two runs.</summary>
[Collection(RealClusters.Name)]
public sealed class PartitionTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(90);

    [PostgresFact]
    public async Task The_majority_goes_on_and_the_minority_ends_and_comes_back()
    {
        await using var network = new NetworkProxy();
        await using var cluster = await TestCluster.StartAsync(3, partition: network);
        var (a, b, c) = (cluster.Nodes[0], cluster.Nodes[1], cluster.Nodes[2]);

        var clock = Stopwatch.StartNew();
        network.Isolate(2, [0, 1]);
        await Task.WhenAll( // detections on both sides
            TestCluster.FloodAsync(a, "majority", "library.sealed.x", 12),
            TestCluster.FloodAsync(c, "minority", "library.sealed.x", 12));
        (await c.ExitAsync(Soon)).Should().NotBe(0, "its supervisor is to start it anew");
        output.WriteLine($"minority ended after {clock.Elapsed.TotalSeconds:F1} s");
        await cluster.SeesAsync(a, 2, Soon);
        output.WriteLine($"majority alone after {clock.Elapsed.TotalSeconds:F1} s");
        await TestCluster.IncidentAsync(a, "acl/principal/majority", x => x == "resolved", Soon);
        await a.UntilAsync("node_unreachable", async () => (await a.ListAsync("/api/v1/incidents?limit=100")).Any(x => x.GetProperty("key").GetString() == "cluster/node/n3"), Soon);

        network.Heal();
        clock.Restart();
        await c.StartAgainAsync();
        network.Owner(2, c.Id);
        foreach (var node in cluster.Nodes) await cluster.SeesAsync(node, 3, Soon);
        output.WriteLine($"whole again {clock.Elapsed.TotalSeconds:F1} s after the start");
        await TestCluster.FloodAsync(c, "after", "library.sealed.x", 12);
        await TestCluster.IncidentAsync(b, "acl/principal/after", x => x == "resolved", Soon);
        OneWriterEach(cluster);
    }

    /// <summary>As long as an operator takes to look: 30 s, floods on both sides all the while, and a supervisor that starts what ended.</summary>
    [LongPostgresTheory]
    [InlineData("isolated")]
    [InlineData("unheard")]
    [InlineData("deaf")]
    [InlineData("flapping")]
    public async Task Half_a_minute_of_partition_under_floods(string how)
    {
        await using var network = new NetworkProxy();
        await using var cluster = await TestCluster.StartAsync(3, partition: network);
        await TestCluster.FloodAsync(cluster.Nodes[0], "before", "library.sealed.x", 12);
        await TestCluster.IncidentAsync(cluster.Nodes[0], "acl/principal/before", x => x == "resolved", Soon);

        using var end = new CancellationTokenSource();
        var supervised = Task.WhenAll(cluster.Nodes.Select((node, i) => SuperviseAsync(network, node, i, end.Token)));
        var flooded = Task.WhenAll(cluster.Nodes.Select((node, i) => FloodsAsync(node, $"rogue-{i}", end.Token)));
        var clock = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(3));
        var cut = false;
        while (clock.Elapsed < TimeSpan.FromSeconds(30))
        {
            if (!cut || how == "flapping") cut = Turn(network, how, !cut);
            await timer.WaitForNextTickAsync();
        }

        network.Heal();
        clock.Restart();
        foreach (var node in cluster.Nodes) await WholeAsync(cluster, node);
        output.WriteLine($"{how}: whole again {clock.Elapsed.TotalSeconds:F1} s after the end");
        await end.CancelAsync();
        await supervised;
        var rogues = (await flooded).SelectMany(x => x).ToList();
        await TestCluster.FloodAsync(cluster.Nodes[2], "after", "library.sealed.x", 12);
        await TestCluster.IncidentAsync(cluster.Nodes[1], "acl/principal/after", x => x == "resolved", Soon);
        output.WriteLine($"{how}: {rogues.Count} floods, {cluster.Events("run-started:v1").Count} runs, {cluster.Events("run-recovered:v1").Count} taken over");
        foreach (var incident in (await cluster.Nodes[1].ListAsync("/api/v1/incidents?limit=500")).Where(x => x.GetProperty("type").GetString()!.StartsWith("message_bus", StringComparison.Ordinal)))
            await TestCluster.IncidentAsync(cluster.Nodes[1], incident.GetProperty("key").GetString()!, x => x is "resolved" or "escalated", Soon);
        OneWriterEach(cluster);
    }

    private static bool Turn(NetworkProxy network, string how, bool cut)
    {
        if (!cut) network.Heal();
        else if (how == "unheard") network.Deafen(2, 0);
        else if (how == "deaf") network.Deafen(0, 2);
        else network.Isolate(2, [0, 1]);
        return cut;
    }

    /// <summary>Starts the node again whenever it has ended by itself.</summary>
    private static async Task SuperviseAsync(NetworkProxy network, NodeProcess node, int index, CancellationToken end)
    {
        while (true)
        {
            try
            {
                await node.WaitForExitAsync(end);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            await node.StartAgainAsync(waitReady: false);
            network.Owner(index, node.Id);
        }
    }

    /// <summary>A new principal floods every second; those whose denials were all answered.</summary>
    private static async Task<List<string>> FloodsAsync(NodeProcess node, string name, CancellationToken end)
    {
        var done = new List<string>();
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        for (var i = 0; ; i++)
        {
            try
            {
                await timer.WaitForNextTickAsync(end);
                await TestCluster.FloodAsync(node, $"{name}-{i}", $"library.sealed.{name}-{i}", 12);
                done.Add($"{name}-{i}");
            }
            catch (OperationCanceledException) when (end.IsCancellationRequested)
            {
                return done;
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException or Xunit.Sdk.XunitException)
            {
                // It is down, or about to be: 503.
            }
        }
    }

    /// <summary>Unlike <see cref="TestCluster.SeesAsync"/> it bears that the node ends once more and is started again.</summary>
    private static async Task WholeAsync(TestCluster cluster, NodeProcess node)
    {
        using var deadline = new CancellationTokenSource(Soon);
        while (true)
        {
            try
            {
                await cluster.SeesAsync(node, 3, Soon);
                await node.UntilAsync("ready", async () => (await node.Http.GetAsync("/ready")).IsSuccessStatusCode, Soon);
                return;
            }
            catch (InvalidOperationException) when (!deadline.IsCancellationRequested)
            {
                await Task.Yield(); // it had just ended
            }
        }
    }

    /// <summary>From the journal: no key had two runs at once, and no persistent entity two writers.</summary>
    private static void OneWriterEach(TestCluster cluster)
    {
        cluster.Query<long>("select count(*) from (select persistence_id, sequence_number from guardian_journal group by 1, 2 having count(*) > 1) x").Should().Equal(0);
        var runs = cluster.Query<string>("""
            select convert_from(message, 'UTF8')::json->>'incidentKey' || ' ' || (convert_from(message, 'UTF8')::json->>'at') || ' ' || coalesce((select min(convert_from(e.message, 'UTF8')::json->>'at')
                from guardian_journal e where e.persistence_id = s.persistence_id and e.manifest = 'run-ended:v1'), '9')
            from guardian_journal s where manifest = 'run-started:v1'
            """).Select(x => x.Split(' ')).GroupBy(x => x[0]);
        foreach (var ofKey in runs)
        {
            var inOrder = ofKey.OrderBy(x => x[1], StringComparer.Ordinal).ToList();
            for (var i = 1; i < inOrder.Count; i++)
                string.CompareOrdinal(inOrder[i - 1][2], inOrder[i][1]).Should().BeLessThanOrEqualTo(0, $"{ofKey.Key}: a run began while another was under way");
        }
    }
}

/// <summary>Needs PostgreSQL and minutes: GUARDIAN_TEST_LONG=1 runs it.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LongPostgresFactAttribute : FactAttribute
{
    public LongPostgresFactAttribute() =>
        Skip = Environment.GetEnvironmentVariable("GUARDIAN_TEST_LONG") == "1" ? Postgres.Missing : "takes minutes: GUARDIAN_TEST_LONG=1 runs it";
}

/// <summary>The same for a theory.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LongPostgresTheoryAttribute : TheoryAttribute
{
    public LongPostgresTheoryAttribute() => Skip = new LongPostgresFactAttribute().Skip;
}
