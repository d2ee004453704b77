using Akka.Actor;
using Akka.Configuration;
using Guardian.Actors.Persistence;

namespace Guardian.Tests.Persistence;

/// <summary>A folder that goes away, and actor systems on the journal in it, one after the other or killed.</summary>
public sealed class JournalSystem : IDisposable
{
    private readonly List<ActorSystem> _systems = [];

    public string Folder { get; } = Directory.CreateTempSubdirectory("guardian-test-").FullName;

    internal JournalDatabase Database => JournalDatabase.From("sqlite", "", Folder);

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
            """).WithFallback(GuardianPersistence.Hocon("sqlite", "", Folder)));
        _systems.Add(system);
        return system;
    }

    /// <summary>Ends a system without any orderly shutdown of its actors' work.</summary>
    public static Task KillAsync(ActorSystem system) => system.Terminate();

    public void Dispose()
    {
        foreach (var system in _systems) system.Terminate().ContinueWith(_ => { }, TaskScheduler.Default).GetAwaiter().GetResult();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
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
