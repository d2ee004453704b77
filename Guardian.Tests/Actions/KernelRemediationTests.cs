using System.Text.Json;
using Akka.Actor;
using Akka.TestKit.Xunit2;
using Guardian.Actors.Actions;
using Guardian.Actors.Autonomy;
using Guardian.Actors.Bus;
using Guardian.Actors.Guards;
using Guardian.Actors.Hosting;
using Guardian.Actors.Kernels;
using Guardian.Actors.Leasekeeping;
using Guardian.Actors.Scheduling;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;
using Guardian.Tests.Playbooks;
using Guardian.Tests.Playbooks.Execution;

namespace Guardian.Tests.Actions;

/// <summary>A kernel's own remediation and the blast radius, with the real actions, the run's machine, the node's agent and real kernels.</summary>
public sealed class KernelRemediationTests : TestKit
{
    private const string Watched = "watched", Asked = "asked", Opted = "opted", Plain = "plain";

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("guardian-remediation-");
    private readonly KernelDirectory _directory = new();
    private readonly GuardianRegistry _registry;
    private readonly IActorRef _supervisor;
    private readonly IActorRef _agent;

    public KernelRemediationTests()
    {
        var code = new KernelsOptions();
        foreach (var (name, remediation) in new (string, OperatingMode?)[] { (Watched, OperatingMode.Observe), (Asked, OperatingMode.Propose), (Opted, OperatingMode.Enforce), (Plain, null) })
        {
            code.Actor(name, _ => Props.Create(() => new Idle()), x =>
            {
                x.Remediation = remediation;
                (x.Class, x.Replicas, x.MinReplicas, x.MaxReplicas) = ("batch", 2, 1, 3);
            });
        }

        var catalog = new KernelCatalog(null, code.Declared);
        catalog.TryReload().Should().BeTrue();
        _supervisor = Sys.ActorOf(KernelSupervisor.Props(new SupervisorMemory(catalog, _directory, new KernelLeases(TimeProvider.System, "n1"), KernelScales.InMemory()), new KernelWorld
        {
            Time = TimeProvider.System, Hearts = new HeartbeatBoard(TimeProvider.System), Node = "n1", Scheduler = new SchedulerBoard(),
            Leasekeeper = new NoLeasekeeper("there is none in this test"), Folder = _root.FullName, Register = (_, _) => new TaskCompletionSource<BusPort>().Task,
        }));
        _registry = GuardianVocabulary.Registry(new GuardianOptions(), new ActionDependencies
        {
            Blacklist = ActorRefs.Nobody, Bus = ActorRefs.Nobody, Outbox = ActorRefs.Nobody, Time = TimeProvider.System, CountViolations = (_, _, _) => Task.FromResult(0L),
            KernelSupervisor = _supervisor, Kernels = _directory,
        });
        _agent = Sys.ActorOf(NodeAgent.Props(_registry, new ModeView(OperatingMode.Enforce, _ => OperatingMode.Enforce), TimeProvider.System));
        Await.UntilAsync(() => _directory.All.Count(x => x.State == KernelState.Running) == 4, Soon).Wait(Soon);
    }

    protected override void AfterAll()
    {
        _supervisor.Ask<KernelsEnded>(new EndKernels(TimeSpan.FromSeconds(5)), Soon).Wait(Soon);
        base.AfterAll();
        _root.Delete(recursive: true);
    }

    /// <summary>Each action on one kernel, named K.</summary>
    public static TheoryData<string, string> Named => new()
    {
        { "kernels.restart", "{ kernel: K }" },
        { "kernels.stop", "{ kernel: K }" },
        { "kernels.scale", "{ kernel: K, change: -1 }" },
        { "kernels.pause", "{ kernels: [K], for: 5m }" },
        { "kernels.throttle", "{ kernels: [K], percent: 50, for: 5m }" },
    };

    /// <summary>Each action that selects kernels instead.</summary>
    public static TheoryData<string, string> Selecting => new()
    {
        { "kernels.scale", "{ change: -4 }" },
        { "kernels.scale", "{ change: -4, classes: [batch] }" },
        { "kernels.pause", "{ classes: [batch], for: 5m }" },
        { "kernels.throttle", "{ percent: 50, for: 5m }" },
    };

