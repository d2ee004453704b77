using Akka.Cluster;

namespace Guardian.Actors.Hosting;

/// <summary>
/// What a node says of itself by its cluster roles: they travel with the membership, so every member knows them from the moment on
/// that it knows the node, and forgets them with it.
/// </summary>
internal static class NodeRoles
{
    private const string NamePrefix = "guardian-node:";

    /// <summary>The node's journal is a file of its own: nobody can take over what it does.</summary>
    public const string OwnJournal = "guardian-journal:own";

    /// <summary>Roles of a node besides <see cref="ClusterJoining.Role"/>.</summary>
    public static IEnumerable<string> Of(string nodeName, bool ownJournal) => ownJournal ? [NamePrefix + nodeName, OwnJournal] : [NamePrefix + nodeName];

    /// <summary>True for what is said with a role and is none.</summary>
    public static bool IsInternal(string role) => role.StartsWith(NamePrefix, StringComparison.Ordinal) || role == OwnJournal;

    /// <summary>The name of a node that runs Guardian; null for others.</summary>
    public static string? NameOf(Member member) => member.Roles.FirstOrDefault(x => x.StartsWith(NamePrefix, StringComparison.Ordinal))?[NamePrefix.Length..];
}
