using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Guardian.Actors.Actions;
using Guardian.Actors.Autonomy;
using Guardian.Actors.Incidents;
using Guardian.Actors.Notifications;
using Guardian.Actors.Runs;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;
using Guardian.Tests.Playbooks.Execution;

namespace Guardian.Tests.Incidents;

/// <summary>The channels that were told of an incident hear of its end, whatever dies in between.</summary>
public sealed class IncidentNoticeTests : TestKit
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private const string Config = """
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
    private readonly TestProbe _outbox;
    private readonly IncidentDependencies _deps;

    public IncidentNoticeTests()
        : base(Config)
    {
        (_agent, _outbox) = (CreateTestProbe(), CreateTestProbe());
        var book = RunFixture.Load("""
            steps:
              - { id: tell, action: notify, with: { channel: security, text: rogue } }
            """);
        var catalog = new PlaybookCatalog(() => new PlaybookLoadResult([book], []));
        catalog.TryReload().Should().BeTrue();
        _deps = new IncidentDependencies(catalog, new OpenIncidents(10), new RunDependencies(TimeProvider.System, RunFixture.Vocabulary,
            new ModeView(OperatingMode.Enforce, _ => OperatingMode.Enforce), _ => _agent.Ref, RunDependencies.Loader(RunFixture.Vocabulary))) { Outbox = _outbox.Ref };
    }

    private IActorRef Incident() => Sys.ActorOf(IncidentActor.Props(IncidentKeys.Entity("k"), _deps));

    private async Task RunToItsEnd(IActorRef incident)
    {
        incident.Tell(IncidentLogicTests.Raised(1, "e1", 5), ActorRefs.NoSender);
        var tell = await _agent.FishForMessageAsync<DispatchAction>(x => x.Action == "notify", Patience);
        tell.IncidentType.Should().NotBeNullOrEmpty("silences and alerts look at it");
        _agent.Reply(new ActionOutcome { Key = tell.Key, Epoch = tell.Epoch, Attempt = tell.Attempt, Kind = OutcomeKind.Succeeded, Output = RunFixture.Json("{}") });
    }

    [Fact]
    public async Task It_is_told_until_it_is_in_the_outbox()
    {
        await RunToItsEnd(Incident());
        var notice = await _outbox.ExpectMsgAsync<TellResolved>(Patience);
        notice.Should().Match<TellResolved>(x => x.Channel == "security" && x.State == "resolved" && x.IncidentKey == "k" && x.Key == x.IncidentId + "/resolved");
        (await _outbox.ExpectMsgAsync<TellResolved>(Patience)).Should().Be(notice, "nobody has answered");
        _outbox.Reply(new OutboxAccepted { Channel = "security", Key = notice.Key, Accepted = true });
        await _outbox.ExpectNoMsgAsync(TimeSpan.FromSeconds(3));
    }

    [Fact]
    public async Task It_is_told_after_a_death_too()
    {
        var first = Incident();
        await RunToItsEnd(first);
        var notice = await _outbox.ExpectMsgAsync<TellResolved>(Patience);
        (await first.GracefulStop(Patience)).Should().BeTrue();
        Incident();
        (await _outbox.ExpectMsgAsync<TellResolved>(Patience)).Should().Be(notice);
    }
}
