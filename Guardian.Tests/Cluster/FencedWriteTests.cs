using System.Globalization;
using Guardian.Tests.Node;
using Guardian.Tests.Persistence;
using Xunit.Abstractions;

namespace Guardian.Tests.Clustering;

/// <summary>
/// The last fence between two sides of a partition is the journal's unique (persistence id, sequence number). It fails the whole batch
/// of writes, also those of actors that are not to blame: they must go on by themselves.
/// </summary>
[Collection(RealClusters.Name)]
public sealed class FencedWriteTests(ITestOutputHelper output)
{
    private const int Rogues = 20;
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    [PostgresFact]
    public async Task Innocents_of_a_fenced_batch_go_on()
    {
        await using var hook = await WebhookReceiver.StartAsync();
        await using var cluster = await TestCluster.StartAsync(1, _ => [$"--Guardian:Notifications:Channels:security:Webhook={hook.Url}/security", "--Guardian:Notifications:Channels:security:MaxItems=1000", "--Guardian:Notifications:Channels:security:SendResolved=true", $"--Guardian:Tasks:Webhook={hook.Url}/tasks"]);
        var node = cluster.Nodes[0];
        await TestCluster.FloodAsync(node, "warm", "library.sealed.x", 12);
        await TestCluster.IncidentAsync(node, "acl/principal/warm", x => x == "resolved", Soon);
        await node.UntilAsync("told that it is over", () => Task.FromResult(hook.Calls.Count == 3), Soon);

        // Somebody else has written on: the outbox's next number is taken, and it will find out in the middle of other actors' writes.
        var columns = string.Join(',', cluster.Query<string>("select column_name::text from information_schema.columns where table_name = 'guardian_journal' and column_name not in ('ordering', 'sequence_number')"));
        cluster.Query<long>($"insert into guardian_journal (sequence_number, {columns}) select sequence_number + 1, {columns} from guardian_journal where persistence_id = 'outbox-security' order by sequence_number desc limit 1 returning sequence_number")
            .Should().ContainSingle();

        await Task.WhenAll(Enumerable.Range(0, Rogues).Select(x => TestCluster.FloodAsync(node, $"rogue-{x}", $"library.sealed.{x}", 12)));
        for (var i = 0; i < Rogues; i++) await TestCluster.IncidentAsync(node, $"acl/principal/rogue-{i}", x => x == "resolved", Soon);
        await node.UntilAsync("every delivery", () => Task.FromResult(hook.Calls.Select(x => x.Path + x.Key).Distinct().Count() == 3 * (Rogues + 1)), Soon);

        node.Output.Should().Contain("[outbox-security]", "it was fenced");
        hook.Calls.Where(x => x.Path == "/tasks").Select(x => x.Key).Should().HaveCount(Rogues + 1).And.OnlyHaveUniqueItems();
        cluster.Events("run-started:v1").Should().HaveCount(Rogues + 1);
        var longest = cluster.Query<double>("""
            select extract(epoch from max(gap))::float8 from (select (convert_from(message, 'UTF8')::json->>'at')::timestamptz - lag((convert_from(message, 'UTF8')::json->>'at')::timestamptz)
                over (partition by persistence_id order by sequence_number) as gap from guardian_journal where persistence_id like 'run-%') x
            """).Single();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{cluster.Events("run-recovered:v1").Count} runs were stopped with it; the longest pause of a run was {longest:F1} s"));
    }
}
