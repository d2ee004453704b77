using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Guardian.Tests.Node;
using Xunit.Abstractions;

namespace Guardian.Tests.Clustering;

/// <summary>Times of a cluster of three processes, for people: they are printed, and only what must never happen fails.</summary>
[Collection(RealClusters.Name)]
public sealed class ClusterMeasurements(ITestOutputHelper output)
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(120);

    private void Say(FormattableString text) => output.WriteLine(text.ToString(CultureInfo.InvariantCulture));

    [LongPostgresFact]
    public async Task Bans_and_relayed_messages_reach_the_other_nodes()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        var (a, others) = (cluster.Nodes[0], cluster.Nodes.Skip(1).ToList());
        var times = new List<double>();
        for (var i = 0; i < 100; i++)
        {
            var who = $"load-{(i % 10) + 1:00}";
            using (var lift = await a.Http.DeleteAsync($"/api/v1/blacklist/{who}")) await Task.WhenAll(others.Select(x => EventuallyAsync(x, who, banned: false)));
            using var ban = await a.Http.PutAsync($"/api/v1/blacklist/{who}", new StringContent("""{ "for": "10m", "reason": "measure" }""", System.Text.Encoding.UTF8, "application/json"));
            ban.IsSuccessStatusCode.Should().BeTrue();
            var clock = Stopwatch.StartNew();
            times.AddRange(await Task.WhenAll(others.Select(async x =>
            {
                await EventuallyAsync(x, who, banned: true);
                return clock.Elapsed.TotalMilliseconds;
            })));
        }

        times.Sort();
        Say($"ban enforced on the other nodes after its answer: median {times[times.Count / 2]:F0} ms, p99 {times[(int)(times.Count * 0.99) - 1]:F0} ms, max {times[^1]:F0} ms, of {times.Count}");
    }

    // An allowed publish: what is asked here must be nobody's violation.
    private static async Task EventuallyAsync(NodeProcess node, string principal, bool banned)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        while (true)
        {
            using var answer = await node.PublishAsync(principal, "library.books");
            if (answer.IsSuccessStatusCode != banned) return;
            await timer.WaitForNextTickAsync();
        }
    }

    /// <summary>The first node is the oldest: it has the coordinators and the authority of the bans.</summary>
    [LongPostgresTheory]
    [InlineData(2)]
    [InlineData(0)]
    public async Task Fifty_incidents_survive_the_loss_of_a_node(int victim)
    {
        await using var hook = await WebhookReceiver.StartAsync();
        await using var cluster = await TestCluster.StartAsync(3, _ => [$"--Guardian:Notifications:Channels:security:Webhook={hook.Url}/security", "--Guardian:Notifications:Channels:security:MaxItems=1000", "--Guardian:Notifications:Channels:security:SendResolved=true", $"--Guardian:Tasks:Webhook={hook.Url}/tasks"]);
        var (a, b, c) = (cluster.Nodes[1], cluster.Nodes[2 - victim], cluster.Nodes[victim]);
        await TestCluster.FloodAsync(a, "warm", "library.sealed.warm", 12);
        await TestCluster.IncidentAsync(a, "acl/principal/warm", x => x == "resolved", Soon);
        string[] rogues = [.. Enumerable.Range(0, 50).Select(x => $"rogue-{x}")];
        await Task.WhenAll(rogues.Select(x => TestCluster.FloodAsync(a, x, "library.sealed." + x, 12)));
        await a.UntilAsync("half of the runs started", () => Task.FromResult(cluster.Events("run-started:v1").Count >= 25), Soon);
        var (clock, at) = (Stopwatch.StartNew(), DateTimeOffset.UtcNow);
        await c.KillAsync();
        foreach (var rogue in rogues) await TestCluster.IncidentAsync(a, "acl/principal/" + rogue, x => x == "resolved", Soon);
        Say($"50 incidents resolved {clock.Elapsed.TotalSeconds:F1} s after the kill");
        var recovered = cluster.Events("run-recovered:v1").Select(x => (x.GetProperty("at").GetDateTimeOffset() - at).TotalSeconds).Order().ToList();
        Say($"{recovered.Count} runs taken over, {string.Join(", ", recovered.Select(x => x.ToString("F1", CultureInfo.InvariantCulture)))} s after the kill");
        await a.UntilAsync("deliveries", () => Task.FromResult(rogues.All(x => hook.Calls.Count(call => call.Body.GetRawText().Contains($"{x} ", StringComparison.Ordinal)) >= 2)), Soon);
        Say($"every delivery made {clock.Elapsed.TotalSeconds:F1} s after the kill");
        cluster.Events("run-started:v1").Where(x => x.GetProperty("incidentKey").GetString()!.StartsWith("acl/principal/rogue", StringComparison.Ordinal)).Should().HaveCount(50);
        hook.Calls.GroupBy(x => x.Path + x.Body.GetRawText()).Should().OnlyContain(x => x.Select(y => y.Key).Distinct().Count() == 1);

        await c.StartAgainAsync();
        await cluster.SeesAsync(a, 3, Soon);
        clock.Restart();
        var left = b.TerminateAsync();
        await cluster.SeesAsync(a, 2, Soon);
        Say($"graceful leave: gone from the members after {clock.Elapsed.TotalSeconds:F1} s");
        (await left).Should().Be(0);
        Say($"graceful leave: process ended after {clock.Elapsed.TotalSeconds:F1} s");
        clock.Restart();
        await TestCluster.FloodAsync(a, "next", "library.sealed.next", 12);
        await TestCluster.IncidentAsync(a, "acl/principal/next", x => x == "resolved", Soon);
        Say($"an incident right after the leave resolved in {clock.Elapsed.TotalSeconds:F1} s");
    }

    [LongPostgresTheory]
    [InlineData("cut")]
    [InlineData("hanging")]
    public async Task Ten_seconds_without_the_database(string how)
    {
        await using var hook = await WebhookReceiver.StartAsync();
        await using var cluster = await TestCluster.StartAsync(3, _ => [$"--Guardian:Notifications:Channels:security:Webhook={hook.Url}/security", "--Guardian:Notifications:Channels:security:MaxItems=1000", "--Guardian:Notifications:Channels:security:SendResolved=true", $"--Guardian:Tasks:Webhook={hook.Url}/tasks"]);
        var (a, b) = (cluster.Nodes[0], cluster.Nodes[1]);
        await TestCluster.FloodAsync(a, "warm", "library.sealed.x", 12);
        await TestCluster.IncidentAsync(a, "acl/principal/warm", x => x == "resolved", Soon);
        string[] before = [.. Enumerable.Range(0, 10).Select(x => $"before-{x}")];
        await Task.WhenAll(before.Select(x => TestCluster.FloodAsync(a, x, "library.sealed." + x, 12)));
        await a.UntilAsync("runs under way", () => Task.FromResult(cluster.Events("run-started:v1").Count > 5), Soon);
        if (how == "cut") cluster.Database.Cut();
        else cluster.Database.Hang();
        var clock = Stopwatch.StartNew();
        string[] meanwhile = [.. Enumerable.Range(0, 10).Select(x => $"meanwhile-{x}")];
        await Task.WhenAll(meanwhile.Select((x, i) => TestCluster.FloodAsync(cluster.Nodes[i % 3], x, "library.sealed." + x, 12)));
        long accepted = 0;
        var slowest = TimeSpan.Zero;
        while (clock.Elapsed < TimeSpan.FromSeconds(10))
        {
            var one = Stopwatch.StartNew();
            using var answer = await b.PublishAsync("archivist", "library.books");
            answer.IsSuccessStatusCode.Should().BeTrue();
            accepted++;
            if (one.Elapsed > slowest) slowest = one.Elapsed;
        }

        var back = DateTimeOffset.UtcNow;
        cluster.Database.Restore();
        foreach (var one in before.Concat(meanwhile)) await TestCluster.IncidentAsync(a, "acl/principal/" + one, x => x == "resolved", Soon);
        var (first, ended) = (Firsts("step-succeeded:v1", "step-dispatched:v1", "verification-probed:v1"), Firsts("run-ended:v1"));
        Say($"database away 10 s, {how}: {accepted} publishes accepted meanwhile, slowest {slowest.TotalMilliseconds:F0} ms; {first.Count} runs went on {first[0]:F1} to {first[^1]:F1} s after it was back, ended {ended[0]:F1} to {ended[^1]:F1} s after it");
        await a.UntilAsync("deliveries", () => Task.FromResult(hook.Calls.Select(x => x.Path + x.Key).Distinct().Count() >= 3 * 21), Soon);
        Say($"every delivery {(DateTimeOffset.UtcNow - back).TotalSeconds:F1} s after it was back");

        // The first event of each run since then.
        List<double> Firsts(params string[] manifests) => [.. cluster.Query<string>($"""
            select min(convert_from(message, 'UTF8')::json->>'at') from guardian_journal
            where persistence_id like 'run-%' and manifest in ({string.Join(',', manifests.Select(x => $"'{x}'"))}) and convert_from(message, 'UTF8')::json->>'at' > '{back:O}' group by persistence_id
            """).Select(x => (DateTimeOffset.Parse(x, CultureInfo.InvariantCulture) - back).TotalSeconds).Order()];
    }

    [LongPostgresFact]
    public async Task A_flood_at_one_node_is_not_felt_on_the_others()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        var (a, b) = (cluster.Nodes[0], cluster.Nodes[1]);
        await LatencyAsync(b, 500);
        var (quiet, loud, rates) = (new List<double>(), new List<double>(), new List<double>());
        var clock = Stopwatch.StartNew();
        for (var round = 0; round < 5; round++)
        {
            quiet.Add(await LatencyAsync(b, 500));
            var (before, from) = (await DigestsAsync(b), Stopwatch.StartNew());
            var flood = Parallel.ForEachAsync(Enumerable.Range(0, 20_000), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (_, _) =>
            {
                using var answer = await a.PublishAsync("flooder", "library.sealed.flood");
                answer.IsSuccessStatusCode.Should().BeFalse();
            });
            loud.Add(await LatencyAsync(b, 500));
            await flood;
            rates.Add((await DigestsAsync(b) - before) / from.Elapsed.TotalSeconds);
        }

        Say($"100,000 denied at one node in {clock.Elapsed.TotalSeconds:F0} s; violation messages a second to another node: {string.Join(", ", rates.Select(x => x.ToString("F1", CultureInfo.InvariantCulture)))}");
        rates.Should().OnlyContain(x => x <= 26, "25 a second, and one that was under way");
        quiet.Sort();
        loud.Sort();
        Say($"legitimate p99 on another node: quiet {quiet[2]:F1} ms, during the flood {loud[2]:F1} ms (medians of five; client and nodes share the machine)");
    }

    private static async Task<long> DigestsAsync(NodeProcess node) => (await node.GetAsync("/api/v1/status")).GetProperty("monitors").GetProperty("digests").GetInt64();

    private static async Task<double> LatencyAsync(NodeProcess node, int count)
    {
        var times = new List<double>();
        for (var i = 0; i < count; i++)
        {
            var clock = Stopwatch.StartNew();
            using var answer = await node.PublishAsync("archivist", "library.books");
            answer.IsSuccessStatusCode.Should().BeTrue();
            times.Add(clock.Elapsed.TotalMilliseconds);
        }

        times.Sort();
        return times[(int)(count * 0.99) - 1];
    }
}
