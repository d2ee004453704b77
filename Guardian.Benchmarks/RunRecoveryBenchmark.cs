using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence;
using Guardian.Actors.Actions;
using Guardian.Actors.Autonomy;
using Guardian.Actors.Hosting;
using Guardian.Actors.Persistence;
using Guardian.Actors.Runs;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;

namespace Guardian.Benchmarks;

/// <summary>
/// A run with 1,000 events in the journal, from its actor's start to the first command that it gives. Bound: 100 ms.
/// Beside it, in the same run, a bare persistent actor that reads the same 1,000 events and does nothing with them.
/// </summary>
internal static class RunRecoveryBenchmark
{
    private const int Events = 1_000;
    private const int Rounds = 20;

    public static async Task RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("guardian-recovery-").FullName;
        JournalDatabase.From("sqlite", "", folder).Prepare();
        var system = ActorSystem.Create("bench", ConfigurationFactory.ParseString("""
            akka.loglevel = WARNING
            akka.actor {
              serializers.guardian = "Guardian.Actors.Serialization.GuardianSerializer, Guardian.Actors"
              serialization-bindings { "Guardian.Playbooks.IGuardianMessage, Guardian.Playbooks" = guardian }
            }
            """).WithFallback(GuardianPersistence.Hocon("sqlite", "", folder)));
        try
        {
            var vocabulary = GuardianVocabulary.Of(new GuardianOptions());
            // Without its guards: their answer is not part of the recovery, and nobody is here to give it.
            var shipped = await File.ReadAllTextAsync(Path.Combine(ShippedFiles.Folder("playbooks"), "message_bus_acl_violation_fix.yaml"));
            var (guards, rest) = (shipped.IndexOf("guards:", StringComparison.Ordinal), shipped.IndexOf("timeout: 5m", StringComparison.Ordinal));
            var playbook = PlaybookLoader.Load([("fix.yaml", shipped[..guards] + shipped[rest..])], vocabulary).Playbooks.Single();
            List<double> runs = [], bare = [];
            for (var round = 0; round < Rounds; round++)
            {
                var id = $"r{round}.1";
                await WriteAsync(system, id, playbook, vocabulary);
                bare.Add(await TimeAsync(system, ask => Props.Create(() => new Reader("run-" + id, ask))));
                runs.Add(await TimeAsync(system, ask => PlaybookRunActor.Props(
                    new RunOrder(id, playbook.Name, playbook.Definition, "", false, $"r{round}", "k", "n1", Incident),
                    new RunDependencies(TimeProvider.System, vocabulary, new ModeView(OperatingMode.Enforce, _ => OperatingMode.Enforce), _ => ask, RunDependencies.Loader(vocabulary)))));
            }

            // The first rounds compile.
            var (run, reader) = (Median(runs.Skip(Rounds / 2)), Median(bare.Skip(Rounds / 2)));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"recovery of a run with {Events:N0} events until its first command: first {runs[0]:F0} ms, median {run:F1} ms (bound 100 ms), bare persistent actor {reader:F1} ms, ratio {run / reader:F1}"));
        }
        finally
        {
            await system.Terminate();
            Directory.Delete(folder, recursive: true);
        }
    }

    private static JsonElement Incident { get; } = JsonElement.Parse("""
        {"id":"i","key":"k","type":"message_bus.acl_violation.spam_attack","severity":"high","node":"n1","subject":"rogue","openedAt":"2026-01-01T00:00:00Z",
         "occurrences":1,"principal":"rogue","topic":"system.control","violations":40}
        """);

    /// <summary>A run in its verification, which was measured until it had so many events.</summary>
    private static async Task WriteAsync(ActorSystem system, string id, Playbook playbook, Vocabulary vocabulary)
    {
        var now = DateTimeOffset.UtcNow;
        var view = new RunView(now, Incident, null, _ => OperatingMode.Enforce);
        List<RunEvent> events = [new RunMachine(playbook, vocabulary).Start(id, "i", "k", "n1", 1, "benchmark", view)];
        foreach (var step in playbook.Steps)
        {
            events.Add(new StepDispatched
            {
                At = now, StepId = step.Id, Attempt = 1, Key = $"{id}/{step.Id}", Action = step.Action, Input = Incident, Node = "n1", Undo = false, Deadline = now,
            });
            events.Add(new StepSucceeded { At = now, StepId = step.Id, Output = JsonElement.Parse("""{"severity":"high","score":7}""") });
        }

        events.Add(new VerificationStarted { At = now });
        while (events.Count < Events)
            events.Add(new VerificationProbed { At = now, Id = "quiet", Passed = false, Final = false, Result = JsonElement.Parse("""{"count":3}"""), Reason = "result.count == 0 [result.count = 3]" });
        var done = new TaskCompletionSource();
        var writer = system.ActorOf(Props.Create(() => new Writer("run-" + id, events, done)));
        await done.Task;
        await writer.GracefulStop(TimeSpan.FromSeconds(10));
    }

    private static async Task<double> TimeAsync(ActorSystem system, Func<IActorRef, Props> props)
    {
        var heard = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        var ear = system.ActorOf(Props.Create(() => new Ear(heard)));
        var started = Stopwatch.GetTimestamp();
        var actor = system.ActorOf(props(ear));
        var ended = await heard.Task;
        await actor.GracefulStop(TimeSpan.FromSeconds(10));
        system.Stop(ear);
        return Stopwatch.GetElapsedTime(started, ended).TotalMilliseconds;
    }

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(values.Count() / 2);

    /// <summary>Hears the first command.</summary>
    private sealed class Ear : ReceiveActor
    {
        public Ear(TaskCompletionSource<long> heard) => ReceiveAny(_ => heard.TrySetResult(Stopwatch.GetTimestamp()));
    }

    private sealed class Writer : ReceivePersistentActor
    {
        public Writer(string persistenceId, IReadOnlyList<RunEvent> events, TaskCompletionSource done)
        {
            PersistenceId = persistenceId;
            JournalPluginId = GuardianPersistence.JournalId;
            SnapshotPluginId = GuardianPersistence.SnapshotsId;
            RecoverAny(_ => { });
            Command<string>(_ =>
            {
                var left = events.Count;
                PersistAll(events.Select(GuardianPersistence.Tagged), _ =>
                {
                    if (--left == 0) done.TrySetResult();
                });
            });
            Self.Tell("write");
        }

        public override string PersistenceId { get; }
    }

    private sealed class Reader : ReceivePersistentActor
    {
        public Reader(string persistenceId, IActorRef ear)
        {
            PersistenceId = persistenceId;
            JournalPluginId = GuardianPersistence.JournalId;
            SnapshotPluginId = GuardianPersistence.SnapshotsId;
            Recover<RecoveryCompleted>(_ => ear.Tell("done"));
            RecoverAny(_ => { });
        }

        public override string PersistenceId { get; }
    }
}
