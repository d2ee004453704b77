using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence;
using Guardian.Actors.Actions;
using Guardian.Actors.Autonomy;
using Guardian.Actors.Incidents;
using Guardian.Actors.Notifications;
using Guardian.Actors.Persistence;
using Guardian.Actors.Runs;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;

namespace Guardian.Benchmarks;

/// <summary>
/// Whole runs of a 6-step playbook against bare persistent actors on the same database at the same concurrency, incident to first effect
/// against a bare persist, and the memory of 1,000 runs at once. Ratios of one process's measurements, taken in turns.
/// No condition asks for a count of violations: such a one waits for what is on its way.
/// Arguments: <c>sqlite</c> (default), or <c>postgres &lt;connection string&gt;</c> of an empty database.
/// </summary>
internal static class RunThroughput
{
    private const int Rounds = 3;
    private const int Samples = 60;
    private const int AtOnce = 1_000;

    private const string Playbook = """
        apiVersion: guardian/v1
        kind: Playbook
        metadata: { name: six_steps, version: 1, owner: benchmarks, description: six steps }
        trigger:
          - event: policy.regression
        steps:
          - { id: one, action: bench.effect, with: { name: "${incident.subject}" }, undo: auto }
          - { id: two, if: incident.occurrences >= 1, action: bench.effect, with: { name: two }, undo: auto }
          - { id: three, action: bench.effect, with: { name: three }, retry: { attempts: 3 } }
          - { id: four, action: bench.effect, with: { name: "${steps.one.name}" } }
          - { id: five, action: bench.effect, with: { name: five }, onError: continue }
          - { id: six, action: bench.effect, with: { name: six } }
        """;

    public static async Task RunAsync(string[] args)
    {
        var folder = Directory.CreateTempSubdirectory("guardian-runs-").FullName;
        var (provider, connection) = args.Length > 1 ? (args[0], args[1]) : ("sqlite", "");
        var database = JournalDatabase.From(provider, connection, folder);
        database.Prepare();
        var system = ActorSystem.Create("runs", ConfigurationFactory.ParseString("""
            akka.loglevel = WARNING
            akka.actor {
              serializers.guardian = "Guardian.Actors.Serialization.GuardianSerializer, Guardian.Actors"
              serialization-bindings { "Guardian.Playbooks.IGuardianMessage, Guardian.Playbooks" = guardian }
            }
            """).WithFallback(GuardianPersistence.Hocon(provider, connection, folder)));
        try
        {
            var rig = new Rig(system, database);
            await rig.BareAsync(1, 200);
            await rig.RunsAsync(1, 20); // warm-up of both
            foreach (var concurrency in new[] { 1, 16, 64 }) await ThroughputAsync(rig, concurrency);
            await LatencyAsync(rig);
            await MemoryAsync(rig);
        }
        finally
        {
            await system.Terminate();
            Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task ThroughputAsync(Rig rig, int concurrency)
    {
        var (bare, runs, steps) = (new List<double>(), new List<double>(), 0d);
        for (var i = 0; i < Rounds; i++)
        {
            bare.Add(await rig.BareAsync(concurrency, 150 + concurrency * 40));
            var (perSecond, perStep) = await rig.RunsAsync(concurrency, 10 + concurrency * 3);
            runs.Add(perSecond);
            steps = Math.Max(steps, perStep);
        }

        var (b, r) = (Median(bare), Median(runs));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"concurrency {concurrency,2}: bare {b:F0} events/s, runs {r:F0} events/s, ratio {r / b:P0} (bound 60 %); {steps:F2} events per step (bound 3)"));
    }

