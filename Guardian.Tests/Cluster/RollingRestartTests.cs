using System.Diagnostics;
using System.Globalization;
using Guardian.Tests.Node;
using Xunit.Abstractions;

namespace Guardian.Tests.Clustering;

/// <summary>A new version is brought in node by node, while work goes on: what a node had answered is not lost with it.</summary>
[Collection(RealClusters.Name)]
public sealed class RollingRestartTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(120);

    // The playbook's runs hold at most 100 bans at once, and escalate the rest: on a slow machine the restarts take that long.
    private const int MaxFloods = 95;

    [LongPostgresFact]
    public async Task A_rolling_restart_under_load_loses_nothing()
    {
        await using var hook = await WebhookReceiver.StartAsync();
        await using var cluster = await TestCluster.StartAsync(3, _ => [$"--Guardian:Notifications:Channels:security:Webhook={hook.Url}/security", "--Guardian:Notifications:Channels:security:MaxItems=1000", "--Guardian:Notifications:Channels:security:SendResolved=true", $"--Guardian:Tasks:Webhook={hook.Url}/tasks"]);
        using var end = new CancellationTokenSource();
        var floods = FloodsAsync(cluster, end.Token);
        foreach (var node in cluster.Nodes)
        {
            var clock = Stopwatch.StartNew();
            var ended = node.TerminateAsync();
            foreach (var other in cluster.Nodes.Where(x => x != node)) await cluster.SeesAsync(other, 2, Soon);
            var gone = clock.Elapsed;
            (await ended).Should().Be(0, node.Output);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"handed over and gone from the others' members after {gone.TotalSeconds:F1} s, ended after {clock.Elapsed.TotalSeconds:F1} s"));
            await node.StartAgainAsync();
            await cluster.SeesAsync(node, 3, Soon);
        }

        await end.CancelAsync();
        var rogues = await floods;
        rogues.Should().HaveCountGreaterThan(10, "else nothing was under way");
        foreach (var rogue in rogues) await TestCluster.IncidentAsync(cluster.Nodes[0], "acl/principal/" + rogue, x => x == "resolved", Soon);
        await cluster.Nodes[0].UntilAsync("every delivery", () => Task.FromResult(hook.Calls.Select(x => x.Path + x.Key).Distinct().Count() >= 3 * rogues.Count), Soon);
        hook.Calls.GroupBy(x => x.Path + x.Body.GetRawText()).Should().OnlyContain(x => x.Select(y => y.Key).Distinct().Count() == 1, "one effect, one key");
        cluster.Events("run-started:v1").GroupBy(x => x.GetProperty("incidentKey").GetString()).Should().OnlyContain(x => x.Count() == 1);
        (await cluster.Nodes[0].ListAsync("/api/v1/incidents?limit=500")).Should().NotContain(x => x.GetProperty("key").GetString()!.StartsWith("cluster/node/"), "who leaves in order is not lost");
        output.WriteLine($"{rogues.Count} floods, {cluster.Events("run-recovered:v1").Count} runs taken over");
    }

    /// <summary>A new principal floods every 700 ms, on one node after the other; those whose every denial was answered by a node in service.</summary>
    private static async Task<List<string>> FloodsAsync(TestCluster cluster, CancellationToken end)
    {
        var done = new List<string>();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(700));
        for (var i = 0; i < MaxFloods; i++)
        {
            try
            {
                await timer.WaitForNextTickAsync(end);
                await TestCluster.FloodAsync(cluster.Nodes[i % 3], $"rogue-{i}", $"library.sealed.{i}", 12);
                done.Add($"rogue-{i}");
            }
            catch (OperationCanceledException) when (end.IsCancellationRequested)
            {
                return done;
            }
            catch (Exception e) when (e is HttpRequestException or Xunit.Sdk.XunitException)
            {
                // It is down, or refuses while it drains: explicit, so nothing to lose.
            }
        }

        return done;
    }
}
