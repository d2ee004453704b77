using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Guardian.Host.Chaos;
using Guardian.Tests.Node;
using Guardian.Tests.Persistence;

namespace Guardian.Tests.Clustering;

/// <summary>Three nodes, one truth: processes, sockets and a database as they are in the field.</summary>
[Collection(RealClusters.Name)]
public sealed class ClusterTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60); // generous: benchmarks show the times

    private static StringContent Json(string text) => new(text, System.Text.Encoding.UTF8, "application/json");

    [PostgresFact]
    public async Task What_one_node_sees_all_nodes_act_on()
    {
        var policies = Directory.CreateTempSubdirectory("guardian-policy-");
        var other = Path.Combine(policies.FullName, "access.yaml");
        await File.WriteAllTextAsync(other, await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "policies", "access.yaml")) + "# brought to one node alone");
        await using var cluster = await TestCluster.StartAsync(3, i => ["--Guardian:Monitors:Cluster:DriftAfter=1s", .. i == 2 ? (string[])[$"--Guardian:Files:Policy={other}"] : []]);
        var (a, b, c) = (cluster.Nodes[0], cluster.Nodes[1], cluster.Nodes[2]);

        // A ban by hand on one holds on the others.
        using (var ban = await a.Http.PutAsync("/api/v1/blacklist/librarian", Json("""{ "for": "10m", "reason": "test" }"""))) ban.IsSuccessStatusCode.Should().BeTrue();
        foreach (var node in new[] { b, c })
        {
            await node.UntilAsync("the ban", async () =>
            {
                using var answer = await node.PublishAsync("librarian", "library.books");
                return (await answer.Content.ReadAsStringAsync()).Contains("/blacklisted");
            }, Soon);
        }

        // A monitor is blind to a node until that has learned of it; then one denial is one digest more on every node.
        foreach (var node in cluster.Nodes)
            await node.UntilAsync("all monitors hear it", () => AllHearAsync(cluster, node), Soon);

        // Four denials on each within a second are nobody's flood there, and one flood together.
        await Task.WhenAll(cluster.Nodes.Select(x => TestCluster.FloodAsync(x, "visitor", "library.sealed.x", 4)));
        var incident = await TestCluster.IncidentAsync(a, "acl/principal/visitor", x => x == "resolved", Soon);
        incident.GetProperty("violations").GetInt64().Should().Be(12);
        foreach (var node in new[] { b, c })
            (await TestCluster.IncidentAsync(node, "acl/principal/visitor", x => x == "resolved", Soon)).GetProperty("id").GetString().Should().Be(incident.GetProperty("id").GetString());
        cluster.Events("run-started:v1").Count(x => x.GetProperty("incidentKey").GetString() == "acl/principal/visitor").Should().Be(1);

        // A message published on one reaches whoever may listen on another.
        using var stream = await c.Http.SendAsync(new HttpRequestMessage(HttpMethod.Get, "/api/v1/bus/library.%3E/stream") { Headers = { { "X-Guardian-Principal", "patron" } } }, HttpCompletionOption.ResponseHeadersRead);
        stream.StatusCode.Should().Be(HttpStatusCode.OK);
        using var reader = new StreamReader(await stream.Content.ReadAsStreamAsync());
        var got = ReadAsync(reader);
        await a.UntilAsync("a relayed message", async () =>
        {
            using var answer = await a.PublishAsync("archivist", "library.books.added", "from n1");
            answer.StatusCode.Should().Be(HttpStatusCode.Accepted);
            return got.IsCompleted;
        }, Soon);
        (await got).Should().Contain("from n1").And.Contain("archivist");

        // It is over when the same was brought to all.
        (await TestCluster.IncidentAsync(b, "cluster/config/policy", x => x == "running", Soon)).GetProperty("type").GetString().Should().Be("config_drift");
        await File.WriteAllTextAsync(other, await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "policies", "access.yaml")));
        await TestCluster.IncidentAsync(b, "cluster/config/policy", x => x == "resolved", Soon);
        policies.Delete(recursive: true);

        await using var second = NodeProcess.Prepare([.. a.Options.Where(x => !x.Contains("Cluster:Port")), $"--Guardian:Cluster:Port={LoopbackPorts.Free()}"]);
        await second.StartAgainAsync(waitReady: false);
        (await second.ExitAsync(Soon)).Should().Be(1, second.Output);
        second.Output.Should().Contain("the name 'n1' (Guardian:Node:Name) is taken by");
        await cluster.SeesAsync(a, 3);
    }

    private static async Task<bool> AllHearAsync(TestCluster cluster, NodeProcess node)
    {
        var before = await Task.WhenAll(cluster.Nodes.Select(DeniedAsync));
        await TestCluster.FloodAsync(node, "early", "library.sealed.early", 1);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        for (var i = 0; i < 20 && await timer.WaitForNextTickAsync(); i++)
            if ((await Task.WhenAll(cluster.Nodes.Select(DeniedAsync))).Zip(before, (now, then) => now > then).All(x => x)) return true;
        return false;
    }

    private static async Task<long> DeniedAsync(NodeProcess node) => (await node.GetAsync("/api/v1/status")).GetProperty("monitors").GetProperty("aclViolations").GetInt64();

    private static async Task<string> ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("data:", StringComparison.Ordinal) && line.Contains("library.books.added", StringComparison.Ordinal)) return line;
        }

        return "";
    }

    [PostgresFact]
    public async Task A_killed_nodes_runs_end_elsewhere_and_each_effect_has_one_key()
    {
        await using var hook = await WebhookReceiver.StartAsync();
        await using var cluster = await TestCluster.StartAsync(3, _ => [$"--Guardian:Notifications:Channels:security:Webhook={hook.Url}/security", "--Guardian:Notifications:Channels:security:MaxItems=1000", "--Guardian:Notifications:Channels:security:SendResolved=true", $"--Guardian:Tasks:Webhook={hook.Url}/tasks"]);
        var (a, b, c) = (cluster.Nodes[0], cluster.Nodes[1], cluster.Nodes[2]);
        string[] rogues = [.. Enumerable.Range(0, 12).Select(x => $"rogue-{x}")];

        // All on one node, which is where their steps are to be done; the runs live wherever their shard is.
        await Task.WhenAll(rogues.Select(x => TestCluster.FloodAsync(a, x, "library.sealed." + x, 12)));
        await a.UntilAsync("runs under way", () => Task.FromResult(cluster.Events("step-dispatched:v1").Count > 0), Soon);
        await c.KillAsync();

        foreach (var rogue in rogues) await TestCluster.IncidentAsync(a, "acl/principal/" + rogue, x => x is "resolved" or "escalated", Soon);
        await a.UntilAsync("node_unreachable is told", async () => (await a.ListAsync("/api/v1/incidents?limit=100"))
            .Any(x => x.GetProperty("key").GetString() == "cluster/node/n3"), Soon);
        await a.UntilAsync("deliveries", () => Task.FromResult(hook.Calls.Select(x => x.Path + x.Key).Distinct().Count() >= 2 * rogues.Length), Soon);
        cluster.Events("run-started:v1").Where(x => x.GetProperty("incidentKey").GetString()!.StartsWith("acl/", StringComparison.Ordinal))
            .GroupBy(x => x.GetProperty("incidentKey").GetString()).Should().OnlyContain(x => x.Count() == 1).And.HaveCount(rogues.Length);
        foreach (var rogue in rogues)
        {
            var about = hook.Calls.Where(x => x.Body.GetRawText().Contains($"\"{rogue} ", StringComparison.Ordinal) || x.Body.GetRawText().Contains($" {rogue} ", StringComparison.Ordinal)).ToList();
            about.GroupBy(x => x.Path).Should().OnlyContain(x => x.Select(call => call.Key).Distinct().Count() == 1, $"{rogue}: one effect, one key");
        }

        await cluster.SeesAsync(a, 2);
        await c.StartAgainAsync();
        await cluster.SeesAsync(c, 3);
        await TestCluster.FloodAsync(c, "late-rogue", "library.sealed.late", 12);
        (await TestCluster.IncidentAsync(b, "acl/principal/late-rogue", x => x == "resolved", Soon)).GetProperty("node").GetString().Should().NotBeNullOrEmpty();

        // In order: it hands over and is gone, nobody takes it for lost.
        var before = (await a.ListAsync("/api/v1/incidents?limit=500")).Count;
        (await b.TerminateAsync()).Should().Be(0, b.Output);
        await cluster.SeesAsync(a, 2);
        (await a.ListAsync("/api/v1/incidents?limit=500")).Count.Should().Be(before);
    }

    [PostgresFact]
    public async Task Without_the_database_the_bus_goes_on_and_incidents_wait()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        var (a, b) = (cluster.Nodes[0], cluster.Nodes[1]);
        await TestCluster.FloodAsync(a, "warm", "library.sealed.x", 12);
        await TestCluster.IncidentAsync(a, "acl/principal/warm", x => x == "resolved", Soon);

        cluster.Database.Cut();
        await a.UntilAsync("degraded", async () => (await a.Http.GetStringAsync("/ready")).Contains("degraded: journal"), Soon);
        using (var accepted = await a.PublishAsync("archivist", "library.books")) accepted.StatusCode.Should().Be(HttpStatusCode.Accepted);
        await TestCluster.FloodAsync(a, "visitor", "library.sealed.y", 12);
        await b.UntilAsync("a provisional ban or the wait for it", async () =>
            (await b.GetAsync("/api/v1/status")).GetProperty("monitors").GetProperty("raisesPending").GetInt32() > 0, Soon);

        cluster.Database.Restore();
        await TestCluster.IncidentAsync(a, "acl/principal/visitor", x => x == "resolved", Soon);
        cluster.Events("incident-opened:v1").Count(x => x.GetRawText().Contains("acl/principal/visitor", StringComparison.Ordinal)).Should().Be(1);
    }

    /// <summary>Written by the serializer that Akka falls back to by default.</summary>
    public sealed record Foreign(string Text);

    [Fact]
    public async Task Payloads_of_other_serializers_and_garbage_change_nothing()
    {
        var port = LoopbackPorts.Free();
        await using var node = await NodeProcess.StartAsync($"--Guardian:Cluster:Port={port}");
        var system = Akka.Actor.ActorSystem.Create("guardian", "akka { loglevel = OFF, stdout-loglevel = OFF, actor.provider = remote, remote.dot-netty.tcp { hostname = 127.0.0.1, port = 0 } }");
        foreach (var name in new[] { "bus", "blacklist", "relay", "agent" })
        {
            var target = system.ActorSelection($"akka.tcp://guardian@127.0.0.1:{port}/user/guardian/{name}");
            for (var i = 0; i < 10; i++) target.Tell(new Foreign("x"), Akka.Actor.ActorRefs.NoSender);
            (await Akka.Actor.Futures.Ask<Akka.Actor.ActorIdentity>(target, new Akka.Actor.Identify(name), Soon)).Subject.Should().NotBeNull("the messages before were dropped, not the connection");
        }

        for (var i = 0; i < 10; i++)
        {
            using var socket = new System.Net.Sockets.TcpClient("127.0.0.1", port);
            await socket.GetStream().WriteAsync(Enumerable.Range(0, 1_000).Select(x => (byte)(x * 31 + i)).ToArray());
        }

        await system.Terminate();
        (await node.Http.GetStringAsync("/ready")).Should().Be("OK");
        var status = await node.GetAsync("/api/v1/status");
        status.GetProperty("bus").GetProperty("restarts").GetInt64().Should().Be(0);
        status.GetProperty("bus").GetProperty("parked").GetInt64().Should().Be(0);
        (await node.GetAsync("/cluster/members")).GetProperty("members").GetArrayLength().Should().Be(1);
    }

    [Fact]
    public async Task A_node_with_SQLite_stays_alone()
    {
        var port = LoopbackPorts.Free();
        await using var alone = await NodeProcess.StartAsync("--Guardian:Node:Name=alone", $"--Guardian:Cluster:Port={port}");
        await using var other = NodeProcess.Prepare("--Guardian:Node:Name=other", "--Guardian:Persistence:Provider=postgres", "--Guardian:Persistence:ConnectionString=Host=127.0.0.1;Port=1;Database=x;Timeout=1",
            $"--Guardian:Cluster:SeedNodes:0=akka.tcp://guardian@127.0.0.1:{port}", $"--Guardian:Cluster:Port={LoopbackPorts.Free()}");
        await other.StartAgainAsync(waitReady: false);
        (await other.ExitAsync(Soon)).Should().Be(1, other.Output);
        other.Output.Should().Contain("is SQLite, which no other node can share");
        await alone.UntilAsync("alone again", async () => (await alone.GetAsync("/cluster/members")).GetProperty("members").GetArrayLength() == 1, Soon);
        (await alone.Http.GetAsync("/ready")).StatusCode.Should().Be(HttpStatusCode.OK);
    }
}
