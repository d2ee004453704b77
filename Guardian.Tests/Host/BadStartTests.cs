using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Guardian.Actors.Hosting;
using Guardian.Host.Chaos;
using Guardian.Host.Cli;
using Guardian.Host.Hosting;
using Guardian.Tests.Hosting;

namespace Guardian.Tests.Host;

/// <summary>A value that cannot work is one line that names its key, never a stack trace.</summary>
public sealed class BadStartTests : IDisposable
{
    private readonly TestCertificates _certificates = new();
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("guardian-bad-start-");

    public void Dispose()
    {
        _certificates.Dispose();
        _data.Delete(recursive: true);
    }

    [Theory]
    [InlineData("sqlite", "nonsense")]
    [InlineData("sqlite", "Cache=Shared")]
    [InlineData("sqlite", "Data Source=x;Colour=blue")]
    [InlineData("postgres", "nonsense")]
    [InlineData("postgres", "Host=db;Port=many")]
    [InlineData("postgres", "Host=db;Colour=blue")]
    [InlineData("postgres", "Database=guardian")]
    public void A_connection_string_that_does_not_parse_is_named(string provider, string text)
    {
        var options = new GuardianOptions();
        (options.Persistence.Provider, options.Persistence.ConnectionString) = (provider, text);
        GuardianOptionsValidator.Validate(options).Should().ContainSingle().Which.Should().StartWith("Guardian:Persistence:ConnectionString: ").And.NotContain("\n");
    }

    [Theory]
    [InlineData("sqlite", "")]
    [InlineData("sqlite", "Data Source=/tmp/x.db;Default Timeout=3")]
    [InlineData("postgres", "Host=db;Database=guardian;Username=guardian;Password=a;SSL Mode=Require")]
    public void One_that_parses_is_not(string provider, string text)
    {
        var options = new GuardianOptions();
        (options.Persistence.Provider, options.Persistence.ConnectionString) = (provider, text);
        GuardianOptionsValidator.Validate(options).Should().BeEmpty();
    }

    [Fact]
    public void Certificates_that_are_none_or_have_another_key_are_named()
    {
        var (one, other) = (_certificates.Node("one"), _certificates.Node("other"));
        Check(one.CertificatePath, one.KeyPath).Should().BeEmpty();
        Check(one.CertificatePath, other.KeyPath).Should().ContainSingle().Which.Should().StartWith("Guardian:Http:Tls:");
        Check(one.KeyPath, one.KeyPath).Should().ContainSingle().Which.Should().StartWith("Guardian:Http:Tls:");
        File.WriteAllText(other.CertificatePath, "nonsense");
        Check(other.CertificatePath, one.KeyPath).Should().ContainSingle().Which.Should().StartWith("Guardian:Http:Tls:").And.NotContain("\n");
    }

    [Fact]
    public async Task An_address_of_another_machine_is_named()
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        // A documentation address (RFC 5737): no machine has it.
        var code = await GuardianCli.RunAsync(["run", $"--Guardian:Node:DataDirectory={_data.FullName}", "--Guardian:Http:Url=http://192.0.2.1:8558", "--Guardian:Http:BehindTlsProxy=true",
            "--Guardian:Http:ApiKeys:0:Principal=p", $"--Guardian:Http:ApiKeys:0:KeySha256={Convert.ToHexStringLower(SHA256.HashData("x"u8))}", "--Guardian:Http:ApiKeys:0:Roles:0=admin",
            "--Guardian:Files:Kernels=", "--Guardian:Monitors:Resources:Enabled=false", "--Logging:LogLevel:Default=None"], output, error);
        code.Should().Be(2);
        error.ToString().Trim().Should().StartWith("Guardian:Http:Url: http://192.0.2.1:8558 cannot be listened on: ").And.NotContain("\n");
    }

    [Fact]
    public async Task A_port_for_the_other_nodes_that_is_taken_is_named()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        using var error = new StringWriter();
        var code = await GuardianCli.RunAsync(["run", $"--Guardian:Node:DataDirectory={_data.FullName}", $"--Guardian:Http:Url=http://127.0.0.1:{LoopbackPorts.Free()}", $"--Guardian:Cluster:Port={port}",
            "--Guardian:Files:Kernels=", "--Guardian:Monitors:Resources:Enabled=false", "--Logging:LogLevel:Default=None"], TextWriter.Null, error);
        code.Should().Be(2);
        error.ToString().Trim().Should().StartWith($"Guardian:Cluster:Port: 127.0.0.1:{port} cannot be listened on for the other nodes: ").And.NotContain("\n");
    }

    /// <summary>Two drills that start at once are not given the same, and nobody else is given it before it listens.</summary>
    [Fact]
    public void Ports_are_given_once_and_none_that_the_system_gives_away()
    {
        var ports = Enumerable.Range(0, 300).AsParallel().Select(_ => LoopbackPorts.Free()).ToList();
        ports.Should().OnlyHaveUniqueItems().And.OnlyContain(x => x >= 20_000 && x < 32_768);
    }

    private static IReadOnlyList<string> Check(string certificate, string key) =>
        NodeListener.Check(new HttpOptions { Url = "https://127.0.0.1:0", Tls = new TlsOptions { CertificatePath = certificate, KeyPath = key } });
}