    private Playbook Load(string action, string with, string guards = "")
    {
        var result = PlaybookLoader.Load([("test.yaml", $$"""
            apiVersion: guardian/v1
            kind: Playbook
            metadata: { name: test, version: 1, owner: tests, description: a test }
            trigger:
              - event: kernel.heartbeat_missed
            {{guards}}
            steps:
              - { id: act, action: {{action}}, with: {{with}} }
            """)], _registry.Vocabulary);
        result.Errors.Should().BeEmpty();
        return result.Playbooks.Single();
    }

    private Bench Run(Playbook playbook, string kernel = Plain) => new(playbook, _registry, _directory, kernel);

    private async Task<ActionOutcome> Perform(string action, string with, string? approvedBy = null, bool compensates = false)
    {
        var dispatch = (RunCommand.Dispatch)Run(Load(action, with), Plain).Begin().Force().Commands.Single();
        _agent.Tell(new DispatchAction
        {
            Key = dispatch.Key, Epoch = 1, Attempt = 1, RunId = "r", IncidentKey = "k", IncidentId = "i-1", Playbook = "test", Action = action, Input = dispatch.Input,
            Deadline = DateTimeOffset.UtcNow + Soon, ApprovedBy = approvedBy, Compensates = compensates,
        });
        return await ExpectMsgAsync<ActionOutcome>(Soon);
    }

    private (long, bool, int, int) Of(string kernel) => _directory.Find(kernel) is { } x ? (x.Restarts, x.Paused, x.Percent, x.Replicas.Count) : default;

    [Theory]
    [MemberData(nameof(Named))]
    public void A_named_kernels_own_word_is_the_strictest_one(string action, string with)
    {
        string Input(string kernel) => with.Replace("K", kernel, StringComparison.Ordinal);
        Run(Load(action, Input(Watched))).Begin().Settle().Journal.OfType<StepObserved>().Should().ContainSingle();
        var asked = Run(Load(action, Input(Asked))).Begin().Settle();
        asked.State.Step("act")!.Phase.Should().Be(StepPhase.AwaitingApproval);
        asked.Tell(new RunInput.Approval(true, "ann"));
        asked.Settle().Commands.Single().Should().BeOfType<RunCommand.Dispatch>().Which.ApprovedBy.Should().Be("ann");
        foreach (var free in new[] { Opted, Plain, "elsewhere" })
            Run(Load(action, Input(free))).Begin().Settle().Commands.Single().Should().BeOfType<RunCommand.Dispatch>($"of {free}");
    }

    [Theory]
    [MemberData(nameof(Named))]
    public async Task The_node_of_the_kernel_looks_again(string action, string with)
    {
        var before = Of(Watched);
        (await Perform(action, with.Replace("K", Watched, StringComparison.Ordinal), approvedBy: "ann")).Should().Match<ActionOutcome>(x => x.Kind == OutcomeKind.Failed && x.Reason!.Contains("remediation: observe"));
        Of(Watched).Should().Be(before);
    }

    [Theory]
    [MemberData(nameof(Named))]
    public async Task A_kernel_that_is_asked_for_is_acted_on_after_an_approval_alone(string action, string with)
    {
        var input = with.Replace("K", Asked, StringComparison.Ordinal);
        (await Perform(action, input)).Reason.Should().Contain("no operator approved");
        _agent.Tell(PoisonPill.Instance);
        var again = Sys.ActorOf(NodeAgent.Props(_registry, new ModeView(OperatingMode.Enforce, _ => OperatingMode.Enforce), TimeProvider.System));
        again.Tell(new DispatchAction
        {
            Key = "r/act", Epoch = 1, Attempt = 2, RunId = "r", IncidentKey = "k", IncidentId = "i-1", Playbook = "test", Action = action,
            Input = ((RunCommand.Dispatch)Run(Load(action, input)).Begin().Force().Commands.Single()).Input, Deadline = DateTimeOffset.UtcNow + Soon, ApprovedBy = "ann",
        });
        (await ExpectMsgAsync<ActionOutcome>(Soon)).Should().Match<ActionOutcome>(x => x.Kind == OutcomeKind.Succeeded);
    }

    [Fact]
    public async Task What_takes_back_an_effect_does_not_ask_the_kernel() =>
        (await Perform("kernels.restart", $"{{ kernel: {Watched} }}", compensates: true)).Kind.Should().Be(OutcomeKind.Succeeded);

