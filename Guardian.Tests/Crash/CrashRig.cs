using System.Text;
using Akka.Actor;
using Guardian.Actors.Actions;
using Guardian.Actors.Actions.BuiltIn;
using Guardian.Actors.Actions.Probes;
using Guardian.Actors.Autonomy;
using Guardian.Actors.Incidents;
using Guardian.Actors.Notifications;
using Guardian.Actors.Persistence;
using Guardian.Actors.Runs;
using Guardian.Actors.Serialization;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;
using Guardian.Tests.Notifications;
using Guardian.Tests.Persistence;

namespace Guardian.Tests.Crash;

/// <summary>
/// One incident, its run, the agent and the outboxes on a real journal, in one process after the other; the world outlives them.
/// </summary>
internal sealed class CrashRig : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private readonly JournalSystem _journal;
    private readonly CrashWorld _world;
    private readonly string _playbook;
    private readonly IncidentRaised _raised;

    private CrashRig(JournalSystem journal, CrashWorld world, string playbook, IncidentRaised raised) =>
        (_journal, _world, _playbook, _raised) = (journal, world, playbook, raised);

    /// <summary>Lives one process until the point, then another to the end; the first alone where the point is never reached.</summary>
    public static async Task<CrashOutcome> RunAsync(string provider, string playbook, IncidentRaised raised, CrashPoint point)
    {
        using var journal = new JournalSystem(provider);
        await using var world = await CrashWorld.StartAsync();
        await using var rig = new CrashRig(journal, world, playbook, raised);
        var first = rig.Live(point.Hocon());
        var ended = rig.EndedAsync(first);
        await Task.WhenAny(point.Reached, ended);
        if (point.Reached.IsCompleted)
        {
            await first.TerminateAsync();
            await ended;
            var second = rig.Live(new CrashPoint(0, false).Hocon());
            await rig.EndedAsync(second);
        }

        await ended;
        return rig.Outcome(point.Writes);
    }

    private sealed record Life(ActorSystem System, IActorRef Incident, CancellationTokenSource Over)
    {
        public async Task TerminateAsync()
        {
            await Over.CancelAsync();
            await JournalSystem.KillAsync(System);
        }
    }

    private Life Live(string hocon)
    {
        var system = _journal.Start(hocon);
        var outbox = system.ActorOf(Props.Create(() => new Outboxes(Items.Dependencies(_journal.Folder, _world.Receiver.Url, "", _world.Receiver.Url, "", null))), "outbox");
        var dependencies = new ActionDependencies
        {
            Blacklist = system.ActorOf(_world.Blacklist()), Bus = system.ActorOf(_world.Bus()), Outbox = outbox, Time = TimeProvider.System,
            CountViolations = (_, _, _) => Task.FromResult(0L),
        };
        var registry = new GuardianRegistry(BuiltInIncidents.All, [.. BuiltInActions.Create(dependencies), .. _world.Actions], BuiltInProbes.Create(dependencies), _world.Secrets);
        var loaded = PlaybookLoader.Load([("playbook.yaml", _playbook)], registry.Vocabulary);
        loaded.Errors.Should().BeEmpty();
        var catalog = new PlaybookCatalog(() => loaded);
        catalog.TryReload();
        var mode = new ModeView(OperatingMode.Enforce, _ => OperatingMode.Enforce);
        var agent = system.ActorOf(NodeAgent.Props(registry, mode, TimeProvider.System), "agent");
        var incident = system.ActorOf(IncidentActor.Props(IncidentKeys.Entity(_raised.Key), new IncidentDependencies(catalog, new OpenIncidents(10),
            new RunDependencies(TimeProvider.System, registry.Vocabulary, mode, _ => agent, RunDependencies.Loader(registry.Vocabulary))
            {
                Guards = system.ActorOf(Props.Create(() => new Guards.LocalGuards()), "guards"), Touches = registry.Touches, Kernels = () => 3,
            })), "incident");
        return new Life(system, incident, new CancellationTokenSource());
    }

    /// <summary>Raises as a monitor does, until it is accepted, and waits until the run is over and the outboxes are empty. Returns at once when the process is gone.</summary>
    private async Task EndedAsync(Life life)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, life.Over.Token);
        var monitor = Inbox.Create(life.System);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        try
        {
            for (var i = 0; !IsOver(); i++)
            {
                // It goes on, as a flood does; the operator looks now and then.
                if (i % 2 == 0) life.Incident.Tell(_raised with { Violations = _raised.Violations + i / 2 }, monitor.Receiver);
                if (i % 5 == 0 && Waiting() is var (run, step)) life.Incident.Tell(new DirectRun { Key = _raised.Key, RunId = run, Verb = "approve", By = "ann", Step = step }, monitor.Receiver);
                await timer.WaitForNextTickAsync(either.Token);
            }
        }
        catch (OperationCanceledException) when (life.Over.IsCancellationRequested)
        {
            // It was taken away.
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"not over within {Deadline.TotalSeconds} s; the journal holds {string.Join(", ", Rows().Select(x => $"{x.Id} {x.Manifest}"))}");
        }
    }

    /// <summary>The run's step that waits for an operator.</summary>
    private (string Run, string Step)? Waiting()
    {
        var rows = Rows();
        if (rows.LastOrDefault(x => x.Manifest == "step-approval-requested:v1") is not { Message: not null } asked || rows.Exists(x => x.Manifest == "step-approval-decided:v1")) return null;
        var request = (StepApprovalRequested)new GuardianSerializer(null!).FromBinary(asked.Message, asked.Manifest);
        return (asked.Id["run-".Length..], request.StepId);
    }

    private bool IsOver()
    {
        var manifests = Rows().Select(x => x.Manifest).ToList();
        return manifests.Contains("incident-settled:v1")
            && manifests.Count(x => x == "delivery-accepted:v1") == manifests.Count(x => x is "delivery-done:v1" or "delivery-dead:v1");
    }

    private CrashOutcome Outcome(int writes)
    {
        var serializer = new GuardianSerializer(null!);
        var events = Rows().Select(x => (x.Id, Event: serializer.FromBinary(x.Message, x.Manifest))).ToList();
        var incident = events.Select(x => x.Event).OfType<IncidentEvent>().Aggregate((IncidentView?)null, IncidentProjection.Apply)!;
        var text = new StringBuilder().AppendLine($"incident {incident.Id} {incident.State}, {incident.Runs.Count} run");
        foreach (var run in events.Where(x => x.Event is RunEvent).GroupBy(x => x.Id))
        {
            var state = run.Aggregate(RunState.Empty, (s, e) => s.Apply((RunEvent)e.Event));
            text.AppendLine($"{run.Key} {state.Phase}");
            foreach (var step in state.Steps) text.AppendLine($"  {step.Id} {step.Phase} undo {step.Undo ?? "-"} output {step.Output is not null}");
            foreach (var check in state.Verify) text.AppendLine($"  verify {check.Id} {check.Passed}");
        }

        text.AppendLine(_world.Ban("rogue"));
        text.AppendLine("secret seen by: " + string.Join(", ", _world.Tokens.Order(StringComparer.Ordinal)));
        Rows().Should().NotContain(x => Encoding.UTF8.GetString(x.Message).Contains(CrashWorld.Token, StringComparison.Ordinal), "a secret never enters the journal");
        text.AppendLine("bus restarts asked for: " + string.Join(", ", _world.Restarts.Keys.Order(StringComparer.Ordinal)));
        return new CrashOutcome(text.ToString(), [.. _world.Calls.Select(x => x.Key).Order(StringComparer.Ordinal)], _world.Calls.Sum(x => x.Calls), writes,
            [.. events.GroupBy(x => x.Id).Select(x => x.Count())]);
    }

    private List<(string Id, string Manifest, byte[] Message)> Rows()
    {
        using var connection = _journal.Database.Connect(_journal.Database.Journal);
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "select persistence_id, manifest, message from guardian_journal order by ordering";
        var rows = new List<(string, string, byte[])>();
        try
        {
            using var reader = command.ExecuteReader();
            while (reader.Read()) rows.Add((reader.GetString(0), reader.GetString(1), (byte[])reader.GetValue(2)));
        }
        catch (System.Data.Common.DbException)
        {
            // The journal has not made its tables yet.
        }

        return rows;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>One outbox a channel; those that the journal knows are there from the start, as remembered entities are.</summary>
    private sealed class Outboxes : ReceiveActor
    {
        public Outboxes(OutboxDependencies deps)
        {
            foreach (var channel in new[] { "security", "tasks", "log" }) Context.ActorOf(Outbox.Props(channel, deps), channel);
            Receive<IOutboxMessage>(x => Context.Child(x.Channel).Forward(x));
        }
    }
}

/// <param name="State">The end state, as text: incident, run, steps, bans.</param>
/// <param name="Keys">Distinct keys that the receiver saw.</param>
/// <param name="Calls">Raw calls.</param>
/// <param name="Writes">Writes of the first process.</param>
/// <param name="Events">Events by entity.</param>
internal sealed record CrashOutcome(string State, IReadOnlyList<string> Keys, int Calls, int Writes, IReadOnlyList<int> Events);
