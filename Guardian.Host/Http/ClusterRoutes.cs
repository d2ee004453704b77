using System.Globalization;
using Akka.Actor;
using Akka.Cluster;
using Guardian.Host.Http.Security;

namespace Guardian.Host.Http;

/// <summary>Membership in the form of Akka.Management. Read-only: every other method answers 405.</summary>
internal static class ClusterRoutes
{
    private static readonly ClusterView None = new(null, [], [], null, null, new Dictionary<string, string>());

    public static void Map(ApiRoutes routes)
    {
        routes.MapOpen("GET", "/cluster/members", Rights.Read, "The cluster's members", (http, _) =>
            ApiBodies.JsonAsync(http, View(routes.Api.Access.ActorSystem), ApiJson.Default.ClusterView), ApiJson.Default.ClusterView);
        routes.MapOpen("GET", "/cluster/members/{**address}", Rights.Read, "One member", (http, _) => MemberAsync(routes.Api, http), ApiJson.Default.ClusterMember);
    }

    /// <summary>True where the actor system is clustered.</summary>
    public static bool IsClustered(ActorSystem system) => system.Settings.ProviderClass.Contains("Akka.Cluster", StringComparison.Ordinal);

    public static ClusterView View(ActorSystem? system)
    {
        if (system is null || !IsClustered(system)) return None;
        var cluster = Cluster.Get(system);
        var state = cluster.State;
        var up = state.Members.Where(x => x.Status is MemberStatus.Up or MemberStatus.Leaving).ToList();
        return new ClusterView(
            cluster.SelfAddress.ToString(),
            [.. state.Members.Select(Of)],
            [.. state.Unreachable.Select(x => new UnreachableMember(x.Address.ToString(), [cluster.SelfAddress.ToString()]))],
            state.Leader?.ToString(),
            Oldest(up),
            up.SelectMany(x => x.Roles).Distinct().ToDictionary(x => x, x => Oldest(up.Where(m => m.HasRole(x)))!, StringComparer.Ordinal));
    }

    private static async Task MemberAsync(ApiContext api, HttpContext http)
    {
        var wanted = Uri.UnescapeDataString(http.Request.RouteValues["address"] as string ?? "");
        var member = View(api.Access.ActorSystem).Members.FirstOrDefault(x => x.Node == wanted || x.Node.EndsWith("://" + wanted, StringComparison.Ordinal));
        await (member is not null
            ? ApiBodies.JsonAsync(http, member, ApiJson.Default.ClusterMember)
            : ApiBodies.JsonAsync(http, new MessageAnswer($"Member [{wanted}] not found"), ApiJson.Default.MessageAnswer, 404));
    }

    private static ClusterMember Of(Member member) => new(member.Address.ToString(),
        member.UniqueAddress.Uid.ToString(CultureInfo.InvariantCulture), member.Status.ToString(), [.. member.Roles.Order(StringComparer.Ordinal)]);

    private static string? Oldest(IEnumerable<Member> members)
    {
        Member? oldest = null;
        foreach (var member in members)
        {
            if (oldest is null || member.IsOlderThan(oldest)) oldest = member;
        }

        return oldest?.Address.ToString();
    }
}
