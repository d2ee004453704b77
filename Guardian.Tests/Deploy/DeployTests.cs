using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Guardian.Actors.Hosting;
using Guardian.Host.Hosting;
using Guardian.Tests.Playbooks;
using Microsoft.Extensions.Configuration;
using YamlDotNet.Serialization;

namespace Guardian.Tests.Deploy;

/// <summary>What is shipped for deployment names options, ports, paths and accounts that the code has.</summary>
public sealed partial class DeployTests
{
    private const string User = "1654"; // the account "app" of the runtime image
    private static readonly int ClusterPort = ClusterOptions.DefaultPort;
    private static readonly int HttpPort = new Uri(new HttpOptions().Url).Port;
    private static readonly int ProbePort = HttpPort + 1;

    private static string Read(string file) => File.ReadAllText(Path.Combine(RepositoryFiles.Folder("deploy"), file));

    private static Dictionary<object, object> Map(object node) => (Dictionary<object, object>)node;

    private static List<object> List(object node) => (List<object>)node;

    private static object At(object node, string path) => path.Split('/').Aggregate(node, (x, key) => int.TryParse(key, CultureInfo.InvariantCulture, out var index) ? List(x)[index] : Map(x)[key]);

    private static Dictionary<object, object>[] Documents(string file)
    {
        var deserializer = new DeserializerBuilder().Build();
        return [.. Read(file).Split("\n---\n").Select(x => deserializer.Deserialize<Dictionary<object, object>>(new YamlDotNet.Core.MergingParser(new YamlDotNet.Core.Parser(new StringReader(x)))))];
    }

