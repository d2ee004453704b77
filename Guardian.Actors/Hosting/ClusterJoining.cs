using Akka.Actor;
using Akka.Configuration;
using Akka.Hosting;

namespace Guardian.Actors.Hosting;

/// <summary>Sees to it that the actor system is a cluster member with the role <c>guardian</c>.</summary>
internal static class ClusterJoining
{
    /// <summary>Role of every node that runs Guardian.</summary>
    public const string Role = "guardian";

    // Appended, so that they count only where the application says nothing: a system that was not remote listens on a
    // free loopback port.
    private static readonly Config Loopback = ConfigurationFactory.ParseString("""
        akka.remote.dot-netty.tcp { hostname = "127.0.0.1", port = 0 }
        """);

    /// <summary>
    /// Adds cluster and role to what the application has configured so far. A system that was no cluster becomes a
    /// cluster of one; one that was joins as its application decides.
    /// </summary>
    public static AkkaConfigurationBuilder WithGuardianRole(this AkkaConfigurationBuilder builder, string nodeName, bool ownJournal)
    {
        var configured = builder.Configuration.HasValue ? builder.Configuration.Value : Config.Empty;
        var wasCluster = builder.ActorRefProvider is { HasValue: true, Value: ProviderSelection.Cluster }
            || configured.GetString("akka.actor.provider", "").Contains("cluster", StringComparison.OrdinalIgnoreCase);
        if (!wasCluster)
        {
            builder.WithActorRefProvider(ProviderSelection.Cluster.Instance);
            builder.AddStartup((system, _) => JoinSelfWhereAlone(system));
        }

        var roles = configured.GetStringList("akka.cluster.roles", []).Append(Role).Concat(NodeRoles.Of(nodeName, ownJournal)).Distinct(StringComparer.Ordinal);
        return builder
            .AddHocon(ConfigurationFactory.ParseString($"akka.cluster.roles = [{string.Join(", ", roles.Select(x => $"\"{x}\""))}]"), HoconAddMode.Prepend)
            .AddHocon(Loopback, HoconAddMode.Append);
    }

    /// <summary>Joins itself where no seed nodes are named and nobody was joined.</summary>
    public static void JoinSelfWhereAlone(ActorSystem system)
    {
        var cluster = Akka.Cluster.Cluster.Get(system);
        if (cluster.Settings.SeedNodes.IsEmpty && cluster.State.Members.IsEmpty) cluster.Join(cluster.SelfAddress);
    }
}
