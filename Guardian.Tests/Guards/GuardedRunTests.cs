using System.Text.Json;
using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Guardian.Actors.Actions;
using Guardian.Actors.Autonomy;
using Guardian.Actors.Guards;
using Guardian.Actors.Incidents;
using Guardian.Actors.Runs;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;
using Guardian.Tests.Incidents;
using Guardian.Tests.Playbooks.Execution;

namespace Guardian.Tests.Guards;

/// <summary>Real incidents, runs and guards on one journal; the agent is the test.</summary>
public sealed class GuardedRunTests : TestKit
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly TestProbe _agent;
    private readonly TestProbe _monitor;
    private readonly IActorRef _guards;
    private readonly OpenIncidents _open = new(100);

    public GuardedRunTests()
        : base(IncidentActorTests.Config)
    {
        _agent = CreateTestProbe();
        _monitor = CreateTestProbe();
        _guards = Sys.ActorOf(Props.Create(() => new LocalGuards()));
    }

    /// <summary>A lock that was granted is renewed while another guard takes its time, and one that fell to another run admits nobody.</summary>
    [Fact]
    public void What_was_granted_is_asked_for_again_until_all_have_answered()
    {
        var (region, run) = (CreateTestProbe(), CreateTestProbe());
        var bench = new RunBench(RunFixture.Load("guards: { lock: '${incident.subject}', maxRuns: [ { count: 5, per: 1h, scope: cluster } ] }\nsteps:\n" + Steps)).Begin();
        var guards = new RunGuards(region.Ref, run.Ref, bench.Machine.Playbook, "r", (_, _) => TouchedTargets.None);
        GuardAnswer Answer(string guard, bool granted) => new() { Guard = guard, RunId = "r", Epoch = 1, Granted = granted, Reason = granted ? null : "it is another's" };
        void Asked(params string[] names)
        {
            foreach (var name in names) region.ExpectMsg<AskGuard>(Patience).Guard.Should().Be(name);
            region.HasMessages.Should().BeFalse();
        }

        var theLock = GuardNames.Lock("rogue");
        guards.Ask("rogue", 1);
        Asked(theLock);
        guards.Take(Answer(theLock, true), bench.State).Should().BeNull();
        Asked(GuardNames.Cluster);
        guards.Ask("rogue", 1);
        Asked(theLock, GuardNames.Cluster);
        guards.Take(Answer(theLock, true), bench.State).Should().BeNull();
        Asked();
        guards.Take(Answer(theLock, false), bench.State)!.Granted.Should().BeFalse();
        guards.Take(Answer(GuardNames.Cluster, true), bench.State).Should().BeNull("the lock is another's by now");
        Asked(theLock);
        guards.Take(Answer(theLock, true), bench.State)!.Granted.Should().BeTrue();
    }

    /// <summary>Its first write failed, and by now its trouble is over: its place is free.</summary>
    [Fact]
    public async Task An_incident_that_was_never_written_holds_no_place_when_it_is_over()
    {
        _open.TryEnter("k").Should().BeTrue();
        var incident = Start("k", "{}", Steps, _guards);
        incident.Tell(new IncidentCleared { Key = "k", Episode = "e", At = DateTimeOffset.UtcNow, Reason = "calm" }, _monitor.Ref);
        await _monitor.FishForMessageAsync<IncidentOver>(_ => true, Patience);
        _open.Count.Should().Be(0);
    }

    /// <summary>A dead kernel is told once: silence after that is no calm, and its hold is not the end of it.</summary>
    [Fact]
    public async Task What_is_not_counted_is_acted_on_after_its_hold()
    {
        var incident = Start("kernel/n1/k", "{}\nholdFor: 100ms", Steps, _guards);
        incident.Tell(IncidentLogicTests.Raised(violations: null) with { Key = "kernel/n1/k" }, _monitor.Ref);
        (await UntilOver()).Should().Equal("ban", "cut");
    }

    private async Task<IActorRef> Incident(string key, string guards, string steps = Steps, IActorRef? asked = null)
    {
        var incident = Start(key, guards, steps, asked ?? _guards);
        incident.Tell(IncidentLogicTests.Raised() with { Key = key }, _monitor.Ref);
        await _monitor.FishForMessageAsync<IncidentAccepted>(x => x.Key == key, Patience);
        return incident;
    }

    private const string Steps = "  - { id: ban, action: contain, undo: auto }\n  - { id: cut, action: disrupt }\n";

    private IActorRef Start(string key, string guards, string steps, IActorRef asked)
    {
        var book = RunFixture.Load($"guards: {guards}\nsteps:\n{steps}");
        var catalog = new PlaybookCatalog(() => new PlaybookLoadResult([book], []));
        catalog.TryReload().Should().BeTrue();
        var mode = new ModeView(OperatingMode.Enforce, _ => OperatingMode.Enforce);
        var run = new RunDependencies(TimeProvider.System, RunFixture.Vocabulary, mode, _ => _agent.Ref, RunDependencies.Loader(RunFixture.Vocabulary))
        {
            Guards = asked, Kernels = () => 5, Touches = (_, input) => new TouchedTargets(["p" + input.GetRawText()], [], TimeSpan.FromMinutes(10)),
        };
        return Sys.ActorOf(IncidentActor.Props(IncidentKeys.Entity(key), new IncidentDependencies(catalog, _open, run)));
    }

    /// <summary>Answers until the monitor hears of the incident's end; the steps that were dispatched.</summary>
    private async Task<List<string>> UntilOver(Func<string, OutcomeKind>? how = null)
    {
        List<string> steps = [];
        while (true)
        {
            if (await _agent.ReceiveOneAsync(TimeSpan.FromMilliseconds(50)) is DispatchAction x)
            {
                steps.Add(x.Key.Split('/')[1]);
                var kind = how?.Invoke(steps[^1]) ?? OutcomeKind.Succeeded;
                Reply(x, kind);
            }
            else if (_open.Count == 0)
            {
                return steps;
            }
        }
    }

    private async Task<GuardStatus> Status(string guard)
    {
        _guards.Tell(new GetGuard { Guard = guard }, TestActor);
        return await ExpectMsgAsync<GuardStatus>(Patience);
    }

    [Fact]
    public async Task A_run_waits_for_its_lock_and_gets_it_when_the_other_run_is_over()
    {
        await Incident("k1", """{ lock: "${incident.subject}" }""");
        var first = await _agent.ExpectMsgAsync<DispatchAction>(Patience);
        var asker = _agent.LastSender;
        await Incident("k2", """{ lock: "${incident.subject}" }""");
        await AwaitAssertAsync(async () => (await Status(GuardNames.Lock("rogue"))).Runs.Should().ContainSingle().Which.Should().Be(first.RunId), Patience);
        await _agent.FishForMessageAsync<DispatchAction>(x => x.RunId == first.RunId, Patience); // the first alone asks again and again
        asker.Tell(new ActionOutcome { Key = first.Key, Epoch = 1, Attempt = 1, Kind = OutcomeKind.Succeeded, Output = RunFixture.Json("""{ "value": 1 }""") }, _agent.Ref);
        var steps = await UntilOver();
        steps.Distinct().Should().BeEquivalentTo("cut", "ban");
        await AwaitAssertAsync(async () => (await Status(GuardNames.Lock("rogue"))).Runs.Should().BeEmpty(), Patience);
    }

    [Theory]
    [InlineData("{ maxRuns: [ { count: 1, per: 1h, scope: playbook } ] }")]
    [InlineData("{ maxRuns: [ { count: 1, per: 1h, scope: cluster } ] }")]
    public async Task Past_a_quota_of_playbook_or_cluster_another_keys_run_only_contains(string guards)
    {
        await Incident("k1", guards);
        (await UntilOver()).Should().Contain("cut");
        await Incident("k2", guards);
        (await UntilOver()).Distinct().Should().Equal("ban");
    }

    [Fact]
    public async Task Escalated_runs_open_the_breaker_until_an_operator_resets_it()
    {
        const string guards = "{ circuitBreaker: { failures: 1, within: 1h, reset: manual } }";
        const string steps = "  - { id: ban, action: contain, undo: auto, onError: continue }\n  - { id: cut, action: disrupt }\n";
        var incident = await Incident("k1", guards, steps);
        await _agent.FishForMessageAsync<DispatchAction>(x => { Reply(x, x.Key.EndsWith("cut", StringComparison.Ordinal) ? OutcomeKind.Failed : OutcomeKind.Succeeded); return x.Key.EndsWith("escalation", StringComparison.Ordinal); }, Patience);
        await AwaitAssertAsync(async () => (await Status(GuardNames.Playbook("test_playbook"))).BreakerOpen.Should().Contain("1 runs escalated"), Patience);
        incident.Tell(new CloseIncident { Key = "k1", By = "ann", Reason = "seen" }, TestActor);
        await FishForMessageAsync<IncidentAnswer>(_ => true, Patience);
        await Incident("k2", guards, steps);
        (await UntilOver()).Distinct().Should().Equal("ban");
        _guards.Tell(new ResetBreaker { Playbook = "test_playbook", By = "ann" }, TestActor);
        (await ExpectMsgAsync<BreakerAnswer>(Patience)).Done.Should().BeTrue();
        await Incident("k3", guards, steps);
        (await UntilOver()).Should().Contain("cut");
    }

    [Fact]
    public async Task A_step_past_the_blast_radius_is_refused_and_the_bans_of_others_stay_counted()
    {
        const string steps = "  - { id: ban, action: contain, with: { value: 1 }, undo: auto }\n  - { id: more, action: contain, with: { value: 2 }, onError: continue }\n";
        await Incident("k1", "{ blastRadius: { principals: 1 } }", steps);
        (await UntilOver()).Distinct().Should().Equal("ban");
        var status = await Status(GuardNames.Cluster);
        (status.Runs.Count, status.Principals).Should().Be((0, 1), "the lease of a ban outlives its run");
    }

    [Fact]
    public async Task The_blast_radius_hears_when_a_ban_ends()
    {
        var region = CreateTestProbe();
        await Incident("k1", "{ blastRadius: { principals: 1 } }", "  - { id: ban, action: contain, with: { value: 1 }, undo: auto }\n", region.Ref);
        Grant(region, await region.ExpectMsgAsync<AskGuard>(Patience), granted: true);
        var asked = await region.ExpectMsgAsync<ReserveTargets>(Patience);
        asked.Should().Match<ReserveTargets>(x => x.For == TimeSpan.FromMinutes(10) && x.Until == null);
        region.Reply(new TargetsAnswer { RunId = asked.RunId, StepId = asked.StepId, Epoch = asked.Epoch, Granted = true });
        var ban = await _agent.ExpectMsgAsync<DispatchAction>(Patience);
        _agent.Reply(new ActionOutcome { Key = ban.Key, Epoch = 1, Attempt = 1, Kind = OutcomeKind.Succeeded, Output = RunFixture.Json("""{ "value": 1, "until": "2030-01-02T03:04:05+00:00" }""") });
        (await region.FishForMessageAsync<ReserveTargets>(x => x.Until is not null, Patience)).Should().Match<ReserveTargets>(
            x => x.Until == new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero) && x.StepId == "ban" && x.Principals.Single() == asked.Principals.Single());
        await region.FishForMessageAsync<ReleaseGuard>(x => x.Keeps.Contains("ban"), Patience);
    }

    [Fact]
    public async Task A_guard_that_dies_knows_still_whose_lease_it_holds()
    {
        var incident = await Incident("k1", """{ lock: "${incident.subject}", circuitBreaker: { failures: 3, within: 1h } }""");
        var first = await _agent.ExpectMsgAsync<DispatchAction>(Patience);
        Watch(incident);
        Sys.Stop(incident);
        await ExpectTerminatedAsync(incident, Patience);
        await _guards.GracefulStop(Patience);
        var guards = Sys.ActorOf(Props.Create(() => new LocalGuards()));
        guards.Tell(new AskGuard { Guard = GuardNames.Lock("rogue"), RunId = "other", Epoch = 1, Playbook = "p", Exclusive = true }, TestActor);
        (await ExpectMsgAsync<GuardAnswer>(Patience)).Reason.Should().Contain($"held by run {first.RunId}");
    }

    /// <summary>While no process had the run, its lock may have passed to another.</summary>
    [Fact]
    public async Task After_a_takeover_nothing_is_done_before_the_lock_says_whose_it_is()
    {
        const string guards = """{ lock: "${incident.subject}" }""";
        var region = CreateTestProbe();
        var incident = await Incident("k1", guards, asked: region.Ref);
        Grant(region, await region.ExpectMsgAsync<AskGuard>(Patience), granted: true);
        await _agent.ExpectMsgAsync<DispatchAction>(Patience);
        Watch(incident);
        Sys.Stop(incident);
        await ExpectTerminatedAsync(incident, Patience);
        while (_agent.HasMessages) await _agent.ReceiveOneAsync(TimeSpan.Zero);

        Start("k1", guards, Steps, region.Ref);
        await AskedAgain();
        var ask = await AskedAgain(); // no word yet: it goes on to ask, and could have acted long ago
        _agent.HasMessages.Should().BeFalse("the lock may be another's");
        Grant(region, ask, granted: false);
        Grant(region, ask, granted: true);
        await _agent.ExpectMsgAsync<ResolveAction>(Patience);

        async Task<AskGuard> AskedAgain() => await region.FishForMessageAsync<AskGuard>(x => x.Epoch == 2, Patience);
    }

    private static void Grant(TestProbe region, AskGuard ask, bool granted) => region.Reply(new GuardAnswer
    {
        Guard = ask.Guard, RunId = ask.RunId, Epoch = ask.Epoch, Granted = granted, Reason = granted ? null : "held by another",
    });

    private void Reply(DispatchAction x, OutcomeKind kind) => _agent.Reply(new ActionOutcome
    {
        Key = x.Key, Epoch = x.Epoch, Attempt = x.Attempt, Kind = kind, Output = RunFixture.Json("""{ "value": 1 }"""), Reason = "by the test",
    });
}
