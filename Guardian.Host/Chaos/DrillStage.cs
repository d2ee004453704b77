using Guardian.Actors.Chaos;
using Guardian.Actors.Chaos.Drills;
using Guardian.Actors.Chaos.Targets;

namespace Guardian.Host.Chaos;

/// <summary>What one drill is played on: a node or a cluster of its own, thrown away afterwards.</summary>
internal sealed class DrillStage : IAsyncDisposable
{
    private readonly IAsyncDisposable _nodes;

    private DrillStage(IAsyncDisposable nodes, IChaosTarget target, DrillTools tools, HostLoad? host)
    {
        (_nodes, Target) = (nodes, target);
        Tools = tools with { Host = host };
    }

    public IChaosTarget Target { get; }

    public DrillTools Tools { get; }

    /// <exception cref="ChaosTargetException">It did not become ready; the message shows the end of its output.</exception>
    /// <exception cref="ChaosUnsupportedException">This machine cannot give it what the scenario needs.</exception>
    public static async Task<DrillStage> SetAsync(ScenarioPlan plan, NodePlan node, ChaosPostgres postgres, HostFloors floors, string home, CancellationToken cancellation)
    {
        HostLoad? Measured() => plan.Scenario.NeedsQuietHost ? HostLoad.OfThisMachine(node.Time) : null;
        if (plan.Scenario.Postgres)
        {
            var cluster = await ThrowawayCluster.StartAsync(node, plan.Scenario.Nodes, plan.Seed, postgres, home, cancellation);
            return new DrillStage(cluster, cluster.Target(), new DrillTools
            {
                Floors = floors, Keeper = node.Keeper, DataDirectory = cluster.First.DataDirectory, Nodes = cluster.Nodes, Cluster = cluster, Withdraw = cluster.Withdraw,
            }, Measured());
        }

        var alone = await ThrowawayNode.StartAsync(node, home, cancellation);
        return new DrillStage(alone, new HttpChaosTarget(alone.Url, alone.AdminKey), new DrillTools
        {
            Floors = floors, Keeper = node.Keeper, DataDirectory = alone.DataDirectory, Nodes = [alone], Withdraw = alone.Withdraw, Memory = alone.Memory,
        }, Measured());
    }

    public async ValueTask DisposeAsync()
    {
        Tools.Host?.Dispose();
        await Target.DisposeAsync();
        await _nodes.DisposeAsync();
    }
}
