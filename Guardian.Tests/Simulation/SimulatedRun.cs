using System.Text.Json;
using Guardian.Actors.Incidents;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Tests.Simulation;

/// <summary>PlaybookRunActor without Akka: persists what the machine decides, then carries out, repeats what is not answered.</summary>
internal sealed class SimulatedRun(IncidentEnvironment env, string runId)
{
    private static readonly TimeSpan RepeatEvery = TimeSpan.FromMilliseconds(500);

    private readonly RunMachine _machine = new(env.Playbook, env.Vocabulary);
    private readonly Dictionary<string, DateTimeOffset> _sent = [];
    private Func<JsonElement> _fields = null!;
    private Action<string, RunPhase, string> _finished = null!;
    private RunState _state = RunState.Empty;
    private int _life;
    private bool _up;

    private World World => env.World;

    public List<RunEvent> Journal { get; } = [];
    public RunState State => _state;

    /// <summary>Keys whose dispatch is in the journal.</summary>
    public HashSet<string> Dispatched { get; } = [];

    /// <summary>The first start, or again after a crash, which reads the journal.</summary>
    public void Start(IncidentRunAssigned assigned, string incidentId, string key, Func<JsonElement> fields, Action<string, RunPhase, string> finished)
    {
        (_fields, _finished, _up) = (fields, finished, true);
        _life++;
        _sent.Clear();
        _state = Journal.Aggregate(RunState.Empty, (s, e) => s.Apply(e));
        var first = _state.Start is null
            ? (RunEvent)(_machine.Start(runId, incidentId, key, "n1", IncidentKeys.Seed(runId), assigned.Because, View()) with { ContainmentOnly = assigned.ContainmentOnly })
            : new RunRecovered { At = World.Now, Epoch = _state.Epoch + 1 };
        if (_state.Ended) Report();
        else Store([first]);
    }

    public void Stop()
    {
        _up = false;
        _life++;
    }

    private RunView View() => new(World.Now, _fields(), null, static _ => OperatingMode.Enforce) { Self = "n1" };

    private void Store(IReadOnlyList<RunEvent> events)
    {
        foreach (var e in events)
        {
            if (_state.Ended) throw new BrokenInvariantException($"{runId}: {e.GetType().Name} after its end");
            Journal.Add(e);
            if (e is StepDispatched { Key: var step }) Dispatched.Add(step);
            if (e is UndoDispatched { Key: var undo }) Dispatched.Add(undo);
            _state = _state.Apply(e);
            World.Note("wrote", $"{runId} {e.GetType().Name} {_state.Phase}");
            if (!World.Troubled || !World.Chance(World.Options.CrashPerWrite)) continue;
            World.Note("crash", "run " + runId);
            Stop();
            World.At(World.Ms(20 + World.Draw(1_000)), Restart(_life));
            return;
        }

        Advance();
    }

    /// <summary>The incident starts it again, as it does with a run that stopped before its end.</summary>
    private Action Restart(int life) => () =>
    {
        if (life != _life) return;
        Start(new IncidentRunAssigned { At = World.Now, IncidentId = "", RunId = runId, Playbook = env.Playbook.Name, Definition = "", Because = "", ContainmentOnly = false }, "", "", _fields, _finished);
    };

    private void Advance()
    {
        if (!_up) return;
        if (_state.Ended)
        {
            Report();
            return;
        }

        var decision = _machine.Decide(_state, View());
        if (decision.Events.Count > 0)
        {
            if (World.Options.ActsBeforeItWrites)
            {
                var ahead = decision.Events.Aggregate(_state, (s, e) => s.Apply(e));
                foreach (var command in _machine.Decide(ahead, View()).Commands.OfType<RunCommand.Dispatch>()) env.Agent.Dispatch(command, runId, Tell);
            }

            Store(decision.Events);
            return;
        }

        foreach (var command in decision.Commands) Carry(command);
        var wake = decision.Commands.Count > 0 ? RepeatEvery : (TimeSpan?)null;
        if (decision.WakeAt - World.Now is { } until && (wake is null || until < wake)) wake = until;
        if (wake is { } delay) Later(delay > World.Ms(1) ? delay : World.Ms(1), Advance);
    }

    private void Carry(RunCommand command)
    {
        var (id, send) = command switch
        {
            RunCommand.Dispatch x => ("dispatch " + x.Key, (Action)(() => env.Agent.Dispatch(x, runId, Tell))),
            RunCommand.Resolve x => ("resolve " + x.Key, () => env.Agent.Resolve(x, runId, Tell)),
            RunCommand.Cancel x => ("cancel " + x.Key, () => env.Agent.Cancel(x, runId, Tell)),
            RunCommand.Probe x => ("probe " + x.Id, () => World.Send("probed " + x.Id, () => Tell(new RunInput.Probed(x.Id, env.Probe(x.Name, x.With), null)))),
            RunCommand.Admit => ("admit", () => Tell(new RunInput.Admitted(true, false, null))),
            RunCommand.Reserve x => ("reserve " + x.StepId, () => Tell(new RunInput.Reserved(x.StepId, true, null))),
            _ => throw new BrokenInvariantException($"{runId}: the simulation does not know {command}"),
        };
        if (_sent.TryGetValue(id, out var last) && World.Now - last < RepeatEvery) return;
        _sent[id] = World.Now;
        World.Send(id, send);
    }

    private void Tell(RunInput input)
    {
        if (!_up || _state.Start is null) return;
        if (input is RunInput.Probed probed) _sent.Remove("probe " + probed.Id);
        if (_machine.Handle(_state, input, View()) is { Count: > 0 } events) Store(events);
    }

    private void Report()
    {
        if (!_up) return;
        _finished(runId, _state.Phase, _state.Reason ?? "");
        Later(RepeatEvery, Repeat);
    }

    private void Repeat()
    {
        if (World.Troubled && _up) Report();
    }

    private void Later(TimeSpan delay, Action work)
    {
        var life = _life;
        World.At(delay, () =>
        {
            if (life == _life) work();
        });
    }
}
