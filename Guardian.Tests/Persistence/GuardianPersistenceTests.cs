using Akka.Actor;
using Akka.Persistence;
using Akka.Persistence.Journal;
using Akka.Persistence.Query;
using Akka.Persistence.Sql.Query;
using Akka.Streams;
using Akka.Streams.Dsl;
using Guardian.Actors.Notifications;
using Guardian.Actors.Persistence;

namespace Guardian.Tests.Persistence;

public sealed class GuardianPersistenceTests : IDisposable
{
    private JournalSystem _journal = new();

    public void Dispose() => _journal.Dispose();

    private void Use(string provider)
    {
        _journal.Dispose();
        _journal = new JournalSystem(provider);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Guardian_writes_its_journal_and_the_application_keeps_its_own(string provider)
    {
        Use(provider);
        var system = _journal.Start();
        var own = system.ActorOf(Props.Create(() => new Writer("own", GuardianPersistence.JournalId)));
        var application = system.ActorOf(Props.Create(() => new Writer("application", "")));
        foreach (var i in Enumerable.Range(1, 3))
        {
            await own.Ask<string>(Done("k" + i), TimeSpan.FromSeconds(20));
            await application.Ask<string>(Done("a" + i), TimeSpan.FromSeconds(20));
        }

        var events = await PersistenceQuery.Get(system).ReadJournalFor<SqlReadJournal>(GuardianPersistence.QueryId)
            .EventsByTag(GuardianPersistence.Tag, Offset.Sequence(0)).Take(3)
            .RunWith(Sink.Seq<EventEnvelope>(), system.Materializer()).WaitAsync(TimeSpan.FromSeconds(20));

        events.Select(x => ((DeliveryDone)x.Event).Key).Should().Equal("k1", "k2", "k3");
        events.Should().OnlyContain(x => x.PersistenceId == "own");
        _journal.Rows("select distinct manifest from guardian_journal").Should().Equal("delivery-done:v1");
        _journal.Rows("select distinct persistence_id from guardian_journal").Should().Equal("own");
        _journal.Rows(provider == "sqlite"
            ? "select cast(message as text) from guardian_journal order by ordering limit 1"
            : "select convert_from(message, 'UTF8') from guardian_journal order by ordering limit 1").Single().Should().Contain("\"key\":\"k1\"", "a SQL client can read it");
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task What_was_answered_is_there_after_the_process_is_gone(string provider)
    {
        Use(provider);
        var first = _journal.Start();
        var writer = first.ActorOf(Props.Create(() => new Writer("own", GuardianPersistence.JournalId)));
        foreach (var i in Enumerable.Range(1, 5)) await writer.Ask<string>(Done("k" + i), TimeSpan.FromSeconds(20));
        await JournalSystem.KillAsync(first);

        var again = _journal.Start().ActorOf(Props.Create(() => new Writer("own", GuardianPersistence.JournalId)));

        (await again.Ask<IReadOnlyList<string>>("recovered", TimeSpan.FromSeconds(20))).Should().Equal("k1", "k2", "k3", "k4", "k5");
    }

    [Fact]
    public void Files_are_made_in_write_ahead_mode_and_apart()
    {
        _journal.Database.Prepare();

        _journal.Rows("PRAGMA journal_mode").Should().Equal("wal");
        File.Exists(Path.Combine(_journal.Folder, "snapshots.db")).Should().BeTrue();
    }

    [Fact]
    public void A_path_with_quotes_and_backslashes_survives_the_configuration()
    {
        var odd = """Data Source=/tmp/a "b"\c.db;Default Timeout=7""";

        GuardianPersistence.Hocon("postgres", odd, "data").GetString(GuardianPersistence.JournalId + ".connection-string").Should().Be(odd);
    }

    [Theory]
    [InlineData("postgres", "", "*ConnectionString*")]
    [InlineData("oracle", "x", "*'oracle'*sqlite or postgres*")]
    public void A_bad_option_names_its_key(string provider, string connectionString, string message) =>
        FluentActions.Invoking(() => GuardianPersistence.Hocon(provider, connectionString, "data"))
            .Should().Throw<ArgumentException>().WithMessage(message);

    [Fact]
    public void A_folder_that_cannot_be_written_is_named()
    {
        var file = Path.Combine(_journal.Folder, "plain");
        File.WriteAllText(file, "");

        FluentActions.Invoking(() => JournalDatabase.From("sqlite", "", Path.Combine(file, "below")).Prepare())
            .Should().Throw<IOException>().WithMessage("*plain*");
    }

    internal static DeliveryDone Done(string key) => new() { At = DateTimeOffset.UnixEpoch, Key = key, Attempts = 1 };

    private sealed class Writer : ReceivePersistentActor
    {
        private readonly List<string> _keys = [];

        public Writer(string id, string journal)
        {
            (PersistenceId, JournalPluginId) = (id, journal);
            Recover<DeliveryDone>(x => _keys.Add(x.Key));
            Command<DeliveryDone>(e =>
            {
                var sender = Sender;
                Persist(new Tagged(e, GuardianPersistence.Tags), _ => sender.Tell(e.Key));
            });
            Command<string>(_ => Sender.Tell(_keys.ToArray()));
        }

        public override string PersistenceId { get; }
    }
}