    [Theory]
    [MemberData(nameof(Selecting))]
    public async Task Who_selects_leaves_out_those_that_do_not_consent_and_acts_on_the_others(string action, string with)
    {
        var (watched, asked) = (Of(Watched), Of(Asked));
        _registry.Touches(action, Run(Load(action, with)).Begin().Force().Commands.OfType<RunCommand.Dispatch>().Single().Input).Kernels.Should().BeEquivalentTo(Opted, Plain);
        var outcome = await Perform(action, with);
        outcome.Kind.Should().Be(OutcomeKind.Succeeded, outcome.Reason);
        Texts(outcome, "kernels").Select(x => x.Split('=')[0]).Should().BeEquivalentTo(Opted, Plain);
        Texts(outcome, "spared").Should().BeEquivalentTo(Watched, Asked);
        await Await.UntilAsync(() => Of(Plain) != (0, false, 100, 2), Soon);
        (Of(Watched), Of(Asked)).Should().Be((watched, asked));
    }

    /// <summary>Two steps of one run hold different kernels: what takes back the one leaves the other, and an unknown outcome of it is not the other's success.</summary>
    [Fact]
    public async Task A_steps_undo_and_its_probe_are_about_its_own_kernels()
    {
        _registry.TryGetAction("kernels.pause", out var pause);
        var context = new ActionContext("r/act", "r", "k", "i-1", "test");
        JsonElement Input(string kernel) => JsonElement.Parse($$"""{ "kernels": ["{{kernel}}"], "for": "5m" }""");
        var first = await pause!.ExecuteAsync(Input(Opted), context, default);
        (await pause.ProbeAsync(Input(Plain), context, default)).Kind.Should().Be(OutcomeKind.NotDone);
        var second = await pause.ExecuteAsync(Input(Plain), context, default);
        (await pause.ProbeAsync(Input(Plain), context, default)).Kind.Should().Be(OutcomeKind.Succeeded);
        (Of(Opted).Item2, Of(Plain).Item2).Should().Be((true, true));
        await pause.UndoAsync(Input(Plain), second, context, default);
        (Of(Opted).Item2, Of(Plain).Item2).Should().Be((true, false));
        await pause.UndoAsync(Input(Opted), null, context, default);
        Of(Opted).Item2.Should().BeFalse();
    }

    private static IEnumerable<string> Texts(ActionOutcome outcome, string field) => outcome.Output!.Value.GetProperty(field).EnumerateArray().Select(x => x.GetString()!);

    [Fact]
    public void A_scale_touches_no_more_kernels_than_it_changes()
    {
        TouchedTargets Touched(int change) => _registry.Touches("kernels.scale", JsonElement.Parse($$"""{ "change": {{change}} }"""));
        Touched(-1).Kernels.Should().ContainSingle();
        Touched(-2).Kernels.Should().HaveCount(2, "each may lose one");
        Touched(1).Kernels.Should().ContainSingle();
        Touched(0).Kernels.Should().BeEmpty();
        _registry.Touches("kernels.pause", JsonElement.Parse("""{ "for": "1m" }""")).Kernels.Should().BeEmpty("it is refused");
    }

    /// <summary>50 % of four kernels are two; another run holds one that is not among those that this step would hold.</summary>
    [Theory]
    [MemberData(nameof(Named))]
    [MemberData(nameof(Selecting))]
    public void The_blast_radius_holds(string action, string with)
    {
        const string guards = "guards: { blastRadius: { kernels: 50% } }";
        var book = new GuardBook(TimeSpan.Zero);
        var step = (RunCommand.Reserve)Run(Load(action, with.Replace("K", Plain, StringComparison.Ordinal), guards)).Begin().Settle().Commands.Single();
        step.KernelLimit.Should().Be(2);
        step.Touched.Kernels.Should().Contain(Plain);
        step.Touched.For.Should().Be(action is "kernels.pause" or "kernels.throttle" ? TimeSpan.FromMinutes(5) : null);
        Hold(book, "r", step).Granted.Should().BeTrue();
        book = new GuardBook(TimeSpan.Zero);
        Hold(book, "other", new RunCommand.Reserve("a", new TouchedTargets([], ["b", "c"], TimeSpan.FromMinutes(1)), 2, null)).Granted.Should().BeTrue();
        var refused = Hold(book, "r", step);
        refused.Granted.Should().BeFalse();
        var run = Run(Load(action, with.Replace("K", Plain, StringComparison.Ordinal), guards)).Begin().Settle();
        run.Tell(new RunInput.Reserved("act", refused.Granted, refused.Reason));
        run.Settle().Commands.OfType<RunCommand.Dispatch>().Should().NotContain(x => x.Action == action);
        run.State.Step("act")!.Outcome.Should().Be("failed");
    }