    private static async Task LatencyAsync(Rig rig)
    {
        var (bare, effect) = (new List<double>(), new List<double>());
        for (var i = 0; i < Samples; i++)
        {
            bare.Add(await rig.PersistAsync());
            effect.Add(await rig.FirstEffectAsync());
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"incident to first effect p50 {Median(effect):F2} ms, a bare persist {Median(bare):F2} ms: {Median(effect) / Median(bare):F1} persists (bound 8)"));
    }

    private static async Task MemoryAsync(Rig rig)
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await rig.HoldAsync(AtOnce);
        var after = GC.GetTotalMemory(forceFullCollection: true);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{AtOnce} runs at once: {(after - before) / 1048576d:F0} MiB more on the heap, {Environment.WorkingSet / 1048576d:F0} MiB working set of the whole process (bound 300)"));
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private sealed class Rig
    {
        private readonly ActorSystem _system;
        private readonly JournalDatabase _database;
        private readonly Effect _effect = new();
        private readonly IncidentDependencies _dependencies;
        private readonly IActorRef _single;
        private int _next;

        public Rig(ActorSystem system, JournalDatabase database)
        {
            (_system, _database) = (system, database);
            var registry = new GuardianRegistry(BuiltInIncidents.All, [_effect], []);
            var loaded = PlaybookLoader.Load([("six.yaml", Playbook)], registry.Vocabulary);
            if (loaded.Errors.Count > 0) throw new InvalidOperationException(string.Join("; ", loaded.Errors));
            var catalog = new PlaybookCatalog(() => loaded);
            catalog.TryReload();
            var mode = new ModeView(OperatingMode.Enforce, _ => OperatingMode.Enforce);
            var agent = system.ActorOf(NodeAgent.Props(registry, mode, TimeProvider.System), "agent");
            _dependencies = new IncidentDependencies(catalog, new OpenIncidents(100_000),
                new RunDependencies(TimeProvider.System, registry.Vocabulary, mode, _ => agent, RunDependencies.Loader(registry.Vocabulary)));
            _single = system.ActorOf(Props.Create(() => new Bare("bare-single")));
        }

        /// <summary>Events a second of so many actors, each with one write under way.</summary>
        public async Task<double> BareAsync(int concurrency, int events)
        {
            var actors = Enumerable.Range(0, concurrency).Select(_ => _system.ActorOf(Props.Create(() => new Bare("bare-" + Guid.NewGuid().ToString("N"))))).ToList();
            await Task.WhenAll(actors.Select(x => x.Ask<int>(1)));
            var clock = Stopwatch.StartNew();
            await Task.WhenAll(actors.Select(x => x.Ask<int>(events / concurrency)));
            var perSecond = events / concurrency * concurrency / clock.Elapsed.TotalSeconds;
            foreach (var actor in actors) _system.Stop(actor);
            return perSecond;
        }

        /// <summary>Events a second of so many runs at once, and events per step.</summary>
        public async Task<(double PerSecond, double PerStep)> RunsAsync(int concurrency, int runs)
        {
            var before = Events();
            var clock = Stopwatch.StartNew();
            var left = new ConcurrentBag<int>(Enumerable.Range(0, runs));
            await Task.WhenAll(Enumerable.Range(0, concurrency).Select(async _ =>
            {
                while (left.TryTake(out var _)) await WholeRunAsync();
            }));
            var took = clock.Elapsed.TotalSeconds;
            var events = Events() - before;
            return (events / took, RunEvents() / 6d);
        }

        public async Task<double> PersistAsync()
        {
            var clock = Stopwatch.GetTimestamp();
            await _single.Ask<int>(1);
            return Stopwatch.GetElapsedTime(clock).TotalMilliseconds;
        }

        public async Task<double> FirstEffectAsync()
        {
            var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _effect.Started = started;
            var clock = Stopwatch.GetTimestamp();
            var run = WholeRunAsync();
            await started.Task;
            var took = Stopwatch.GetElapsedTime(clock).TotalMilliseconds;
            await run;
            return took;
        }

        /// <summary>Starts runs whose first step does not end, and waits until each has dispatched it.</summary>
        public async Task HoldAsync(int runs)
        {
            var before = Rows("select count(*) from guardian_journal where manifest = 'step-dispatched:v1'");
            _effect.Hold = new TaskCompletionSource();
            for (var i = 0; i < runs; i++) Raise(out _);
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
            while (Rows("select count(*) from guardian_journal where manifest = 'step-dispatched:v1'") - before < runs) await timer.WaitForNextTickAsync();
        }

        private async Task WholeRunAsync()
        {
            var inbox = Inbox.Create(_system);
            var incident = Raise(out var _, inbox.Receiver);
            while (await inbox.ReceiveAsync(TimeSpan.FromSeconds(60)) is not IncidentOver)
            {
                // Accepted first.
            }

            _system.Stop(incident);
        }

        private IActorRef Raise(out string key, IActorRef? monitor = null)
        {
            key = "bench/" + Interlocked.Increment(ref _next).ToString(CultureInfo.InvariantCulture);
            var incident = _system.ActorOf(IncidentActor.Props(IncidentKeys.Entity(key), _dependencies));
            incident.Tell(new IncidentRaised
            {
                Key = key, Type = BuiltInIncidents.PolicyRegression, Node = "n1", At = TimeProvider.System.GetUtcNow(), Subject = "s", Topic = "t", Detection = 1, Episode = "e", Violations = 5,
            }, monitor ?? ActorRefs.Nobody);
            return incident;
        }

        private long Events() => Rows("select count(*) from guardian_journal where persistence_id like 'run-%' or persistence_id like 'incident-%'");

        private long RunEvents() => Rows("select max(n) from (select count(*) as n from guardian_journal where manifest like 'step-%' group by persistence_id) as x");

        private long Rows(string sql)
        {
            using var connection = _database.Connect(_database.Journal);
            connection.Open();
            using var command = connection.CreateCommand();
#pragma warning disable CA2100 // constants of this class
            command.CommandText = sql;
#pragma warning restore CA2100
            return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
        }
    }

    private sealed record EffectInput(string Name);

    private sealed record EffectOutput(string Name);

    private sealed class Effect : GuardianAction<EffectInput, EffectOutput>
    {
        public TaskCompletionSource? Started { get; set; }
        public TaskCompletionSource? Hold { get; set; }
        public override string Name => "bench.effect";
        public override RiskClass Risk => RiskClass.None;
        public override bool HasUndo => true;
        public override bool Idempotent => true;

        public override async Task<EffectOutput> ExecuteAsync(EffectInput input, ActionContext context, CancellationToken cancellation)
        {
            Started?.TrySetResult();
            if (Hold is { } hold) await hold.Task.WaitAsync(cancellation);
            return new EffectOutput(input.Name);
        }

        public override Task UndoAsync(EffectInput input, EffectOutput? output, ActionContext context, CancellationToken cancellation) => Task.CompletedTask;
    }

    /// <summary>Writes so many events of a run's usual size, one after the other, and answers.</summary>
    private sealed class Bare : ReceivePersistentActor
    {
        private static readonly string Text = new('x', 300);
        private int _left;
        private IActorRef _asker = ActorRefs.Nobody;

        public Bare(string id)
        {
            PersistenceId = id;
            JournalPluginId = GuardianPersistence.JournalId;
            SnapshotPluginId = GuardianPersistence.SnapshotsId;
            Command<int>(x =>
            {
                (_left, _asker) = (x, Sender);
                Write();
            });
        }

        public override string PersistenceId { get; }

        private void Write() => Persist(GuardianPersistence.Tagged(new DeliveryDead { At = DateTimeOffset.UnixEpoch, Key = "k", Attempts = 1, Reason = Text }), _ =>
        {
            if (--_left > 0) Write();
            else _asker.Tell(0);
        });
    }
}
