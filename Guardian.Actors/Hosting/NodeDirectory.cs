using Akka.Actor;
using Akka.Cluster;
using Guardian.Playbooks.Execution;

namespace Guardian.Actors.Hosting;

/// <summary>The cluster's nodes by name, as this node sees the membership now. Thread-safe.</summary>
internal sealed class NodeDirectory(ActorSystem system)
{
    private readonly Cluster _cluster = Cluster.Get(system);

    /// <summary>Nodes that run Guardian and are not gone: also unreachable ones, since their outcome is open until they are removed.</summary>
    public IReadOnlyList<(string Name, Member Member)> All =>
    [
        .. _cluster.State.Members
            .Where(x => x.Status is not (MemberStatus.Removed or MemberStatus.Down) && NodeRoles.NameOf(x) is not null)
            .OrderBy(x => x, Member.AgeOrdering)
            .Select(x => (NodeRoles.NameOf(x)!, x)).DistinctBy(x => x.Item1, StringComparer.Ordinal),
    ];

    /// <summary>What steps may go to; null while this node is no member itself and so does not know.</summary>
    public IReadOnlyList<TargetNode>? Targets() => _cluster.SelfMember.Status is MemberStatus.Removed or MemberStatus.Down
        ? null
        : [.. All.Select(x => new TargetNode(x.Name, [.. x.Member.Roles.Where(r => !NodeRoles.IsInternal(r))]))];

    /// <summary>The node's member; null where it is not in the cluster. Of two with one name the older: the younger is refused.</summary>
    public Member? Find(string name) => All.FirstOrDefault(x => x.Name == name).Member;

    /// <summary>Why this node may not stay: its name is taken, or a journal in a file meets other nodes. Null where it may.</summary>
    public NodeConflict? Conflict(string ownName)
    {
        var state = _cluster.State;
        var self = _cluster.SelfMember;
        foreach (var other in state.Members)
        {
            if (other.UniqueAddress.Equals(self.UniqueAddress) || other.Status is MemberStatus.Removed or MemberStatus.Down or MemberStatus.Exiting) continue;
            if (NodeRoles.NameOf(other) is not { } name || !other.IsOlderThan(self)) continue;
            if (name == ownName)
                return new NodeConflict($"the name '{ownName}' (Guardian:Node:Name) is taken by {other.Address}; every node needs its own", true, !state.Unreachable.Contains(other));
            if (self.HasRole(NodeRoles.OwnJournal))
                return new NodeConflict($"its journal is SQLite and {other.Address} is in the cluster; nodes share a journal, use Guardian:Persistence:Provider=postgres", false, true);
            if (other.HasRole(NodeRoles.OwnJournal))
                return new NodeConflict($"the journal of {other.Address} is SQLite, which no other node can share; give it Guardian:Persistence:Provider=postgres, or join another cluster", false, true);
        }

        return null;
    }
}

/// <param name="Reason">For people.</param>
/// <param name="MayPass">The other one may be gone soon, perhaps it is this node's own earlier life.</param>
/// <param name="Answers">It is reachable, as far as is known.</param>
internal sealed record NodeConflict(string Reason, bool MayPass, bool Answers);
