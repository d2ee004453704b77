using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using Akka.Cluster;
using Akka.Configuration;
using Akka.Discovery;
using Akka.Event;
using Akka.Hosting;
using Guardian.Actors.Hosting;

namespace Guardian.Host.Hosting;

/// <summary>Akka.Discovery by DNS: every address of a name, in order.</summary>
#pragma warning disable CA1812 // made by Akka.Discovery from its name in the configuration
internal sealed class DnsDiscovery : ServiceDiscovery
{
    public DnsDiscovery(ExtendedActorSystem system) => ArgumentNullException.ThrowIfNull(system);

    public override async Task<Resolved> Lookup(Lookup lookup, TimeSpan resolveTimeout)
    {
        try
        {
            var addresses = await Dns.GetHostAddressesAsync(lookup.ServiceName).WaitAsync(resolveTimeout);
            return new Resolved(lookup.ServiceName, addresses.OrderBy(x => x.AddressFamily).ThenBy(x => x.ToString(), StringComparer.Ordinal)
                .Select(x => new ResolvedTarget(x.ToString(), null, x)));
        }
        catch (Exception e) when (e is SocketException or TimeoutException)
        {
            return new Resolved(lookup.ServiceName); // not known yet: asked again
        }
    }
}
#pragma warning restore CA1812

/// <summary>Joins by what discovery finds.</summary>
internal static class DnsSeedNodes
{
    private static readonly TimeSpan LookupTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(1);

    private static readonly Config Method = ConfigurationFactory.ParseString($$"""
        akka.discovery { method = guardian-dns, guardian-dns.class = "{{typeof(DnsDiscovery).AssemblyQualifiedName}}" }
        """);

    public static AkkaConfigurationBuilder WithDnsSeedNodes(this AkkaConfigurationBuilder akka, ClusterOptions options) => akka
        .AddHocon(Method, HoconAddMode.Prepend)
        .AddStartup((system, _) => { JoinAsync(system, options).PipeTo(ActorRefs.Nobody, failure: e => Log(system, e)); });

    /// <summary>
    /// Two looks in a row must find the same nodes, enough of them, this one among them: only then do all agree on the first, which
    /// may begin the cluster when none of the others has one.
    /// </summary>
    private static async Task JoinAsync(ActorSystem system, ClusterOptions options)
    {
        var (cluster, discovery) = (Cluster.Get(system), Discovery.Get(system).Default);
        ImmutableList<Address> before = [];
        while (!system.WhenTerminated.IsCompleted)
        {
            var found = await discovery.Lookup(options.Discovery.Name, LookupTimeout);
            var seeds = found.Addresses.Select(x => new Address(cluster.SelfAddress.Protocol, system.Name, x.Host, x.Port ?? options.EffectivePort)).ToImmutableList();
            if (seeds.SequenceEqual(before) && seeds.Count >= options.Discovery.Required && seeds.Contains(cluster.SelfAddress))
            {
                system.Log.Info("Joining by {0}: {1}", options.Discovery.Name, string.Join(", ", seeds));
                cluster.JoinSeedNodes(seeds);
                return;
            }

            if (!seeds.SequenceEqual(before))
                system.Log.Info("{0} names {1} nodes ({2} needed, {3} among them: {4})", options.Discovery.Name, seeds.Count, options.Discovery.Required, cluster.SelfAddress, seeds.Contains(cluster.SelfAddress));
            before = seeds;
            await Task.Delay(Again);
        }
    }

    private static Exception Log(ActorSystem system, Exception e)
    {
        system.Log.Error(e, "Joining by discovery failed; this node stays alone and not ready. Start it again");
        return e;
    }
}
