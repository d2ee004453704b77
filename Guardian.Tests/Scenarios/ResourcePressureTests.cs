using System.Text;
using Akka.Actor;
using Guardian.Actors.Bus;
using Guardian.Actors.Hosting;
using Guardian.Actors.Kernels;
using Guardian.Actors.Leasekeeping;
using Guardian.Actors.Persistence;
using Guardian.Actors.Scheduling;
using Guardian.Tests.Monitoring;
using Guardian.Tests.Playbooks;

namespace Guardian.Tests.Scenarios;

/// <summary>
/// A whole node with real kernels, on a machine that is as busy as the test says: the real one may be busy with other tests.
/// A second of the script passes in some 50 ms.
/// </summary>
public sealed class ResourcePressureTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(90); // a loaded two-core machine
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("guardian-pressure-");
    private readonly ScriptedMachine _machine = new();

    public void Dispose() => _folder.Delete(recursive: true);

    /// <param name="remediation">Of the burner.</param>
    /// <param name="data">Data directory of a node that is started again; null: one of its own.</param>
    private Task<TestNode> StartAsync(string remediation, string? data = null)
    {
        var kernels = Path.Combine(_folder.FullName, "kernels.yaml");
        File.WriteAllText(kernels, $$"""
            kernels:
              - { name: burner, type: process, criticality: background, class: general, command: ["bash", "-c", "while :; do :; done"]{{remediation}} }
              - { name: bystander, type: process, class: general, command: ["sleep", "1000"] }
            """);
        // On a busy machine a burner does not get half of it: what is a runaway is not what this is about. This node has no HTTP.
        var shipped = File.ReadAllText(Path.Combine(RepositoryFiles.Folder("playbooks"), "resource_pressure_cpu.yaml"))
            .Replace("bove: 50%", "bove: 1%").Replace("over: 5s", "over: 1s").Replace(", health: { status: 200 }", "");
        var (health, end) = (shipped.IndexOf("  - id: health", StringComparison.Ordinal), shipped.IndexOf("rollback:", StringComparison.Ordinal));
        File.WriteAllText(Path.Combine(_folder.FullName, "resource_pressure_cpu.yaml"), shipped[..health] + shipped[end..]);
        File.Move(kernels, kernels = Path.Combine(Directory.CreateDirectory(Path.Combine(_folder.FullName, "kernels")).FullName, "kernels.yaml"), overwrite: true);
        return TestNode.StartAsync(options =>
        {
            if (data is not null) options.Node.DataDirectory = data;
            options.Files.Kernels = kernels;
            options.Files.Playbooks = _folder.FullName;
            options.Monitors.Resources.Enabled = true;
            options.Monitors.Resources.Interval = TimeSpan.FromMilliseconds(200);
            options.Monitors.Resources.Sampler = () => _machine;
        });
    }

    private static async Task<RunDetail> RunAsync(TestNode node, string what, Func<RunDetail, bool> condition)
    {
        using var deadline = new CancellationTokenSource(Soon);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        RunDetail? last = null;
        try
        {
            while (true)
            {
                last = (await node.Guardian.Parts.ReadModel.RunsAsync("resource_pressure_cpu", null, 1, null, deadline.Token)) is [var first, ..] ? first : null;
                if (last is not null && condition(last)) return last;
                await timer.WaitForNextTickAsync(deadline.Token);
            }
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{what}: {(last is null ? "no run" : $"{last.State}: {string.Join(", ", last.Steps.Select(x => $"{x.Id} {x.State} {x.Reason}"))}")}");
        }
    }

    private static string StateOf(RunDetail run, string step) => run.Steps.First(x => x.Id == step).State;

    /// <summary>Of the kernel's one instance, once it runs: a node is ready before its kernels are started.</summary>
    private static async Task<int> PidAsync(TestNode node, string kernel)
    {
        KernelView? view = null;
        try
        {
            await Await.UntilAsync(() => (view = node.Guardian.Parts.Kernels.Find(kernel)) is { State: KernelState.Running, Instances: [{ Process: not null }] }, Soon);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{kernel} is {view?.State.ToString() ?? "not known"}: {view?.Reason}");
        }

        return view!.Instances[0].Process!.Pid;
    }

    [LinuxFact]
    public async Task A_runaway_kernel_that_opted_in_is_killed_a_bystander_lives_and_everything_is_given_back()
    {
        await using var node = await StartAsync(", remediation: enforce");
        using var announced = new Listener(node);
        var (burner, bystander) = (await PidAsync(node, "burner"), await PidAsync(node, "bystander"));

        _machine.Cpu = 99;
        var killed = await RunAsync(node, "kill", x => StateOf(x, "kill") == "succeeded");
        _machine.Cpu = 8;
        var run = await RunAsync(node, "resolved", x => x.State == "resolved");

        (StateOf(run, "api"), StateOf(run, "tell")).Should().Be(("succeeded", "succeeded"));
        StateOf(killed, "top").Should().Be("succeeded", "the evidence is there before anything is killed");
        ProcessIdentity.Of(burner)?.Should().NotBe(node.Guardian.Parts.Kernels.Find("burner")?.Instances.SingleOrDefault()?.Process);
        (await PidAsync(node, "bystander")).Should().Be(bystander);
        run.Steps.Should().OnlyContain(x => x.Id != "kill" || x.Output!.Value.GetProperty("killed").GetBoolean());
        var told = await announced.UntilAsync("left");
        told.Should().Contain("\"state\":\"entered\"").And.Contain("\"resource\":\"cpu\"");
        (await node.Guardian.Parts.ReadModel.IncidentsAsync(null, 10, null, CancellationToken.None)).Should().ContainSingle().Which.Key.Should().Be($"resource/cpu/{node.Guardian.NodeName}");
        // The run has ended and its leases last for a minute and more.
        var parts = node.Guardian.Parts;
        await Await.UntilAsync(async () => parts.ApiLimits.Mitigations("").Count == 0
            && (await parts.Scheduler.Ask<SchedulerAnswer>(GetSchedulerMode.Instance, Soon)).Leases.Count == 0
            && (await parts.KernelsActor.Ask<KernelMitigations>(GetKernelMitigations.Instance, Soon)).Items.Count == 0, TimeSpan.FromSeconds(40));
    }

    [LinuxFact]
    public async Task Without_an_opt_in_the_kill_waits_for_an_operator_and_the_end_of_the_pressure_resolves_what_escalated()
    {
        await using var node = await StartAsync("");
        var burner = await PidAsync(node, "burner");

        _machine.Cpu = 99;
        var run = await RunAsync(node, "waiting", x => StateOf(x, "kill") == "awaiting_approval");
        (await PidAsync(node, "burner")).Should().Be(burner);
        node.Guardian.Parts.Incidents.Tell(new Guardian.Actors.Incidents.DirectRun { Key = $"resource/cpu/{node.Guardian.NodeName}", RunId = run.Id, Verb = "reject", By = "operator/test" });
        await RunAsync(node, "escalated", x => x.State == "escalated");
        (await PidAsync(node, "burner")).Should().Be(burner, "nobody approved it");

        _machine.Cpu = 8;
        using var deadline = new CancellationTokenSource(Soon);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while ((await node.Guardian.Parts.ReadModel.IncidentsAsync(null, 10, null, deadline.Token)).Single().State != "resolved") await timer.WaitForNextTickAsync(deadline.Token);
    }

    [LinuxFact]
    public async Task What_escalated_before_a_restart_ends_when_the_node_that_starts_again_is_calm()
    {
        var data = Directory.CreateDirectory(Path.Combine(_folder.FullName, "data")).FullName;
        var node = await StartAsync("", data);
        await using (node)
        {
            _machine.Cpu = 99;
            var run = await RunAsync(node, "waiting", x => StateOf(x, "kill") == "awaiting_approval");
            _machine.Cpu = 70; // neither calm nor at the limit, which would start another run
            node.Guardian.Parts.Incidents.Tell(new Guardian.Actors.Incidents.DirectRun { Key = $"resource/cpu/{node.Guardian.NodeName}", RunId = run.Id, Verb = "reject", By = "operator/test" });
            await StateAsync(node, "escalated");
        }

        _machine.Cpu = 8;
        await using var again = await StartAsync("", data);
        again.Guardian.NodeName.Should().Be(node.Guardian.NodeName);
        await StateAsync(again, "resolved");
    }

    /// <summary>Of the only incident.</summary>
    private static async Task StateAsync(TestNode node, string state)
    {
        IReadOnlyList<IncidentView> incidents = [];
        try
        {
            await Await.UntilAsync(async () => (incidents = await node.Guardian.Parts.ReadModel.IncidentsAsync(null, 10, null, default)) is [var only] && only.State == state, Soon);
        }
        catch (OperationCanceledException)
        {
            var parts = node.Guardian.Parts;
            throw new TimeoutException($"{state}: {string.Join(", ", incidents.Select(x => $"{x.Key} {x.State}"))}; cpu {parts.Resources.Latest?.Cpu.Value} after {parts.Resources.Samples} samples; not ready: {string.Join(", ", parts.NotReady())}; journal: {parts.Journal()}");
        }
    }

    /// <summary>What Guardian's own principal hears on its topic.</summary>
    private sealed class Listener : IDisposable
    {
        private readonly StringBuilder _heard = new();
        private readonly IActorRef _actor;
        private readonly ActorSystem _system;

        public Listener(TestNode node)
        {
            _system = node.System;
            _actor = node.System.ActorOf(Props.Create(() => new Ear(_heard)));
            var port = node.Guardian.Bus.RegisterAsync("guardian", _actor).GetAwaiter().GetResult();
            port.Subscribe("scheduler.load_shedding", _actor).Accepted.Should().BeTrue();
        }

        public async Task<string> UntilAsync(string state)
        {
            using var deadline = new CancellationTokenSource(Soon);
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
            while (true)
            {
                lock (_heard)
                    if (_heard.ToString().Contains($"\"state\":\"{state}\"")) return _heard.ToString();
                await timer.WaitForNextTickAsync(deadline.Token);
            }
        }

        public void Dispose() => _system.Stop(_actor);

        private sealed class Ear : ReceiveActor
        {
            public Ear(StringBuilder heard) => Receive<BusMessage>(x =>
            {
                lock (heard) heard.AppendLine(Encoding.UTF8.GetString(x.Body.Span));
            });
        }
    }
}
