using Guardian.Actors.Kernels;
using Guardian.Playbooks.Model;

namespace Guardian.Tests.Kernels;

public sealed class KernelsFileTests
{
    private static (IReadOnlyList<KernelDefinition> Kernels, IReadOnlyList<string> Errors) Read(string yaml)
    {
        var (kernels, errors) = KernelsFileReader.Read("kernels.yaml", yaml);
        return (kernels, [.. errors.Select(x => $"{x.Line}:{x.Column}: {x.Message}")]);
    }

    [Fact]
    public void Limits_are_read_and_what_is_none_is_said()
    {
        var (kernels, errors) = Read("kernels:\n  - { name: k, type: process, command: [x], limits: { cpu: 1.5, memory: 512MiB, processes: 200 } }\n");
        errors.Should().BeEmpty();
        kernels[0].Process!.Limits.Should().Be(new LimitSpec(1.5, 512 * 1024 * 1024, 200));
        Read("kernels:\n  - { name: k, type: process, command: [x], limits: { cpu: 0, memory: 1KiB, process: 2 } }\n").Errors.Should().SatisfyRespectively(
            x => x.Should().Contain("'cpu' must be"), x => x.Should().Contain("at least 4MiB"), x => x.Should().Contain("no key 'process'"));
        Read("kernels:\n  - { name: k, type: process, command: [x], limits: {} }\n").Errors.Should().ContainSingle().Which.Should().Contain("'limits' needs");
    }

    [Fact]
    public void The_documented_shape_is_read()
    {
        var (kernels, errors) = Read("""
            apiVersion: guardian/v1
            kind: Kernels
            kernels:
              - { name: librarian, type: jobs, criticality: critical, class: interactive, workers: 4, commands: { index: ["/usr/bin/env", "true"] }, remediation: enforce }
              - { name: trainer, type: process, criticality: background, class: model_training, replicas: { count: 2, min: 0, max: 4 }, command: ["train"],
                  heartbeat: { every: 1s, missAfter: 3s, probe: { http: "http://127.0.0.1:9000/health" } },
                  restart: { max: 5, within: 1m, backoff: { initial: 100ms, max: 30s } }, readiness: { within: 30s } }
            """);
        errors.Should().BeEmpty();
        var (librarian, trainer) = (kernels[0], kernels[1]);
        librarian.Should().Match<KernelDefinition>(x => x.Type == KernelType.Jobs && x.Criticality == KernelCriticality.Critical && x.Class == "interactive");
        librarian.Remediation.Should().Be(OperatingMode.Enforce);
        librarian.Replicas.Should().Be(new ReplicaSpec(4, 1, 4));
        librarian.Jobs!.Commands["index"].Command.Should().Equal("/usr/bin/env", "true");
        trainer.Replicas.Should().Be(new ReplicaSpec(2, 0, 4));
        trainer.Heartbeat.Probe.Should().Be(new HealthProbe(ProbeKind.Http, "http://127.0.0.1:9000/health"));
        trainer.Restart.Should().Be(new RestartSpec());
        trainer.Restart.Healthy.Should().Be(TimeSpan.FromSeconds(12));
        trainer.Process!.ReadyWithin.Should().Be(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void Every_error_is_reported_with_its_place_in_one_pass()
    {
        var (kernels, errors) = Read("""
            kind: Kernel
            kernels:
              - { name: "a b", type: process, command: [] }
              - { name: one, type: process, command: ["x"], heartbeat: { every: 1s, missAfter: 10ms, probe: { http: "ftp://x", tcp: "x:1" } } }
              - { name: one, type: process, command: ["x"], replicas: { count: 5, min: 0, max: 4 }, comand: ["y"] }
              - { name: two, type: actor }
              - { name: three, type: jobs, workers: many }
              - { name: four, type: process, command: ["x"], dependsOn: [five], env: { GUARDIAN_X: "1" } }
              - { name: five, type: process, command: ["x"], dependsOn: [four], restart: { max: 0 } }
              - { name: six, type: process, command: ["x"], dependsOn: [sevn], heartbeat: { probe: { tcp: "nowhere" } } }
            """);
        kernels.Should().BeEmpty();
        string[] expected =
        [
            "1:7: 'kind' must be Kernels", "no name for a kernel", "'command' must name a program", "'missAfter' must be", "exactly one of",
            "declared twice; it is already on line 4", "min ≤ count ≤ max", "did you mean 'command'", "declared in code", "'workers' must be a whole number",
            "needs 'commands'", "begin with GUARDIAN_", "'max' must be", "depends on itself in a circle", "depends on 'sevn'", "no host:port",
        ];
        foreach (var text in expected) errors.Should().Contain(x => x.Contains(text), text);
        errors.Should().OnlyContain(x => !x.StartsWith("0:", StringComparison.Ordinal));
    }

    [Fact]
    public void A_bad_file_never_replaces_the_last_good_one()
    {
        var path = Path.GetTempFileName();
        try
        {
            var catalog = new KernelCatalog(path, []);
            File.WriteAllText(path, "kernels: [{ name: a, type: process, command: [x] }]");
            catalog.TryReload().Should().BeTrue();
            var good = catalog.Current;
            File.WriteAllText(path, "kernels: [{ name: b, type: process }]");
            catalog.TryReload().Should().BeFalse();
            catalog.Errors.Should().ContainSingle().Which.Message.Should().Contain("needs 'command'");
            catalog.Current.Should().BeSameAs(good);
            File.WriteAllText(path, "kernels: [{ name: b, type: process, command: [x] }]");
            catalog.TryReload().Should().BeTrue();
            catalog.Current.Kernels.Should().ContainSingle().Which.Name.Should().Be("b");
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Code_and_file_must_not_declare_the_same_name()
    {
        var path = Path.GetTempFileName();
        try
        {
            var options = new KernelsOptions();
            options.Process("a", ["x"], x => x.MaxReplicas = 3);
            var again = () => options.Process("a", ["x"]);
            again.Should().Throw<ArgumentException>().WithMessage("*twice*");
            var catalog = new KernelCatalog(path, options.Declared);
            File.WriteAllText(path, "kernels: [{ name: a, type: process, command: [x] }]");
            catalog.TryReload().Should().BeFalse();
            catalog.Errors[0].Message.Should().Contain("declared in code already");
            catalog.Current.Kernels.Should().ContainSingle().Which.Replicas.Max.Should().Be(3);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Kernels_start_after_what_they_depend_on_and_the_critical_ones_first()
    {
        var (kernels, _) = Read("""
            kernels:
              - { name: a, type: process, command: [x], criticality: background }
              - { name: b, type: process, command: [x], criticality: critical, dependsOn: [c] }
              - { name: c, type: process, command: [x], criticality: background, dependsOn: [d] }
              - { name: d, type: process, command: [x] }
              - { name: e, type: process, command: [x], criticality: critical }
            """);
        KernelOrder.Sort(kernels.ToList()).Select(x => x.Name).Should().Equal("e", "d", "a", "c", "b");
    }
}
