using Guardian.Actors.Hosting;

namespace Guardian.Tests.Hosting;

public sealed class ClusterOptionsTests
{
    private static IReadOnlyList<string> Validate(Action<ClusterOptions> set, bool postgres = true)
    {
        var options = new GuardianOptions();
        if (postgres) (options.Persistence.Provider, options.Persistence.ConnectionString) = ("postgres", "Host=db");
        set(options.Cluster);
        return GuardianOptionsValidator.Validate(options);
    }

    [Fact]
    public void Beyond_loopback_the_nodes_need_TLS_or_an_explicit_word()
    {
        Validate(x => x.Hostname = "10.0.0.1").Should().ContainSingle().Which.Should().StartWith("Guardian:Cluster:Hostname: 10.0.0.1").And.Contain("Guardian:Cluster:Tls");
        Validate(x => x.BindHostname = "0.0.0.0").Should().ContainSingle().Which.Should().StartWith("Guardian:Cluster:BindHostname: 0.0.0.0");
        Validate(x => (x.Hostname, x.AllowPlaintext) = ("10.0.0.1", true)).Should().BeEmpty();
        Validate(x => (x.Hostname, x.Tls) = ("node-0.guardian", new ClusterTlsOptions { CertificatePath = "a", KeyPath = "b", CaPath = "c" })).Should().BeEmpty();
        Validate(x => x.Tls = new ClusterTlsOptions { CertificatePath = "a" }).Should().HaveCount(2).And.OnlyContain(x => x.StartsWith("Guardian:Cluster:Tls:"));
        foreach (var loopback in new[] { "127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost" }) Validate(x => x.Hostname = loopback).Should().BeEmpty(loopback);
    }

    [Theory]
    [InlineData("10.0.0.1:4053", "is not an address")]
    [InlineData("akka.tcp://guardian@10.0.0.1", "is not an address")]
    [InlineData("http://10.0.0.1:4053", "is not an address")]
    [InlineData("akka.tcp://other@10.0.0.1:4053", "is of the system 'other'")]
    public void A_bad_seed_node_is_named(string seed, string because) =>
        Validate(x => x.SeedNodes = [seed]).Should().ContainSingle().Which.Should().StartWith("Guardian:Cluster:SeedNodes:0: ").And.Contain(because);

    [Fact]
    public void SQLite_is_refused_where_peers_are_named()
    {
        Validate(x => x.SeedNodes = ["akka.tcp://guardian@127.0.0.1:4053"], postgres: false).Should().ContainSingle().Which.Should().Contain("sqlite").And.Contain("SeedNodes");
        Validate(x => x.Discovery.Name = "guardian", postgres: false).Should().ContainSingle().Which.Should().Contain("sqlite").And.Contain("Discovery");
    }

    [Fact]
    public void One_way_to_the_peers_is_enough() =>
        Validate(x => (x.SeedNodes, x.Discovery.Name) = (["akka.tcp://guardian@127.0.0.1:4053"], "guardian")).Should().ContainSingle().Which.Should().StartWith("Guardian:Cluster:Discovery:Name");

    [Fact]
    public void A_cluster_has_a_port_of_its_own()
    {
        new ClusterOptions().EffectivePort.Should().Be(0);
        new ClusterOptions { SeedNodes = ["x"] }.EffectivePort.Should().Be(4053);
        new ClusterOptions { SeedNodes = ["x"], Port = 5 }.EffectivePort.Should().Be(5);
    }
}