    /// <summary>The environment as a node would read it: every key known, every value good.</summary>
    private static GuardianOptions Bind(IEnumerable<KeyValuePair<string, string>> environment)
    {
        var settings = environment.Where(x => x.Key.StartsWith("Guardian__", StringComparison.Ordinal)).ToDictionary(x => x.Key.Replace("__", ":"), x => (string?)x.Value);
        settings.Should().NotBeEmpty();
        var (options, errors, warnings) = OptionsBinder.Bind(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
        errors.Should().BeEmpty();
        warnings.Should().BeEmpty();
        return options;
    }

    [Fact]
    public void Dockerfile_runs_the_host_without_root_and_exposes_its_ports()
    {
        var lines = Read("Dockerfile").Replace("\\\n", "").Split('\n').Select(x => x.Trim()).ToList();
        lines.Count(x => x.StartsWith("FROM ", StringComparison.Ordinal)).Should().Be(2, "what builds is not shipped");
        lines.Should().Contain($"USER {User}:{User}");
        lines.Should().Contain($"EXPOSE {ClusterPort} {HttpPort} {ProbePort}");
        lines.Should().Contain($"ENTRYPOINT [\"dotnet\", \"{typeof(Guardian.Host.ExitCodes).Assembly.GetName().Name}.dll\"]");
        Directory.Exists(RepositoryFiles.Folder("Guardian.Host")).Should().BeTrue("it is published");
        Bind(Environment().Matches(Read("Dockerfile")).Select(x => KeyValuePair.Create(x.Groups[1].Value, x.Groups[2].Value))).Node.DataDirectory.Should().Be("/data");
    }

    [Fact]
    public void Compose_starts_three_nodes_that_know_each_other()
    {
        var compose = Documents("compose.yaml").Single();
        var services = Map(compose["services"]);
        var nodes = services.Where(x => ((string)x.Key).StartsWith("guardian-", StringComparison.Ordinal)).ToDictionary(x => (string)x.Key, x => Map(x.Value));
        nodes.Should().HaveCount(3);
        foreach (var (name, node) in nodes)
        {
            var options = Bind(Map(node["environment"]).Select(x => KeyValuePair.Create((string)x.Key, Filled((string)x.Value))));
            (options.Node.Name, options.Cluster.Hostname, options.Cluster.EffectivePort, options.Persistence.Provider).Should().Be((name, name, ClusterPort, "postgres"));
            options.Cluster.SeedNodes.Should().Equal(nodes.Keys.Select(x => $"akka.tcp://{options.Cluster.SystemName}@{x}:{ClusterPort}"));
            options.Persistence.ConnectionString.Should().Contain("Host=postgres").And.Contain("Username=" + At(services["postgres"], "environment/POSTGRES_USER"));
            (node["read_only"], node["user"]).Should().Be(("true", $"{User}:{User}"));
            List(node["volumes"]).Should().ContainSingle().Which.Should().Match(x => ((string)x).EndsWith(":/data", StringComparison.Ordinal));
            At(node, "build/dockerfile").Should().Be("deploy/Dockerfile");
        }

        new Uri(Bind(Map(nodes["guardian-0"]["environment"]).Select(x => KeyValuePair.Create((string)x.Key, Filled((string)x.Value)))).Http.Url).Port.Should().Be(HttpPort);
        At(nodes["guardian-0"], "ports/0").Should().Be($"127.0.0.1:{HttpPort}:{HttpPort}");
    }

    [Fact]
    public void Kubernetes_manifests_agree_with_each_other_and_with_the_code()
    {
        var documents = Documents("kubernetes.yaml");
        object Only(string kind, string name) => documents.Single(x => (string)x["kind"] == kind && (string)At(x, "metadata/name") == name);
        var set = Only("StatefulSet", "guardian");
        var container = At(set, "spec/template/spec/containers/0");
        var replicas = int.Parse((string)At(set, "spec/replicas"), CultureInfo.InvariantCulture);
        var environment = List(Map(container)["env"]).Select(Map).Where(x => ((string)x["name"]).StartsWith("Guardian__", StringComparison.Ordinal))
            .Select(x => KeyValuePair.Create((string)x["name"], x.TryGetValue("value", out var value) ? Filled((string)value).Replace("$(POD_NAME)", "guardian-1") : Secret((string)At(x, "valueFrom/secretKeyRef/key")))).ToList();
        var options = Bind(environment);

        var headless = Only("Service", (string)At(set, "spec/serviceName"));
        (At(headless, "spec/clusterIP"), At(headless, "spec/publishNotReadyAddresses")).Should().Be(("None", "true"));
        options.Cluster.Hostname.Should().Be($"guardian-1.{At(headless, "metadata/name")}");
        options.Cluster.SeedNodes.Should().Equal(Enumerable.Range(0, replicas).Select(x => $"akka.tcp://{options.Cluster.SystemName}@guardian-{x}.guardian:{ClusterPort}"));
        int.Parse((string)At(Only("PodDisruptionBudget", "guardian"), "spec/minAvailable"), CultureInfo.InvariantCulture).Should().Be((replicas / 2) + 1, "a majority must stay");

        var ports = List(Map(container)["ports"]).Select(Map).ToDictionary(x => (string)x["name"], x => int.Parse((string)x["containerPort"], CultureInfo.InvariantCulture));
        ports.Should().Equal(new Dictionary<string, int> { ["remoting"] = options.Cluster.EffectivePort, ["http"] = new Uri(options.Http.Url).Port, ["probes"] = new Uri(options.Http.ProbeUrl).Port });
        foreach (var (probe, path) in new[] { ("startupProbe", "/alive"), ("livenessProbe", "/alive"), ("readinessProbe", "/ready") })
            (At(container, $"{probe}/httpGet/path"), At(container, $"{probe}/httpGet/port"), At(container, $"{probe}/timeoutSeconds")).Should().Be((path, "probes", "5"));
        At(container, "livenessProbe/failureThreshold").Should().Be("6");

        (At(container, "securityContext/readOnlyRootFilesystem"), At(set, "spec/template/spec/securityContext/runAsNonRoot"), At(set, "spec/template/spec/securityContext/runAsUser")).Should().Be(("true", "true", User));
        var mounts = List(Map(container)["volumeMounts"]).Select(Map).ToDictionary(x => (string)x["name"], x => (string)x["mountPath"]);
        options.Node.DataDirectory.Should().Be(mounts["data"]);
        foreach (var file in new[] { options.Cluster.Tls!.CertificatePath, options.Cluster.Tls.KeyPath, options.Cluster.Tls.CaPath }) file.Should().StartWith(mounts["tls"] + "/");
        foreach (var service in documents.Where(x => (string)x["kind"] == "Service")) ports.Keys.Should().Contain((string)At(service, "spec/ports/0/targetPort"));
    }

    [Fact]
    public void The_systemd_unit_runs_the_host_as_an_account_of_its_own()
    {
        var unit = Read("guardian.service").Split('\n').Where(x => x.Contains('=', StringComparison.Ordinal) && !x.StartsWith('#')).Select(x => x.Split('=', 2)).ToLookup(x => x[0], x => x[1]);
        unit["ExecStart"].Single().Should().EndWith("/guardian.dll run");
        unit["User"].Single().Should().Be("guardian");
        unit["Restart"].Single().Should().Be("always");
        unit["KillMode"].Single().Should().Be("process", "kernels survive a crash of the node, and its end stops them in order");
        Bind(unit["Environment"].Select(x => x.Split('=', 2)).Select(x => KeyValuePair.Create(x[0], x[1]))).Node.DataDirectory.Should().Be("/var/lib/" + unit["StateDirectory"].Single());
        var shutdown = (TimeSpan)typeof(Guardian.Host.NodeHost).GetField("ShutdownTimeout", BindingFlags.NonPublic | BindingFlags.Static)!.GetValue(null)!;
        int.Parse(unit["TimeoutStopSec"].Single(), CultureInfo.InvariantCulture).Should().BeGreaterThan((int)shutdown.TotalSeconds, "it must be able to hand over");
    }

    private static string Secret(string key) => key switch
    {
        "connection-string" => "Host=db;Database=guardian",
        "api-key-sha256" => new string('a', 64),
        _ => throw new InvalidOperationException($"no secret has the key '{key}'"),
    };

    private static string Filled(string value) => Variable().Replace(value, x => x.Groups[1].Value == "GUARDIAN_KEY_SHA256" ? new string('a', 64) : "x");

    [GeneratedRegex(@"\$\{([A-Z_0-9]+)[^}]*\}")]
    private static partial Regex Variable();

    [GeneratedRegex(@"(Guardian__\w+)=(\S+)")]
    private static partial Regex Environment();
}