    private static TargetsAnswer Hold(GuardBook book, string run, RunCommand.Reserve step)
    {
        var decision = book.Reserve(new ReserveTargets
        {
            RunId = run, Epoch = 1, StepId = step.StepId, Principals = [], Kernels = step.Touched.Kernels, For = step.Touched.For, KernelLimit = step.KernelLimit,
        }, DateTimeOffset.UtcNow, TimeSpan.Zero);
        foreach (var e in decision.Events) book.Apply(e, TimeSpan.Zero);
        return (TargetsAnswer)decision.Answer;
    }

    [Theory]
    [InlineData(Watched, false)]
    [InlineData(Plain, true)]
    [InlineData(Opted, true)]
    public void The_shipped_playbook_restarts_a_silent_kernel_unless_that_says_observe(string kernel, bool restarted)
    {
        var path = Path.Combine(RepositoryFiles.Folder("playbooks"), "kernel_heartbeat_gap.yaml");
        var run = Run(PlaybookLoader.Load([(path, File.ReadAllText(path))], _registry.Vocabulary).Playbooks.Single(), kernel).Begin().Settle();
        var probe = (RunCommand.Probe)run.Commands.Single();
        run.Tell(new RunInput.Probed(probe.Id, RunFixture.Json("""{ "running": true, "beating": false }"""), null));
        run.Settle().Commands.OfType<RunCommand.Dispatch>().Any(x => x.Action == "kernels.restart").Should().Be(restarted);
        run.Journal.OfType<StepObserved>().Any(x => x.StepId == "restart").Should().Be(!restarted);
    }

    private sealed class Idle : ReceiveActor;

    /// <summary>A run on a journal in memory that sees the node's kernels as a real one does.</summary>
    private sealed class Bench(Playbook playbook, GuardianRegistry registry, KernelDirectory directory, string kernel)
    {
        private readonly RunMachine _machine = new(playbook, registry.Vocabulary);
        private bool _force;

        public List<RunEvent> Journal { get; } = [];

        public RunState State { get; private set; } = RunState.Empty;

        public IReadOnlyList<RunCommand> Commands { get; private set; } = [];

        private RunView View => new(RunFixture.Origin, RunFixture.Json($$"""
            { "id": "i-1", "key": "k", "type": "kernel.heartbeat_missed", "severity": "high", "node": "n1", "subject": "{{kernel}}", "openedAt": "2026-01-02T03:04:05Z", "occurrences": 1,
              "kernel": "{{kernel}}", "class": "batch", "criticality": "normal", "replica": 0, "epoch": 1, "silentMs": 3100, "missAfterMs": 3000 }
            """), null, _ => OperatingMode.Enforce)
        {
            Self = "n1", Touches = registry.Touches, Kernels = directory.All.Count, Remediation = x => _force ? null : directory.Find(x)?.Remediation,
        };

        public Bench Begin()
        {
            Write(_machine.Start("r", "i-1", "k", "n1", 42, "test", View));
            return this;
        }

        /// <summary>As a run on a node that does not know the kernels.</summary>
        public Bench Force()
        {
            _force = true;
            return Settle();
        }

        public Bench Settle()
        {
            while (_machine.Decide(State, View) is var decision)
            {
                Commands = decision.Commands;
                if (decision.Commands is [RunCommand.Admit]) Tell(new RunInput.Admitted(true, false, null));
                else if (decision.Events.Count == 0) break;
                foreach (var e in decision.Events) Write(e);
            }

            return this;
        }

        public void Tell(RunInput input)
        {
            foreach (var e in _machine.Handle(State, input, View)) Write(e);
        }

        private void Write(RunEvent e)
        {
            Journal.Add(e);
            State = State.Apply(e);
        }
    }
}
