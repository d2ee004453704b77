using Akka.Actor;
using Akka.Configuration;
using Guardian.Actors.Persistence;

namespace Guardian.Tests.Persistence;

/// <summary>A folder that goes away, and actor systems on the journal in it, one after the other or killed.</summary>
public sealed class JournalSystem : IDisposable
{
    private readonly List<ActorSystem> _systems = [];
    private readonly string _provider;
    private readonly string _connectionString;

    public JournalSystem()
        : this("sqlite")
    {
    }

    /// <param name="provider"><c>sqlite</c>, or <c>postgres</c> for a database of its own.</param>
    internal JournalSystem(string provider) => (_provider, _connectionString) = (provider, provider == "postgres" ? Postgres.Create() : "");

    public string Folder { get; } = Directory.CreateTempSubdirectory("guardian-test-").FullName;

    internal JournalDatabase Database => JournalDatabase.From(_provider, _connectionString, Folder);

    /// <summary>A system as an embedding application has it: its own default journal, in memory.</summary>
    public ActorSystem Start(string extra = "")
    {
        Database.Prepare();
        var system = ActorSystem.Create("test", ConfigurationFactory.ParseString(extra + """

            akka.loglevel = WARNING
            akka.log-dead-letters = off
            akka.coordinated-shutdown.run-by-actor-system-terminate = off
            akka.coordinated-shutdown.run-by-clr-shutdown-hook = off
            akka.actor {
              serializers.guardian = "Guardian.Actors.Serialization.GuardianSerializer, Guardian.Actors"
              serialization-bindings { "Guardian.Playbooks.IGuardianMessage, Guardian.Playbooks" = guardian }
            }
            akka.persistence.journal.plugin = "akka.persistence.journal.inmem"
            akka.persistence.snapshot-store.plugin = "akka.persistence.snapshot-store.inmem"
            """).WithFallback(GuardianPersistence.Hocon(_provider, _connectionString, Folder)));
        _systems.Add(system);
        return system;
    }

    /// <summary>Ends a system without any orderly shutdown of its actors' work.</summary>
    public static Task KillAsync(ActorSystem system) => system.Terminate();

    /// <summary>The first column of every row, as text.</summary>
    internal IReadOnlyList<string> Rows(string sql)
    {
        using var connection = Database.Connect(Database.Journal);
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read()) rows.Add(Convert.ToString(reader.GetValue(0), System.Globalization.CultureInfo.InvariantCulture)!);
        return rows;
    }

    public void Dispose()
    {
        foreach (var system in _systems) system.Terminate().ContinueWith(_ => { }, TaskScheduler.Default).GetAwaiter().GetResult();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        if (_provider == "postgres") Postgres.Drop(_connectionString);
        Directory.Delete(Folder, recursive: true);
    }
}

/// <summary>Waits for a condition with a deadline, never for a time.</summary>
internal static class Eventually
{
    public static async Task HoldsAsync(Func<Task> assertion, int seconds = 20)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        while (true)
        {
            try
            {
                await assertion();
                return;
            }
            catch (Exception) when (!deadline.IsCancellationRequested)
            {
                await Task.Delay(25, CancellationToken.None);
            }
        }
    }

    public static Task HoldsAsync(Action assertion, int seconds = 20) => HoldsAsync(() => { assertion(); return Task.CompletedTask; }, seconds);
}
