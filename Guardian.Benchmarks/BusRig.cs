using Akka.Actor;
using Akka.Configuration;
using Guardian.Actors.Access;
using Guardian.Actors.Blacklisting;
using Guardian.Actors.Bus;
using Guardian.Actors.Hosting;

namespace Guardian.Benchmarks;

/// <summary>A bus and a real mediator in one actor system.</summary>
internal sealed class BusRig : IAsyncDisposable
{
    public BusRig()
    {
        System = ActorSystem.Create("bench", ConfigurationFactory.ParseString("""
            akka.loglevel = ERROR
            akka.actor.provider = cluster
            akka.remote.dot-netty.tcp { hostname = "127.0.0.1", port = 0 }
            """).WithFallback(Akka.Cluster.Tools.PublishSubscribe.DistributedPubSub.DefaultConfig()));
        var cluster = Akka.Cluster.Cluster.Get(System);
        cluster.Join(cluster.SelfAddress);
        Mediator = Akka.Cluster.Tools.PublishSubscribe.DistributedPubSub.Get(System).Mediator;
        var rules = new PrincipalDefinition { PublishAllow = ["library.>"], SubscribeAllow = ["library.>"] };
        var policy = AccessPolicy.Compile(new AccessPolicyDefinition { Principals = new Dictionary<string, PrincipalDefinition> { ["librarian"] = rules } }, "bench");
        State = BusState.Create(new BusOptions { DefaultQueue = 1_000_000 }, new PolicyStore(policy, TimeProvider.System, TimeSpan.FromMinutes(10)), new BanView(TimeProvider.System), TimeProvider.System, "bench", 1);
        Bus = System.ActorOf(MessageBus.Props(State, Mediator), "bus");
        Gateway = new BusGateway(State, Bus);
    }

    public ActorSystem System { get; }

    public IActorRef Mediator { get; }

    public BusState State { get; }

    public IActorRef Bus { get; }

    public BusGateway Gateway { get; }

    public async ValueTask DisposeAsync() => await System.Terminate();
}
