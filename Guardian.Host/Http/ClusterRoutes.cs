using System.Globalization;
using Akka.Actor;
using Akka.Cluster;
using Guardian.Actors.Hosting;
using Guardian.Host.Http.Security;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Guardian.Host.Http;

/// <summary>Membership in the form of Akka.Management. While read-only (the default) every other method than GET answers 405.</summary>
internal static class ClusterRoutes
{
    private const string Members = "/cluster/members";
    private const string OneMember = "/cluster/members/{**address}";
    private static readonly FormOptions Limits = new() { ValueCountLimit = 16, BufferBodyLengthLimit = ApiBodies.MaxCommandBytes, MultipartBodyLengthLimit = ApiBodies.MaxCommandBytes };
    private static readonly ClusterView None = new(null, [], [], null, null, new Dictionary<string, string>());

    public static void Map(ApiRoutes routes)
    {
        var api = routes.Api;
        routes.MapOpen("GET", Members, Rights.Read, "The cluster's members", (http, _) =>
            ApiBodies.JsonAsync(http, View(api.Access.ActorSystem), ApiJson.Default.ClusterView), ApiJson.Default.ClusterView);
        routes.MapOpen("GET", OneMember, Rights.Read, "One member", (http, _) => MemberAsync(api, http), ApiJson.Default.ClusterMember);
        routes.MapManagement("POST", Members, "Joins the cluster of the node in the form's 'address'", (http, _) => JoinAsync(api, http));
        routes.MapManagement("PUT", OneMember, "Downs the member, or lets it leave: the form's 'operation'", (http, _) => OperateAsync(api, http));
        routes.MapManagement("DELETE", OneMember, "Lets the member leave", (http, _) => LeaveAsync(api, http));
    }

    /// <summary>True where the actor system is clustered.</summary>
    public static bool IsClustered(ActorSystem system) => system.Settings.ProviderClass.Contains("Akka.Cluster", StringComparison.Ordinal);

    public static ClusterView View(ActorSystem? system)
    {
        if (ClusterOf(system) is not { } cluster) return None;
        var state = cluster.State;
        var up = state.Members.Where(x => x.Status is MemberStatus.Up or MemberStatus.Leaving).ToList();
        return new ClusterView(
            cluster.SelfAddress.ToString(),
            [.. state.Members.Select(Of)],
            [.. state.Unreachable.Select(x => new UnreachableMember(x.Address.ToString(), ObservedBy(cluster, x)))],
            state.Leader?.ToString(),
            Oldest(up),
            up.SelectMany(Roles).Distinct(StringComparer.Ordinal).ToDictionary(x => x, x => Oldest(up.Where(m => m.HasRole(x)))!, StringComparer.Ordinal));
    }

    /// <summary>The member in the form in which it is shown; internal roles are left out.</summary>
    public static ClusterMember Of(Member member) => new(member.Address.ToString(),
        member.UniqueAddress.Uid.ToString(CultureInfo.InvariantCulture), member.Status.ToString(), Roles(member));

    public static IReadOnlyList<string> Roles(Member member) => [.. member.Roles.Where(x => !NodeRoles.IsInternal(x)).Order(StringComparer.Ordinal)];

    public static Cluster? ClusterOf(ActorSystem? system) => system is not null && IsClustered(system) ? Cluster.Get(system) : null;

    private static Task MemberAsync(ApiContext api, HttpContext http) => Find(api, http) is { } member
        ? ApiBodies.JsonAsync(http, Of(member), ApiJson.Default.ClusterMember)
        : NotFoundAsync(http);

    private static async Task JoinAsync(ApiContext api, HttpContext http)
    {
        if (await FormAsync(http, "address") is not { } text) return;
        if (ClusterOf(api.Access.ActorSystem) is not { } cluster || Parse(text, cluster.SelfAddress) is not { } address)
        {
            await SayAsync(http, $"'{text}' is not an address of this cluster's form, e.g. akka.tcp://guardian@10.0.0.1:4053", 400);
            return;
        }

        cluster.Join(address);
        await SayAsync(http, $"Joining {address}");
    }

    private static async Task OperateAsync(ApiContext api, HttpContext http)
    {
        if (Find(api, http) is not { } member)
        {
            await NotFoundAsync(http);
            return;
        }

        if (await FormAsync(http, "operation") is not { } operation) return;
        var cluster = ClusterOf(api.Access.ActorSystem)!;
        switch (operation.ToUpperInvariant())
        {
            case "DOWN":
                cluster.Down(member.Address);
                await SayAsync(http, $"Downing {member.Address}");
                break;
            case "LEAVE":
                cluster.Leave(member.Address);
                await SayAsync(http, $"Leaving {member.Address}");
                break;
            default:
                await SayAsync(http, "Operation not supported", 400);
                break;
        }
    }

    private static Task LeaveAsync(ApiContext api, HttpContext http)
    {
        if (Find(api, http) is not { } member) return NotFoundAsync(http);
        ClusterOf(api.Access.ActorSystem)!.Leave(member.Address);
        return SayAsync(http, $"Leaving {member.Address}");
    }

    /// <summary>The form's field; null where it was refused and answered. An unknown operation and a missing one are the same to Akka.Management.</summary>
    private static async Task<string?> FormAsync(HttpContext http, string field)
    {
        if (http.Request.HasFormContentType)
        {
            try
            {
                var form = await http.Request.ReadFormAsync(Limits, http.RequestAborted);
                if (!StringValues.IsNullOrEmpty(form[field])) return form[field].ToString();
            }
            catch (InvalidDataException e)
            {
                await SayAsync(http, $"the form cannot be read: {e.Message}", 400);
                return null;
            }
        }

        await SayAsync(http, field == "operation" ? "Operation not supported" : $"send a form with the field '{field}'", 400);
        return null;
    }

    /// <summary>
    /// By its address, with or without the protocol, escaped or not: the router leaves <c>%2F</c> as it is.
    /// </summary>
    private static Member? Find(ApiContext api, HttpContext http) => ClusterOf(api.Access.ActorSystem)?.State.Members
        .FirstOrDefault(x => x.Address.ToString() == Wanted(http) || x.Address.ToString().EndsWith("://" + Wanted(http), StringComparison.Ordinal));

    private static string Wanted(HttpContext http) => http.RouteText("address");

    /// <summary>Of this system, by this node's own protocol: with TLS it has another name, and one in the clear is never joined.</summary>
    private static Address? Parse(string text, Address self) =>
        Address.TryParse($"{self.Protocol}://{text[(text.IndexOf("://", StringComparison.Ordinal) is var at and >= 0 ? at + 3 : 0)..]}", out var address)
        && address is { Host: not null, Port: not null } && address.System == self.System ? address : null;

    private static Task NotFoundAsync(HttpContext http) => SayAsync(http, $"Member [{Wanted(http)}] not found", 404);

    private static Task SayAsync(HttpContext http, string message, int status = 200) =>
        ApiBodies.JsonAsync(http, new MessageAnswer(message), ApiJson.Default.MessageAnswer, status);

    /// <summary>Akka.NET tells no one who observes what; of this node it can be said.</summary>
    private static IReadOnlyList<string> ObservedBy(Cluster cluster, Member member) =>
        cluster.FailureDetector.IsMonitoring(member.Address) && !cluster.FailureDetector.IsAvailable(member.Address) ? [cluster.SelfAddress.ToString()] : [];

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
