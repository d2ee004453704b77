using System.Text.Json;
using Akka.Actor;
using Guardian.Actors.Actions;
using Guardian.Actors.Autonomy;
using Guardian.Actors.Incidents;
using Guardian.Actors.Notifications;
using Guardian.Actors.Persistence;
using Guardian.Actors.Runs;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;
using Guardian.Tests.Incidents;
using Guardian.Tests.Notifications;
using Guardian.Tests.Playbooks.Execution;

namespace Guardian.Tests.Persistence;

/// <summary>A journal that a newer version wrote to: what cannot be read is parked and reported, everything else goes on.</summary>
public sealed class UnreadableEventTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);
    private readonly JournalSystem _journal = new();
    private readonly OpenIncidents _open = new(10);

    public void Dispose() => _journal.Dispose();

    private static readonly Playbook Book = RunFixture.Load("""
        steps:
          - { id: ban, action: contain, with: { value: 1 }, undo: auto }
        """);

    private IActorRef Incident(ActorSystem system, ICanTell agent)
    {
        var catalog = new PlaybookCatalog(() => new PlaybookLoadResult([Book], []));
        catalog.TryReload().Should().BeTrue();
        var mode = new ModeView(OperatingMode.Enforce, _ => OperatingMode.Enforce);
        return system.ActorOf(IncidentActor.Props(IncidentKeys.Entity("k"), new IncidentDependencies(catalog, _open,
            new RunDependencies(TimeProvider.System, RunFixture.Vocabulary, mode, _ => agent, RunDependencies.Loader(RunFixture.Vocabulary)))));
    }

    /// <summary>An incident whose run has dispatched its step; then the system ends, and a newer version writes to one of the two.</summary>
    private async Task BeginAsync(string persistenceId)
    {
        var system = _journal.Start();
        var agent = Inbox.Create(system);
        Incident(system, agent.Receiver).Tell(IncidentLogicTests.Raised(1, "e1", 5));
        (await agent.ReceiveAsync(Soon)).Should().BeOfType<DispatchAction>();
        await JournalSystem.KillAsync(system);
        WriteLater(persistenceId);
    }

    private void WriteLater(string persistenceId, string manifest = "step-teleported:v3")
    {
        using var connection = _journal.Database.Connect(_journal.Database.Journal);
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $$"""
            insert into guardian_journal (created, deleted, persistence_id, sequence_number, message, manifest, identifier, writer_uuid)
              select created, deleted, persistence_id, sequence_number + 1, cast('{"at":"2026-01-02T03:04:05Z"}' as blob), '{{manifest}}', identifier, writer_uuid
              from guardian_journal where persistence_id like '{{persistenceId}}' order by sequence_number desc limit 1;
            insert into guardian_tags (ordering_id, tag, sequence_nr, persistence_id)
              select ordering, 'guardian', sequence_number, persistence_id from guardian_journal order by ordering desc limit 1;
            """;
        command.ExecuteNonQuery().Should().Be(2);
    }

    private long Count() => long.Parse(_journal.Rows("select count(*) from guardian_journal").Single(), System.Globalization.CultureInfo.InvariantCulture);

    [Fact]
    public async Task A_run_is_parked_and_an_operator_is_told_why()
    {
        await BeginAsync("run-%");
        var before = Count();
        var system = _journal.Start();
        var agent = Inbox.Create(system);
        var incident = Incident(system, agent.Receiver);

        await Eventually.HoldsAsync(() => ParkedEntities.Of(system).All.Should().ContainSingle().Which.Should().Contain("run-").And.Contain("step-teleported:v3"));
        var id = ParkedEntities.Of(system).All[0].Split(':')[0]["run-".Length..];
        var answer = await incident.Ask<IncidentAnswer>(new DirectRun { Key = "k", RunId = id, Verb = "cancel", By = "ann" }, Soon);
        answer.Should().Match<IncidentAnswer>(x => !x.Done && x.Reason!.Contains("step-teleported:v3"));
        _open.Count.Should().Be(1, "the incident stays open");
        Count().Should().Be(before, "nothing is written to what cannot be read");
        agent.Receiver.Tell("end");
        (await agent.ReceiveAsync(Soon)).Should().Be("end", "nothing was dispatched");
    }

    [Fact]
    public async Task An_incident_is_parked_and_comes_back_only_once()
    {
        await BeginAsync("incident-%");
        var before = Count();
        var system = _journal.Start();
        var incident = Incident(system, ActorRefs.Nobody);

        var answer = await incident.Ask<IncidentAnswer>(new CloseIncident { Key = "k", By = "ann", Reason = "x" }, Soon);

        answer.Should().Match<IncidentAnswer>(x => !x.Done && x.Reason!.Contains("step-teleported:v3"));
        ParkedEntities.Of(system).All.Should().ContainSingle().Which.Should().StartWith("incident-");
        incident.Tell(IncidentLogicTests.Raised(2, "e2", 5));
        (await incident.Ask<IncidentAnswer>(new CloseIncident { Key = "k", By = "ann", Reason = "x" }, Soon)).Done.Should().BeFalse();
        Count().Should().Be(before);
        await incident.GracefulStop(Soon);
        ParkedEntities.Of(system).Any.Should().BeFalse();
    }

    [Fact]
    public async Task An_outbox_takes_nothing_and_says_so()
    {
        var first = _journal.Start();
        await first.ActorOf(Outbox.Props("log", Items.Dependencies(_journal.Folder))).Ask<OutboxAccepted>(Items.Item("a", "log"), Soon);
        await JournalSystem.KillAsync(first);
        WriteLater("outbox-log", "delivery-folded:v2");

        var outbox = _journal.Start().ActorOf(Outbox.Props("log", Items.Dependencies(_journal.Folder)));

        (await outbox.Ask<OutboxAccepted>(Items.Item("b", "log"), Soon)).Should().Match<OutboxAccepted>(x => !x.Accepted && x.Reason!.Contains("delivery-folded:v2"));
        (await outbox.Ask<OutboxStatus>(new GetOutboxStatus { Channel = "log" }, Soon)).LastFailure.Should().Contain("delivery-folded:v2");
    }

    [Fact]
    public async Task The_read_model_passes_over_it_and_a_version_that_knows_it_builds_anew()
    {
        await BeginAsync("run-%");
        var path = Path.Combine(_journal.Folder, "projection.db");
        var system = _journal.Start();
        var model = new ReadModel(path);
        system.ActorOf(ProjectionActor.Props(path, model));
        using var deadline = new CancellationTokenSource(Soon);
        await foreach (var e in model.EventsAsync(0, deadline.Token))
        {
            if (e.Type != "step-teleported") continue;
            e.Summary.Should().Contain("cannot be read");
            break;
        }

        (await model.OpenIncidentsAsync(deadline.Token)).Should().Be(1);
        await JournalSystem.KillAsync(system);

        using (var store = ProjectionStore.Open(path)) store.Rebuilt.Should().BeNull("this version still cannot read it");
        using (var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={path};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "update meta set unreadable = 'the vocabulary of another version'";
            command.ExecuteNonQuery().Should().Be(1);
        }

        using var later = ProjectionStore.Open(path);
        later.Rebuilt.Should().Contain("passed over");
    }
}
