using System.Net.Sockets;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Cluster;
using Akka.Configuration;
using Guardian.Actors.Hosting;
using Guardian.Host.Hosting;
using Guardian.Tests.Hosting;

namespace Guardian.Tests.Clustering; // not Cluster: Akka has a class of that name

/// <summary>Real sockets: only nodes of this cluster's CA and name get in, and whoever else knocks changes nothing.</summary>
public sealed class RemotingTlsTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);
    private readonly TestCertificates _ours = new();
    private readonly TestCertificates _theirs = new();
    private readonly List<ActorSystem> _systems = [];

    public void Dispose()
    {
        Task.WaitAll([.. _systems.Select(x => x.Terminate())]);
        _ours.Dispose();
        _theirs.Dispose();
    }

    private ActorSystem Start(ClusterTlsOptions? tls, string name = "guardian")
    {
        var config = ConfigurationFactory.ParseString($$"""
            akka {
              loglevel = OFF
              stdout-loglevel = OFF
              actor.provider = cluster
              remote.dot-netty.tcp { hostname = "127.0.0.1", port = 0, enable-ssl = {{(tls is null ? "off" : "on")}} }
              coordinated-shutdown { run-by-actor-system-terminate = off, exit-clr = off }
              cluster { roles = ["guardian"], leader-actions-interval = 100ms, gossip-interval = 100ms, downing-provider-class = "", retry-unsuccessful-join-after = 500ms }
            }
            """);
        var setup = ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(config));
        var system = ActorSystem.Create(name, tls is null ? setup : setup.And(RemotingTls.Setup(tls)));
        _systems.Add(system);
        return system;
    }

    private static Akka.Cluster.Cluster Of(ActorSystem system) => Akka.Cluster.Cluster.Get(system);

    private static int Up(ActorSystem system) => Of(system).State.Members.Count(x => x.Status == MemberStatus.Up);

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var deadline = new CancellationTokenSource(Soon);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!condition()) await timer.WaitForNextTickAsync(deadline.Token);
    }

    /// <summary>Whether an actor of <paramref name="target"/> answers; the same question that a member gets answered at once.</summary>
    private static async Task<bool> ReachesAsync(ActorSystem from, Address target)
    {
        try
        {
            var root = from.ActorSelection(new RootActorPath(target) / "user");
            return (await root.Ask<ActorIdentity>(new Identify(1), TimeSpan.FromSeconds(3))).Subject is not null;
        }
        catch (AskTimeoutException)
        {
            return false;
        }
    }

    private static async Task RefusedAsync(ActorSystem intruder, Address target)
    {
        Of(intruder).Join(target);
        (await ReachesAsync(intruder, target)).Should().BeFalse();
        Of(intruder).State.Members.Should().BeEmpty();
    }

    [Fact]
    public async Task Nodes_of_one_CA_meet_and_nobody_else_gets_in()
    {
        var a = Start(_ours.Node("a"));
        var b = Start(_ours.Node("b"));
        Of(a).Join(Of(a).SelfAddress);
        Of(b).Join(Of(a).SelfAddress);
        await UntilAsync(() => Up(a) == 2 && Up(b) == 2);
        (await ReachesAsync(b, Of(a).SelfAddress)).Should().BeTrue();

        var theirs = _theirs.Node("c");
        await RefusedAsync(Start(new ClusterTlsOptions { CertificatePath = theirs.CertificatePath, KeyPath = theirs.KeyPath, CaPath = _ours.CaPath }), Of(a).SelfAddress);
        await RefusedAsync(Start(null), Of(a).SelfAddress.WithProtocol("akka.tcp"));
        await RefusedAsync(Start(_ours.Node("e"), "other"), new Address("akka.ssl.tcp", "other", "127.0.0.1", Of(a).SelfAddress.Port));

        var random = new Random(1);
        for (var i = 0; i < 20; i++)
        {
            using var socket = new TcpClient("127.0.0.1", Of(a).SelfAddress.Port!.Value);
            var garbage = new byte[random.Next(1, 100_000)];
            random.NextBytes(garbage);
            try
            {
                await socket.GetStream().WriteAsync(garbage);
            }
            catch (IOException)
            {
                // It hung up in the middle, as it should.
            }
        }

        Of(a).State.Members.Should().HaveCount(2);
        Of(a).State.Unreachable.Should().BeEmpty();
        var c = Start(_ours.Node("c"));
        Of(c).Join(Of(a).SelfAddress);
        await UntilAsync(() => Up(a) == 3 && Up(c) == 3); // the port still does its work
    }

    [Fact]
    public void Files_that_do_not_fit_are_named()
    {
        var now = DateTimeOffset.UtcNow;
        RemotingTls.Check(_ours.Node("a"), now).Should().BeEmpty();
        Check(x => x.CertificatePath = "/nowhere/node.pem").Should().Contain("CertificatePath: there is no file /nowhere/node.pem");
        Check(x => x.KeyPath = _ours.Node("b").KeyPath).Should().Contain("cannot be used");
        Check(x => x.CaPath = _theirs.CaPath).Should().Contain("the CA in CaPath does not vouch for it");
        Check(x => x.CaPath = x.KeyPath).Should().Contain("holds no certificate");
        RemotingTls.Check(_ours.Node("old", days: 1), now.AddDays(2)).Should().ContainSingle().Which.Should().Contain("the certificate ended at");

        string Check(Action<ClusterTlsOptions> change)
        {
            var tls = _ours.Node("a");
            change(tls);
            return RemotingTls.Check(tls, now).Should().ContainSingle().Which;
        }
    }
}
