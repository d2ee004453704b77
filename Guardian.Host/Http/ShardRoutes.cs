using System.Globalization;
using Akka.Actor;
using Akka.Cluster;
using Akka.Cluster.Sharding;
using Guardian.Host.Http.Security;

namespace Guardian.Host.Http;

/// <summary>Shard regions and seed nodes in the form of Akka.Management.</summary>
internal static class ShardRoutes
{
    /// <summary>Guardian's own regions are shown without it, and found with and without it.</summary>
    private const string Own = "guardian-";

    /// <summary>Longest wait for all regions; the nodes are asked for a little less, so that the slow one is the one without an answer.</summary>
    private static readonly TimeSpan StatsTimeout = TimeSpan.FromSeconds(5);

    public static void Map(ApiRoutes routes)
    {
        var api = routes.Api;
        routes.MapOpen("GET", "/cluster/shards", Rights.Read, "Names of the shard regions", (http, _) =>
            ApiBodies.JsonAsync(http, new ShardTypesView([.. Types(api).Keys.Order(StringComparer.Ordinal)]), ApiJson.Default.ShardTypesView), ApiJson.Default.ShardTypesView);
        routes.MapOpen("GET", "/cluster/shards/{name}", Rights.Read, "This node's shards of a region", (http, _) => RegionAsync(api, http), ApiJson.Default.ShardRegionView);
        routes.MapOpen("GET", "/cluster/shards/{name}/stats", Rights.Read, "Every node's shards of a region; 504 where one does not answer", (http, _) => StatsAsync(api, http), ApiJson.Default.ShardStatsView);
        routes.MapOpen("GET", "/bootstrap/seed-nodes", Rights.Read, "Members that a new node may join", (http, _) =>
            ApiBodies.JsonAsync(http, Seeds(api.Access.ActorSystem), ApiJson.Default.SeedNodesView), ApiJson.Default.SeedNodesView);
    }

    private static async Task RegionAsync(ApiContext api, HttpContext http)
    {
        if (await FindAsync(api, http) is not { } region) return;
        var stats = await region.Ask<ShardRegionStats>(GetShardRegionStats.Instance, StatsTimeout, http.RequestAborted);
        await ApiBodies.JsonAsync(http, Of(stats), ApiJson.Default.ShardRegionView);
    }

    private static async Task StatsAsync(ApiContext api, HttpContext http)
    {
        if (await FindAsync(api, http) is not { } region) return;
        try
        {
            var stats = await region.Ask<ClusterShardingStats>(new GetClusterShardingStats(StatsTimeout * 0.9), StatsTimeout, http.RequestAborted);
            var self = ClusterRoutes.ClusterOf(api.Access.ActorSystem)!.SelfAddress;
            var regions = stats.Regions.ToDictionary(x => Full(x.Key, self), x => OnNode(x.Value), StringComparer.Ordinal);
            var shards = regions.Values.SelectMany(x => x.Shards).ToList();
            await ApiBodies.JsonAsync(http, new ShardStatsView(regions, shards.Sum(x => (long)x.NumEntities), shards.Count), ApiJson.Default.ShardStatsView);
        }
        catch (AskTimeoutException)
        {
            await ApiBodies.JsonAsync(http, new MessageAnswer("Timeout while gathering the statistics of the shards"), ApiJson.Default.MessageAnswer, 504);
        }
    }

    private static async Task<IActorRef?> FindAsync(ApiContext api, HttpContext http)
    {
        var name = http.RouteText("name");
        var types = Types(api);
        if (!types.TryGetValue(name, out var type)) type = types.Values.FirstOrDefault(x => x == name);
        if (type is not null) return ClusterSharding.Get(api.Access.ActorSystem!).ShardRegion(type);
        await ApiBodies.JsonAsync(http, new MessageAnswer($"Shard Region {name} is not started"), ApiJson.Default.MessageAnswer, 404);
        return null;
    }

    /// <summary>Shown name to the region's own.</summary>
    private static Dictionary<string, string> Types(ApiContext api)
    {
        if (ClusterRoutes.ClusterOf(api.Access.ActorSystem) is null || api.Access.Current is null) return [];
        var all = ClusterSharding.Get(api.Access.ActorSystem!).ShardTypeNames;
        return all.GroupBy(x => x.StartsWith(Own, StringComparison.Ordinal) ? x[Own.Length..] : x, StringComparer.Ordinal).ToDictionary(x => x.Key, x => x.First(), StringComparer.Ordinal);
    }

    private static ShardRegionView Of(ShardRegionStats stats) => new(Shards(stats), [.. stats.Failed.Order(StringComparer.Ordinal)]);

    private static NodeShardsView OnNode(ShardRegionStats stats) => new(Shards(stats), [.. stats.Failed.Order(StringComparer.Ordinal)]);

    private static IReadOnlyList<ShardView> Shards(ShardRegionStats stats) =>
        [.. stats.Stats.OrderBy(x => x.Key, StringComparer.Ordinal).Select(x => new ShardView(x.Key, x.Value))];

    /// <summary>A region names its own node without host and port.</summary>
    private static string Full(Address address, Address self) => (address.HasLocalScope ? self : address).ToString();

    private static SeedNodesView Seeds(ActorSystem? system)
    {
        if (ClusterRoutes.ClusterOf(system) is not { } cluster) return new SeedNodesView(null, []);
        // A member that is on its way in or out is no one to join.
        var members = cluster.State.Members.Where(x => x.Status is MemberStatus.Up or MemberStatus.WeaklyUp or MemberStatus.Joining).ToList();
        return new SeedNodesView(cluster.SelfAddress.ToString(), [.. members.Select(x =>
            new SeedNodeView(x.Address.ToString(), x.UniqueAddress.Uid, ClusterRoutes.Roles(x), x.Status.ToString()))]);
    }
}
