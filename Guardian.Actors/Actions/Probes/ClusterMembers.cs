using System.ComponentModel;
using Akka.Cluster;

namespace Guardian.Actors.Actions.Probes;

/// <summary>Input of <c>cluster.members</c>.</summary>
internal sealed record ClusterMembersInput([property: Description("Only members with this role.")] string? Role = null);

/// <summary>A member.</summary>
internal sealed record ClusterMemberResult(string Node, string Status, bool Reachable, IReadOnlyList<string> Roles);

/// <summary>Result of <c>cluster.members</c>.</summary>
internal sealed record ClusterMembersResult(
    [property: Description("Members that are up (or weakly up) and reachable.")] int Up,
    [property: Description("Members that this node cannot reach.")] int Unreachable,
    [property: Description("All members, whatever their status.")] int Total,
    [property: Description("Each with node, status, reachable and roles.")] IReadOnlyList<ClusterMemberResult> Members);

/// <summary>The cluster's members as this node sees them.</summary>
internal sealed class ClusterMembers(ActionDependencies dependencies) : GuardianProbe<ClusterMembersInput, ClusterMembersResult>
{
    public override string Name => "cluster.members";

    public override string Summary => "The cluster's members as this node sees them.";

    public override bool Anywhere => true;

    public override Task<ClusterMembersResult> MeasureAsync(ClusterMembersInput input, CancellationToken cancellation)
    {
        var state = dependencies.ClusterState?.Invoke() ?? throw new ActionFailedException("this node is not a member of a cluster");
        List<ClusterMemberResult> members =
        [
            .. state.Members.Where(x => input.Role is null || x.HasRole(input.Role)).Select(x => new ClusterMemberResult(
                x.Address.ToString(), x.Status.ToString().ToLowerInvariant(), !state.Unreachable.Contains(x), [.. x.Roles.Order(StringComparer.Ordinal)])),
        ];
        return Task.FromResult(new ClusterMembersResult(
            members.Count(x => x is { Reachable: true, Status: "up" or "weaklyup" }), members.Count(x => !x.Reachable), members.Count, members));
    }
}
