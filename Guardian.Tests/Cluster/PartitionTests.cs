using System.Diagnostics;
using Guardian.Tests.Node;
using Guardian.Tests.Persistence;
using Xunit.Abstractions;

namespace Guardian.Tests.Clustering;

/// <summary>One node of three is cut off, the others go on, it ends, and is let in again. Long: a minute and more.</summary>
[Collection(RealClusters.Name)]
public sealed class PartitionTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(90);

    [LongPostgresFact]
    public async Task The_majority_goes_on_and_the_minority_ends_and_comes_back()
    {
        await using var network = new NetworkProxy();
        await using var cluster = await TestCluster.StartAsync(3, partition: network);
        var (a, b, c) = (cluster.Nodes[0], cluster.Nodes[1], cluster.Nodes[2]);
        await TestCluster.FloodAsync(a, "before", "library.sealed.x", 12);
        await TestCluster.IncidentAsync(a, "acl/principal/before", x => x == "resolved", Soon);

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
        output.WriteLine($"majority's incident resolved after {clock.Elapsed.TotalSeconds:F1} s");
        await a.UntilAsync("node_unreachable", async () => (await a.ListAsync("/api/v1/incidents?limit=100")).Any(x => x.GetProperty("key").GetString() == "cluster/node/n3"), Soon);

        network.Heal();
        clock.Restart();
        await c.StartAgainAsync();
        network.Owner(2, c.Id);
        foreach (var node in cluster.Nodes) await cluster.SeesAsync(node, 3, Soon);
        output.WriteLine($"whole again {clock.Elapsed.TotalSeconds:F1} s after the start");
        await TestCluster.FloodAsync(c, "after", "library.sealed.x", 12);
        await TestCluster.IncidentAsync(b, "acl/principal/after", x => x == "resolved", Soon);

        // The journal: no key had two runs at once, and no persistent entity two writers.
        cluster.Query<long>("select count(*) from (select persistence_id, sequence_number from guardian_journal group by 1, 2 having count(*) > 1) x").Should().Equal(0);
        cluster.Events("run-started:v1").Select(x => (x.GetProperty("incidentKey").GetString(), x.GetProperty("incidentId").GetString())).Should().OnlyHaveUniqueItems();
    }
}

/// <summary>Needs PostgreSQL and minutes: GUARDIAN_TEST_LONG=1 runs it.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LongPostgresFactAttribute : FactAttribute
{
    public LongPostgresFactAttribute() =>
        Skip = Environment.GetEnvironmentVariable("GUARDIAN_TEST_LONG") == "1" ? Postgres.Missing : "takes minutes: GUARDIAN_TEST_LONG=1 runs it";
}
