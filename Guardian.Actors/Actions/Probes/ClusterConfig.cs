using System.ComponentModel;

namespace Guardian.Actors.Actions.Probes;

/// <summary>Input of <c>cluster.config</c>.</summary>
internal sealed record ClusterConfigInput([property: Description("policy or playbooks; both where it is missing.")] string? What = null);

/// <summary>Result of <c>cluster.config</c>.</summary>
internal sealed record ClusterConfigResult(
    [property: Description("True where all nodes that answer were configured alike.")] bool Same,
    [property: Description("What differs: policy, playbooks.")] IReadOnlyList<string> Differs,
    [property: Description("Nodes that answer and have said what they run.")] int Nodes);

/// <summary>Whether the nodes run the same policy and playbooks.</summary>
internal sealed class ClusterConfig(ActionDependencies dependencies) : GuardianProbe<ClusterConfigInput, ClusterConfigResult>
{
    public override string Name => "cluster.config";

    public override string Summary => "Whether the nodes run the same policy and the same playbooks.";

    public override bool Anywhere => true;

    public override Task<ClusterConfigResult> MeasureAsync(ClusterConfigInput input, CancellationToken cancellation)
    {
        var seen = dependencies.Cluster() ?? throw new ActionFailedException("this node is not a member of a cluster");
        var told = seen.Nodes.Where(x => x.Reachable && x.Hashes.Count > 0).ToList();
        string[] differs =
        [
            .. told.SelectMany(x => x.Hashes).Where(x => input.What is null || x.Key == input.What)
                .GroupBy(x => x.Key, x => x.Value, StringComparer.Ordinal).Where(x => x.Distinct(StringComparer.Ordinal).Count() > 1)
                .Select(x => x.Key).Order(StringComparer.Ordinal),
        ];
        return Task.FromResult(new ClusterConfigResult(differs.Length == 0, differs, told.Count));
    }
}
