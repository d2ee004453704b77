using System.Text.Json;
using Guardian.Actors.Resources;
using Guardian.Host.Cli;
using Guardian.Host.Hosting;
using Guardian.Host.Http.Security;
using Guardian.Tests.Playbooks;
using Microsoft.Extensions.Configuration;

namespace Guardian.Tests.Host;

public sealed class CommandLineTests
{
    private static async Task<(int Code, string Out, string Error)> RunAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await GuardianCli.RunAsync(args, output, error);
        return (code, output.ToString(), error.ToString());
    }

    [Fact]
    public async Task Against_a_node_commands_read_and_change_and_json_is_json_alone()
    {
        await using var host = await HostFixture.StartAsync();
        _ = host.AdminKey;
        string[] node = ["--url", host.Url.AbsoluteUri, $"--Guardian:Node:DataDirectory={host.DataDirectory}"];
        foreach (var command in (string[][])[["status"], ["incidents"], ["runs"], ["runs", "r-1"], ["blacklist", "list"], ["mitigations"], ["mode"],
            ["hold", "--reason", "r"], ["resume"], ["blacklist", "add", "x", "--for", "5m"]])
        {
            var plain = await RunAsync([.. command, .. node]);
            plain.Code.Should().Be(0, string.Join(' ', command) + ": " + plain.Error);
            var json = await RunAsync([.. command, .. node, "--json"]);
            json.Code.Should().Be(0);
            JsonDocument.Parse(json.Out).RootElement.ValueKind.Should().NotBe(JsonValueKind.Undefined, "the admin key beside the data is found");
        }

        (await RunAsync(["runs", "none", .. node])).Should().BeEquivalentTo((1, "", "Not found: no run 'none' (404 not-found)" + Environment.NewLine));
        (await RunAsync(["hold", "--key", "wrong", .. node])).Code.Should().Be(1);
    }

    [Fact]
    public async Task A_node_that_is_not_there_is_exit_code_3()
    {
        var (code, _, error) = await RunAsync("status", "--url", "http://127.0.0.1:1");
        (code, error).Should().Match<(int, string)>(x => x.Item1 == 3 && x.Item2.StartsWith("cannot reach http://127.0.0.1:1", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("keys", "new")]
    [InlineData("policy", "check", "--principal", "p")]
    [InlineData("policy", "diff")]
    [InlineData("mode", "sometimes")]
    [InlineData("status", "--url", "not an address")]
    [InlineData("status", "--Guardian:Mode=sometimes")]
    [InlineData("keys", "new", "--principal", "p", "--role", "king")]
    public async Task Wrong_usage_is_exit_code_2(params string[] args)
    {
        var (code, output, error) = await RunAsync(args);
        (code, output).Should().Be((2, ""));
        error.Should().NotBeEmpty().And.NotContain("   at ");
    }

    [Theory]
    [InlineData("chaos", "run", "S00", "--url", "http://127.0.0.1:1", "--yes", "--Guardian:Mode=bad")]
    [InlineData("chaos", "run", "S00", "--url", "http://127.0.0.1:1", "--yes")]
    [InlineData("chaos", "list", "--Guardian:Files:Scenarios=no-such-folder")]
    public async Task Under_chaos_usage_and_an_unreachable_node_are_exit_code_6(params string[] args) =>
        (await RunAsync(args)).Code.Should().Be(6);

    [Fact]
    public async Task A_stream_that_breaks_is_exit_code_3()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var events = RunAsync("events", "--url", $"http://{listener.LocalEndpoint}");
        using (var node = await listener.AcceptTcpClientAsync())
        {
            var stream = node.GetStream();
            var request = new byte[4096];
            (await stream.ReadAsync(request)).Should().BePositive();
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n: open\n\n\r\n"u8.ToArray());
        } // killed: no last chunk

        var (code, _, error) = await events.WaitAsync(TimeSpan.FromSeconds(30));
        code.Should().Be(3);
        error.Should().Contain($"http://{listener.LocalEndpoint}").And.NotContain("   at ");
    }

    [Fact]
    public async Task A_principal_with_a_slash_is_banned_by_its_name()
    {
        await using var host = await HostFixture.StartAsync();
        _ = host.AdminKey;
        (await RunAsync("blacklist", "add", "team/a", "--url", host.Url.AbsoluteUri, $"--Guardian:Node:DataDirectory={host.DataDirectory}")).Code.Should().Be(0);
        host.Commands.OfType<Guardian.Actors.Blacklisting.BanPrincipal>().Single().Principal.Should().Be("team/a");
    }

    [Fact]
    public async Task Status_shows_what_the_node_measures()
    {
        await using var host = await HostFixture.StartAsync(x => x.Resources.Set(new ResourceSample
        {
            At = DateTimeOffset.UnixEpoch, Clock = TimeSpan.Zero, Cpu = new Gauge(12.34, "cgroup", DateTimeOffset.UnixEpoch),
            Memory = Gauge.NotKnown("cgroup", DateTimeOffset.UnixEpoch, "no meminfo"), Disks = [new DiskGauge("/data", new Gauge(50, "statvfs", DateTimeOffset.UnixEpoch), null)],
        }));
        (await RunAsync("status", "--url", host.Url.AbsoluteUri)).Out.Should().MatchRegex("processor +12.3 %").And.MatchRegex("memory +not known: no meminfo").And.MatchRegex("disk +/data 50 %");
    }

    [Fact]
    public async Task A_new_key_is_shown_once_with_the_hash_to_configure()
    {
        var (code, output, _) = await RunAsync("keys", "new", "--principal", "alice", "--role", "operator", "--expires", "90d", "--json");
        code.Should().Be(0);
        var made = JsonDocument.Parse(output).RootElement;
        var key = made.GetProperty("key").GetString()!;
        made.GetProperty("entry").GetProperty("KeySha256").GetString().Should().Be(Convert.ToHexStringLower(ApiKeyRing.Hash(key)));
        (await RunAsync("keys", "new", "--principal", "alice")).Out.Should().Contain("\"KeySha256\"");
    }

    [Fact]
    public async Task A_new_policy_is_compared_with_the_one_in_use()
    {
        var shipped = Path.Combine(RepositoryFiles.Folder("policies"), "access.yaml");
        (await RunAsync("policy", "diff", shipped, "--file", shipped)).Should().BeEquivalentTo((0, "no decision changes" + Environment.NewLine, ""));
        var folder = Directory.CreateTempSubdirectory("guardian-policy-");
        var next = Path.Combine(folder.FullName, "next.yaml");
        await File.WriteAllTextAsync(next, (await File.ReadAllTextAsync(shipped)).Replace("  archivist:", "  scribe:", StringComparison.Ordinal));
        var (code, output, error) = await RunAsync("policy", "diff", next, "--file", shipped, "--json");
        (code, error).Should().Be((1, ""));
        JsonDocument.Parse(output).RootElement.EnumerateArray().Select(x => (x.GetProperty("principal").GetString(), x.GetProperty("after").GetString()!.Split(' ')[0]))
            .Distinct().Should().BeEquivalentTo([("archivist", "denied"), ("scribe", "allowed")]);
        await File.WriteAllTextAsync(next, "kind: nonsense");
        (await RunAsync("policy", "diff", next, "--file", shipped)).Error.Should().Contain("next.yaml:1:");
        (await RunAsync("policy", "diff", shipped, "--file", shipped, "--trace", "no-such.jsonl")).Code.Should().Be(2);
        folder.Delete(recursive: true);
    }

    [Fact]
    public void Every_bad_value_is_named_in_one_line_each()
    {
        var configuration = new ConfigurationManager();
        configuration.AddCommandLine(["--Guardian:Mode=sometimes", "--Guardian:Monitors:Acl:SpamWindow=soon", "--Guardian:Bus:MaxTopics=many", "--Guardian:Nonsense=1", "--Guardian:Mode:X=1"]);
        var (_, errors, warnings) = OptionsBinder.Bind(configuration);
        errors.Should().HaveCount(3);
        errors.Should().Contain(x => x.StartsWith("Guardian:Mode: 'sometimes' is not one of observe, propose, enforce", StringComparison.Ordinal))
            .And.Contain(x => x.StartsWith("Guardian:Monitors:Acl:SpamWindow: 'soon'", StringComparison.Ordinal))
            .And.Contain(x => x.StartsWith("Guardian:Bus:MaxTopics: 'many' is not a whole number", StringComparison.Ordinal));
        warnings.Should().ContainSingle(x => x.StartsWith("Guardian:Nonsense:", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--Guardian:Http:Url=http://0.0.0.0:0", "Guardian:Http:Url")]
    [InlineData("--Guardian:Http:Url=https://127.0.0.1:0", "Guardian:Http:Url")]
    [InlineData("--Guardian:Http:Url=http://example.org:80", "Guardian:Http:Url")]
    [InlineData("--Guardian:Bus:DefaultQueue=0", "Guardian:Bus:DefaultQueue")]
    [InlineData("--Guardian:Mode=7", "Guardian:Mode")]
    public async Task The_node_does_not_start_with_a_bad_option_and_names_the_key(string option, string key)
    {
        var (code, output, error) = await RunAsync("run", option);
        (code, output).Should().Be((2, ""));
        error.Should().StartWith(key).And.NotContain("   at ");
    }

    [Fact]
    public void Options_of_the_node_are_told_from_the_command_lines_own()
    {
        var (overrides, rest) = NodeConfiguration.Split(["run", "--Guardian:Mode", "observe", "--json", "--guardian:http:url=http://x", "--Logging:LogLevel:Default=Debug"]);
        overrides.Should().Equal("--Guardian:Mode", "observe", "--guardian:http:url=http://x", "--Logging:LogLevel:Default=Debug");
        rest.Should().Equal("run", "--json");
    }

    [Fact]
    public void Every_option_is_documented()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory!.FullName, "Guardian.sln"))) directory = directory.Parent;
        var documented = File.ReadAllText(Path.Combine(directory.FullName, "docs", "configuration.md"));
        var keys = Keys(typeof(Guardian.Actors.Hosting.GuardianOptions), "Guardian").ToList();
        keys.Should().HaveCountGreaterThan(30).And.OnlyContain(x => documented.Contains($"`{x}`", StringComparison.Ordinal));
    }

    private static IEnumerable<string> Keys(Type type, string at) => type.GetProperties().Where(x => x.CanWrite).SelectMany(x =>
        x.PropertyType.IsClass && x.PropertyType != typeof(string) ? Keys(x.PropertyType, $"{at}:{x.Name}") : [$"{at}:{x.Name}"]);
}
