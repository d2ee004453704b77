using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Persistence;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Guardian.Actors.Actions;
using Guardian.Actors.Autonomy;
using Guardian.Actors.Incidents;
using Guardian.Actors.Runs;
using Guardian.Actors.Switches;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;
using Guardian.Tests.Playbooks.Execution;

namespace Guardian.Tests.Incidents;

public sealed class IncidentActorTests : TestKit
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    internal const string Config = """
        akka.loglevel = WARNING
        guardian.journal {
          class = "Akka.Persistence.Journal.MemoryJournal, Akka.Persistence"
          plugin-dispatcher = "akka.actor.default-dispatcher"
        }
        guardian.snapshots {
          class = "Akka.Persistence.Snapshot.MemorySnapshotStore, Akka.Persistence"
          plugin-dispatcher = "akka.actor.default-dispatcher"
        }
        """;

    private readonly TestProbe _agent;
    private readonly TestProbe _monitor;
    private readonly OpenIncidents _open = new(1_000);
    private readonly PlaybookCatalog _catalog;
    private readonly IncidentDependencies _deps;

    public IncidentActorTests()
        : base(Config)
    {
        _agent = CreateTestProbe();
        _monitor = CreateTestProbe();
        var book = RunFixture.Load("""
            steps:
              - { id: ban, action: contain, with: { value: 1 }, undo: auto }
              - { id: restart, if: incident.violations > 200, action: disrupt, with: { value: 2 } }
            verify:
              - { id: ok, probe: health, with: {}, check: result.healthy, every: 100ms, within: 10s }
            """);
        _catalog = new PlaybookCatalog(() => new PlaybookLoadResult([book], []));
        _catalog.TryReload().Should().BeTrue();
        var mode = new ModeView(OperatingMode.Enforce, _ => OperatingMode.Enforce);
        _deps = new IncidentDependencies(_catalog, _open,
            new RunDependencies(TimeProvider.System, RunFixture.Vocabulary, mode, _ => _agent.Ref, RunDependencies.Loader(RunFixture.Vocabulary)));
    }

    private IActorRef Incident() => Sys.ActorOf(IncidentActor.Props(IncidentKeys.Entity("k"), _deps));

    private static IncidentRaised Raised(long detection = 1, long violations = 5) => IncidentLogicTests.Raised(detection, "e1", violations);

    private void Answer(DispatchAction x, OutcomeKind kind = OutcomeKind.Succeeded) => _agent.Reply(new ActionOutcome
    {
        Key = x.Key, Epoch = x.Epoch, Attempt = x.Attempt, Kind = kind, Output = RunFixture.Json("""{ "value": 1 }"""),
    });

    private async Task PassChecks()
    {
        var probe = await _agent.FishForMessageAsync<RunProbe>(_ => true, Patience);
        _agent.Reply(new ProbeAnswer { Id = probe.Id, Result = RunFixture.Json("""{ "healthy": true }""") });
    }

    private Task<DispatchAction> Dispatch(string step) => _agent.FishForMessageAsync<DispatchAction>(x => x.Key.EndsWith("/" + step, StringComparison.Ordinal), Patience).AsTask();

    [Fact]
    public async Task A_hundred_raises_at_once_start_one_run_and_the_monitor_hears_of_its_end()
    {
        var incident = Incident();
        for (var i = 0; i < 100; i++) incident.Tell(Raised(), _monitor.Ref);
        for (var i = 0; i < 100; i++) (await _monitor.ExpectMsgAsync<IncidentAccepted>(Patience)).IncidentId.Should().EndWith("-1");
        Answer(await Dispatch("ban"));
        await PassChecks();
        await _monitor.ExpectMsgAsync<IncidentOver>(Patience);
        _open.Count.Should().Be(0);
        await _agent.ExpectNoMsgAsync(TimeSpan.FromMilliseconds(700));
    }

    /// <summary>A monitor that started again hears of the flood when its incident is over.</summary>
    [Fact]
    public async Task What_happened_before_the_end_opens_no_second_incident_however_late_it_is_told()
    {
        var incident = Incident();
        var began = DateTimeOffset.UtcNow;
        incident.Tell(Raised() with { At = began }, _monitor.Ref);
        await _monitor.ExpectMsgAsync<IncidentAccepted>(Patience);
        Answer(await Dispatch("ban"));
        await PassChecks();
        await _monitor.ExpectMsgAsync<IncidentOver>(Patience);

        var late = Raised() with { At = began, Episode = "e2", Monitor = "n3" };
        incident.Tell(late, _monitor.Ref);
        (await _monitor.ExpectMsgAsync<IncidentAccepted>(Patience)).IncidentId.Should().EndWith("-1");
        (await _monitor.ExpectMsgAsync<IncidentOver>(Patience)).Episode.Should().Be("e2");
        incident.Tell(late with { At = DateTimeOffset.UtcNow, Episode = "e3" }, _monitor.Ref);
        (await _monitor.ExpectMsgAsync<IncidentAccepted>(Patience)).IncidentId.Should().EndWith("-2", "this happened after it");
    }

    [Fact]
    public async Task A_hundred_detections_from_many_tasks_are_one_run_and_99_recurrences()
    {
        var incident = Incident();
        await Parallel.ForEachAsync(Enumerable.Range(1, 100), async (i, _) =>
        {
            await Task.Yield();
            incident.Tell(IncidentLogicTests.Raised(1, $"e{i}", 1), _monitor.Ref);
        });
        var ban = await Dispatch("ban");
        for (var i = 0; i < 100; i++) (await _monitor.ExpectMsgAsync<IncidentAccepted>(Patience)).IncidentId.Should().EndWith("-1");
        Answer(ban);
        await PassChecks();
        await _monitor.FishForMessageAsync<IncidentOver>(_ => true, Patience);
        Sys.ActorOf(Props.Create(() => new JournalReader("incident-" + IncidentKeys.Entity("k"), TestActor, false)));
        var journal = await ExpectMsgAsync<IReadOnlyList<object>>(Patience);
        (journal.Count(x => x is IncidentOpened), journal.Count(x => x is IncidentRunAssigned), journal.Count(x => x is IncidentJoined)).Should().Be((1, 1, 99));
    }

    [Theory]
    [InlineData(200, false)]
    [InlineData(201, true)]
    public async Task A_condition_sees_the_violations_counted_while_the_run_is_under_way(long violations, bool restarts)
    {
        var incident = Incident();
        incident.Tell(Raised(), _monitor.Ref);
        var ban = await Dispatch("ban");
        var agentSender = _agent.LastSender;
        incident.Tell(Raised(violations: violations), _monitor.Ref);
        await _monitor.ExpectMsgAsync<IncidentAccepted>(Patience);
        await _monitor.ExpectMsgAsync<IncidentAccepted>(Patience);
        agentSender.Tell(new ActionOutcome { Key = ban.Key, Epoch = 1, Kind = OutcomeKind.Succeeded, Output = RunFixture.Json("""{ "value": 1 }""") }, _agent.Ref);
        if (restarts) Answer(await Dispatch("restart"));
        await PassChecks();
        await _monitor.ExpectMsgAsync<IncidentOver>(Patience);
    }

    [Fact]
    public async Task Killed_with_a_dispatch_in_flight_it_asks_for_the_outcome_and_ends()
    {
        var first = Incident();
        first.Tell(Raised(), _monitor.Ref);
        await Dispatch("ban");
        await Kill(first);

        var second = Incident();
        var question = await _agent.FishForMessageAsync<ResolveAction>(_ => true, Patience);
        (question.Dispatch.Key.EndsWith("/ban", StringComparison.Ordinal), question.Dispatch.Epoch).Should().Be((true, 2L));
        _agent.Reply(new ActionOutcome { Key = question.Dispatch.Key, Epoch = 2, Kind = OutcomeKind.NotDone });
        Answer(await Dispatch("ban"));
        await PassChecks();
        await AwaitSettled(second);
    }

    [Fact]
    public async Task Killed_again_and_again_it_resolves_with_each_effect_under_one_key()
    {
        HashSet<string> keys = [];
        HashSet<string> performed = [];
        var incident = Incident();
        incident.Tell(Raised(violations: 300), _monitor.Ref);
        var messages = 0;
        while (_open.Count > 0 || messages == 0)
        {
            var message = await _agent.ReceiveOneAsync(TimeSpan.FromMilliseconds(200));
            if (message is null) continue;
            // Each of the first messages meets a death before its answer is in the journal.
            if (++messages <= 12)
            {
                if (message is DispatchAction lost) performed.Add(lost.Key);
                await Kill(incident);
                incident = Incident();
                await AwaitAssertAsync(() => _open.Count.Should().Be(1), Patience);
                if (messages % 2 == 0) continue;
            }

            switch (message)
            {
                case DispatchAction x:
                    keys.Add(x.Key);
                    performed.Add(x.Key);
                    Answer(x);
                    break;
                case ResolveAction x:
                    _agent.Reply(new ActionOutcome
                    {
                        Key = x.Dispatch.Key, Epoch = x.Dispatch.Epoch, Kind = performed.Contains(x.Dispatch.Key) ? OutcomeKind.Succeeded : OutcomeKind.NotDone,
                        Output = RunFixture.Json("""{ "value": 1 }"""),
                    });
                    break;
                case RunProbe x:
                    _agent.Reply(new ProbeAnswer { Id = x.Id, Result = RunFixture.Json("""{ "healthy": true }""") });
                    break;
            }

            messages.Should().BeLessThan(500);
        }

        performed.Should().HaveCount(2);
        await AwaitSettled(incident);
    }

    [Fact]
    public async Task Trouble_that_ends_by_itself_resolves_an_incident_that_nobody_works_on()
    {
        var incident = Incident();
        var raised = Raised() with { Type = "nobody's" };
        var cleared = new IncidentCleared { Key = raised.Key, Episode = raised.Episode, At = DateTimeOffset.UtcNow, Reason = "calm" };
        incident.Tell(raised, _monitor.Ref);
        await _monitor.ExpectMsgAsync<IncidentAccepted>(Patience);
        _open.Count.Should().Be(1);
        incident.Tell(cleared, _monitor.Ref);
        (await _monitor.ExpectMsgAsync<IncidentOver>(Patience)).Episode.Should().Be("e1");
        await AwaitAssertAsync(() => _open.Count.Should().Be(0), Patience);
        await _monitor.FishForMessageAsync<IncidentOver>(_ => true, Patience); // once for its end, once as the answer
        incident.Tell(cleared, _monitor.Ref);
        await _monitor.FishForMessageAsync<IncidentOver>(_ => true, Patience);
    }

    [Fact]
    public async Task Trouble_that_ends_by_itself_leaves_a_run_under_way_alone()
    {
        var incident = Incident();
        incident.Tell(Raised(), _monitor.Ref);
        await _monitor.ExpectMsgAsync<IncidentAccepted>(Patience);
        var ban = await Dispatch("ban");
        var agent = _agent.LastSender;
        incident.Tell(new IncidentCleared { Key = Raised().Key, Episode = "e1", At = DateTimeOffset.UtcNow, Reason = "calm" }, _monitor.Ref);
        await _monitor.ExpectNoMsgAsync(TimeSpan.FromMilliseconds(300));
        agent.Tell(new ActionOutcome { Key = ban.Key, Epoch = ban.Epoch, Attempt = ban.Attempt, Kind = OutcomeKind.Succeeded, Output = RunFixture.Json("""{ "value": 1 }""") }, _agent.Ref);
        await PassChecks();
        await _monitor.ExpectMsgAsync<IncidentOver>(Patience);
    }

    [Fact]
    public async Task At_the_cap_a_raise_is_not_accepted()
    {
        for (var i = 0; i < 1_000; i++) _open.TryEnter($"other-{i}");
        Incident().Tell(Raised(), _monitor.Ref);
        await _monitor.ExpectNoMsgAsync(TimeSpan.FromMilliseconds(300));
        _open.Refused.Should().Be(1);
    }

    [Fact]
    public async Task An_operator_cancels_and_what_was_done_is_taken_back()
    {
        var incident = Incident();
        incident.Tell(Raised(), _monitor.Ref);
        var ban = await Dispatch("ban");
        incident.Tell(new DirectRun { Key = "k", RunId = ban.RunId, Verb = "cancel", By = "ann", Reason = "no" }, TestActor);
        (await ExpectMsgAsync<IncidentAnswer>(Patience)).Done.Should().BeTrue();
        var undo = await _agent.FishForMessageAsync<DispatchAction>(x => x.Undo, Patience);
        undo.Cancels.Should().Be(ban.Key);
        Answer(undo);
        await _monitor.FishForMessageAsync<IncidentOver>(_ => true, Patience);
    }

    private static RequestRun Requested(string playbook = "test_playbook") => new()
    {
        Key = "k", Playbook = playbook, By = "ann", Reason = "to be sure", Raised = IncidentLogicTests.Raised(1, "operator/1", 3),
    };

    [Fact]
    public async Task An_operator_starts_a_run_and_the_key_has_one_incident_and_one_run()
    {
        var incident = Incident();
        incident.Tell(Requested(), TestActor);
        var started = await ExpectMsgAsync<RunRequested>(Patience);
        (started.Done, started.RunId).Should().Be((true, started.IncidentId + ".1"));
        var ban = await Dispatch("ban");
        ban.RunId.Should().Be(started.RunId);

        incident.Tell(Requested(), TestActor);
        (await ExpectMsgAsync<RunRequested>(Patience)).Should().Match<RunRequested>(x => !x.Done && x.Reason!.Contains("is under way; an incident has one run at a time", StringComparison.Ordinal));
        incident.Tell(Raised(), _monitor.Ref);
        (await _monitor.ExpectMsgAsync<IncidentAccepted>(Patience)).IncidentId.Should().Be(started.IncidentId, "a detection joins it");

        Answer(ban);
        await PassChecks();
        await _monitor.ExpectMsgAsync<IncidentOver>(Patience);
    }

    [Fact]
    public async Task A_run_that_an_operator_asked_for_survives_a_death()
    {
        var first = Incident();
        first.Tell(Requested(), TestActor);
        await ExpectMsgAsync<RunRequested>(Patience);
        await Dispatch("ban");
        await Kill(first);

        Incident();

        (await _agent.FishForMessageAsync<ResolveAction>(_ => true, Patience)).Dispatch.Key.Should().EndWith("/ban");
    }

    [Fact]
    public async Task A_disabled_playbook_starts_no_run_until_it_is_enabled()
    {
        _deps.Switches.Take(new PlaybookSwitch { Playbook = "test_playbook", Enabled = false, By = "ann", Reason = "too eager", At = DateTimeOffset.UnixEpoch });
        var incident = Incident();
        incident.Tell(Requested(), TestActor);
        (await ExpectMsgAsync<RunRequested>(Patience)).Reason.Should().Be("playbook test_playbook was disabled by ann: too eager");
        incident.Tell(Raised(), _monitor.Ref);
        await _monitor.ExpectMsgAsync<IncidentAccepted>(Patience);
        await _agent.ExpectNoMsgAsync(TimeSpan.FromMilliseconds(300));

        _deps.Switches.Take(_deps.Switches.Of("test_playbook")! with { Enabled = true, At = DateTimeOffset.UtcNow });

        await Dispatch("ban");
    }

    [Fact]
    public async Task An_operator_asks_in_vain_for_a_playbook_that_is_not_there_or_past_the_cap()
    {
        var incident = Incident();
        incident.Tell(Requested("other"), TestActor);
        (await ExpectMsgAsync<RunRequested>(Patience)).Reason.Should().Contain("no playbook 'other' is in force");
        for (var i = 0; i < 1_000; i++) _open.TryEnter($"other-{i}");
        incident.Tell(Requested(), TestActor);
        (await ExpectMsgAsync<RunRequested>(Patience)).Reason.Should().Contain("1000 incidents are open");
    }

    [Fact]
    public async Task A_key_that_recurs_all_day_is_read_back_from_a_snapshot()
    {
        var incident = Incident();
        for (var detection = 1; detection <= 120; detection++)
        {
            incident.Tell(Raised(detection, detection), _monitor.Ref);
            await _monitor.FishForMessageAsync<IncidentAccepted>(x => x.Detection == detection, Patience);
        }

        var first = await Dispatch("ban");
        await Kill(incident);
        IReadOnlyList<object> read = [];
        await AwaitAssertAsync(async () =>
        {
            Sys.ActorOf(Props.Create(() => new JournalReader("incident-" + IncidentKeys.Entity("k"), TestActor, true)));
            read = await ExpectMsgAsync<IReadOnlyList<object>>(Patience);
            read[0].Should().BeOfType<SnapshotOffer>();
        }, Patience);

        read.Count.Should().BeLessThan(30, "120 detections are behind the snapshot");
        var again = Incident();
        again.Tell(Raised(120, 120), _monitor.Ref);
        var accepted = await _monitor.FishForMessageAsync<IncidentAccepted>(_ => true, Patience);
        accepted.IncidentId.Should().Be(IncidentKeys.Entity("k")[..12] + "-1", "a known detection opens nothing");
        (await _agent.FishForMessageAsync<ResolveAction>(_ => true, Patience)).Dispatch.Key.Should().Be(first.Key, "the run goes on where it was");
    }

    /// <summary>Tells what an entity has in the journal.</summary>
    private sealed class JournalReader : ReceivePersistentActor
    {
        private readonly bool _snapshots;

        public JournalReader(string persistenceId, IActorRef to, bool snapshots)
        {
            _snapshots = snapshots;
            PersistenceId = persistenceId;
            JournalPluginId = Guardian.Actors.Persistence.GuardianPersistence.JournalId;
            SnapshotPluginId = Guardian.Actors.Persistence.GuardianPersistence.SnapshotsId;
            List<object> events = [];
            Recover<RecoveryCompleted>(_ => to.Tell((IReadOnlyList<object>)events));
            RecoverAny(x => events.Add(x is Akka.Persistence.Journal.Tagged tagged ? tagged.Payload : x));
        }

        public override string PersistenceId { get; }

        public override Recovery Recovery => _snapshots ? Recovery.Default : new Recovery(SnapshotSelectionCriteria.None);
    }

    private async Task Kill(IActorRef incident)
    {
        Watch(incident);
        Sys.Stop(incident);
        await ExpectTerminatedAsync(incident, Patience);
        Unwatch(incident);
    }

    private async Task AwaitSettled(IActorRef incident)
    {
        await AwaitAssertAsync(() => _open.Count.Should().Be(0), Patience);
        incident.Tell(Raised(violations: 300), _monitor.Ref);
        await _monitor.FishForMessageAsync<IncidentOver>(_ => true, Patience);
    }
}
