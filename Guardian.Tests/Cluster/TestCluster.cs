using System.Diagnostics;
using System.Text.Json;
using Guardian.Host.Chaos;
using Guardian.Tests.Node;
using Guardian.Tests.Persistence;
using Npgsql;

namespace Guardian.Tests.Clustering;

/// <summary>Real node processes on loopback with one PostgreSQL, which they reach through a proxy that a test may break.</summary>
internal sealed class TestCluster : IAsyncDisposable
{
    private readonly string _database;

    private TestCluster(string database, DatabaseProxy proxy) => (_database, Database) = (database, proxy);

    public DatabaseProxy Database { get; }

    public IReadOnlyList<NodeProcess> Nodes { get; private set; } = [];

    /// <summary>Remoting port of each node.</summary>
    public IReadOnlyList<int> Ports { get; private set; } = [];

    /// <summary>The nodes n1, n2, …; the first one begins the cluster.</summary>
    /// <param name="count">How many.</param>
    /// <param name="options">Further options of each node.</param>
    /// <param name="partition">Puts a proxy in front of each node's remoting port.</param>
    public static async Task<TestCluster> StartAsync(int count, Func<int, string[]>? options = null, NetworkProxy? partition = null)
    {
        var database = Postgres.Create();
        var cluster = new TestCluster(database, new DatabaseProxy(new NpgsqlConnectionStringBuilder(database).Host!));
        try
        {
            cluster.Ports = [.. Enumerable.Range(0, count).Select(_ => LoopbackPorts.Free())];
            var journal = new NpgsqlConnectionStringBuilder(database) { Host = "127.0.0.1", Port = cluster.Database.Port, Timeout = 3, CommandTimeout = 5 }.ConnectionString;
            cluster.Nodes = [.. Enumerable.Range(0, count).Select(i => NodeProcess.Prepare(
            [
                $"--Guardian:Node:Name=n{i + 1}",
                "--Guardian:Persistence:Provider=postgres",
                $"--Guardian:Persistence:ConnectionString={journal}",
                $"--Guardian:Cluster:Port={cluster.Ports[i]}",
                .. partition is null ? [] : (string[])[$"--Guardian:Cluster:BindPort={partition.Add(i, cluster.Ports[i])}"],
                // A node that begins again must find the others also when it is the first.
                .. cluster.Ports.Select((port, n) => $"--Guardian:Cluster:SeedNodes:{n}=akka.tcp://guardian@127.0.0.1:{port}"),
                .. options?.Invoke(i) ?? [],
            ]))];
            await Task.WhenAll(cluster.Nodes.Select(x => x.StartAgainAsync()));
            if (partition is not null)
                foreach (var (node, i) in cluster.Nodes.Select((x, i) => (x, i))) partition.Owner(i, node.Id);
            foreach (var node in cluster.Nodes) await cluster.SeesAsync(node, count);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until the node sees so many members up and nobody unreachable.</summary>
    public Task SeesAsync(NodeProcess node, int up, TimeSpan? within = null) => node.UntilAsync($"{up} members up", async () =>
    {
        var view = await node.GetAsync("/cluster/members");
        return view.GetProperty("members").EnumerateArray().Count(x => x.GetProperty("status").GetString() == "Up") == up
            && view.GetProperty("members").GetArrayLength() == up && view.GetProperty("unreachable").GetArrayLength() == 0;
    }, within ?? TimeSpan.FromSeconds(60));

    /// <summary>Rows of one query on the journal, past the proxy.</summary>
    public IReadOnlyList<T> Query<T>(string sql)
    {
        using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(_database) { Pooling = false }.ConnectionString);
        connection.Open();
        using var command = new NpgsqlCommand(sql, connection);
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read()) rows.Add(reader.GetFieldValue<T>(0));
        return rows;
    }

    /// <summary>The journal's events of one manifest, as JSON.</summary>
    public IReadOnlyList<JsonElement> Events(string manifest) =>
        [.. Query<byte[]>($"select message from guardian_journal where manifest = '{manifest}' order by ordering").Select(x => JsonDocument.Parse(x).RootElement)];

    public async ValueTask DisposeAsync()
    {
        foreach (var node in Nodes) await node.DisposeAsync();
        await Database.DisposeAsync();
        if (Environment.GetEnvironmentVariable("GUARDIAN_TEST_KEEP") is { Length: > 0 } folder) Keep(Directory.CreateDirectory(folder).CreateSubdirectory($"{DateTime.UtcNow:HHmmss.fff}").FullName);
        Postgres.Drop(_database);
    }

    /// <summary>What the nodes said and the journal as JSON Lines, for whoever looks for a reason.</summary>
    private void Keep(string folder)
    {
        foreach (var (node, i) in Nodes.Select((x, i) => (x, i))) File.WriteAllText(Path.Combine(folder, $"n{i + 1}.log"), node.Output);
        File.WriteAllLines(Path.Combine(folder, "journal.jsonl"), Query<string>("""
            select json_build_object('ordering', ordering, 'id', persistence_id, 'sequence', sequence_number, 'manifest', manifest, 'event', convert_from(message, 'UTF8'))::text
            from guardian_journal where manifest like '%:v%' order by ordering
            """));
    }

    /// <summary>Publishes until <paramref name="denied"/> messages were denied by the policy or the ban.</summary>
    public static async Task FloodAsync(NodeProcess node, string principal, string topic, int denied)
    {
        for (var i = 0; i < denied; i++)
        {
            using var answer = await node.PublishAsync(principal, topic);
            ((int)answer.StatusCode).Should().BeOneOf(403, 429);
        }
    }

    /// <summary>The one incident of the key, as the node's own lists show it.</summary>
    public static async Task<JsonElement> IncidentAsync(NodeProcess node, string key, Func<string, bool> state, TimeSpan within)
    {
        JsonElement incident = default;
        await node.UntilAsync($"{key} in the wanted state", async () =>
        {
            var all = (await node.ListAsync("/api/v1/incidents?limit=500")).Where(x => x.GetProperty("key").GetString() == key).ToList();
            if (all.Count == 0) return false;
            incident = all.Should().ContainSingle().Subject;
            return state(incident.GetProperty("state").GetString()!);
        }, within);
        return incident;
    }
}
