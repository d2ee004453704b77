using System.Text.Json;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Playbooks.Testing;

/// <summary>How a simulated run went.</summary>
/// <param name="State">The run's last state.</param>
/// <param name="Ran">Steps that were dispatched, in order.</param>
/// <param name="Undone">Steps that were taken back, in order.</param>
/// <param name="Stuck">Why it has no end; null where it has one.</param>
public sealed record SimulatedRun(RunState State, IReadOnlyList<string> Ran, IReadOnlyList<string> Undone, string? Stuck);

/// <summary>
/// Runs a playbook through the real <see cref="RunMachine"/> in virtual time: nothing is carried out, the test says how attempts
/// and measurements end, and where the machine waits the clock jumps. Guards between runs (cooldown, quotas) have no part in it.
/// </summary>
public sealed class RunSimulation
{
    /// <summary>Events of a run are few hundred at most (64 steps of 20 attempts in the worst case); more is a run without end.</summary>
    private const int MaxTurns = 20_000;

    private const string Node = "node-1";

    private static readonly DateTimeOffset Origin = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly PlaybookTest _test;
    private readonly RunMachine _machine;
    private readonly RunScript _script;
    private readonly JsonElement _incident;
    private readonly List<string> _ran = [];
    private readonly List<string> _undone = [];
    private RunState _state = RunState.Empty;
    private DateTimeOffset _now = Origin;

    private RunSimulation(Playbook playbook, Vocabulary vocabulary, PlaybookTest test)
    {
        _test = test;
        _machine = new RunMachine(playbook, vocabulary);
        _script = new RunScript(test, vocabulary);
        _incident = DescribedIncident.Complete(vocabulary.Incidents[test.Event], test.Incident, Node, Origin);
    }

    private RunView View => new(_now, _incident, null, _ => _test.Mode);

    /// <summary>Runs one test of a playbook to its end.</summary>
    public static SimulatedRun Run(Playbook playbook, Vocabulary vocabulary, PlaybookTest test)
    {
        ArgumentNullException.ThrowIfNull(playbook);
        ArgumentNullException.ThrowIfNull(vocabulary);
        ArgumentNullException.ThrowIfNull(test);
        return new RunSimulation(playbook, vocabulary, test).Run();
    }

    private SimulatedRun Run()
    {
        Write([_machine.Start("test.1", "test", "test", Node, seed: 0, $"test '{_test.Name}'", View)]);
        for (var turn = 0; turn < MaxTurns; turn++)
        {
            if (_state.Ended) return new SimulatedRun(_state, _ran, _undone, null);
            var decision = _machine.Decide(_state, View);
            if (decision.Events.Count > 0) Write(decision.Events);
            else if (!decision.Commands.Any(Answer) && !Operate() && !Jump(decision.WakeAt))
                return new SimulatedRun(_state, _ran, _undone, $"it waits without end as {_state.Phase}: {_state.Reason ?? "nothing will happen any more"}");
        }

        return new SimulatedRun(_state, _ran, _undone, $"it has not ended after {MaxTurns} turns");
    }

    /// <summary>True where the command led to something; what nobody answers is left to its time-out.</summary>
    private bool Answer(RunCommand command) => command switch
    {
        RunCommand.Dispatch x => Write(_script.Outcome(x.Key, x.Action, x.Undo, x.Attempt) is { } outcome ? _machine.Handle(_state, outcome, View) : []),
        RunCommand.Resolve x => Write(_script.Outcome(x.Key, x.Action, x.Undo, Attempt(x.Key)) is { } outcome ? _machine.Handle(_state, outcome, View) : []),
        RunCommand.Probe x => Write(Measured(x.Id)),
        RunCommand.Cancel x => Write(_machine.Handle(_state, new RunInput.Outcome(x.Key, OutcomeKind.Failed, default, "called off"), View)),
        RunCommand.Admit => Write(_machine.Handle(_state, new RunInput.Admitted(true, false, null), View)),
        RunCommand.Reserve x => Write(_machine.Handle(_state, new RunInput.Reserved(x.StepId, true, null), View)),
        _ => false,
    };

    private int Attempt(string key) => _state.Steps.Find(x => x.Key == key)?.Attempt ?? 1;

    private IReadOnlyList<RunEvent> Measured(string id)
    {
        if (_script.Measurement(id) is { } probed) return _machine.Handle(_state, probed, View);
        return _state.Verify.Exists(x => x.Id == id)
            ? [Passed(id)]
            : [new StepMeasured { At = _now, StepId = id, Holds = false, Reason = "the test says nothing of it, so it runs" }];
    }

    /// <summary>A check of which the test says nothing holds.</summary>
    private VerificationProbed Passed(string id)
    {
        var passes = (_state.Verify.Find(x => x.Id == id)?.Consecutive ?? 0) + 1;
        return new VerificationProbed { At = _now, Id = id, Passed = true, Final = passes >= _machine.Playbook.Verify.First(x => x.Id == id).SucceedAfter };
    }

    private bool Operate() => _state.Steps.Find(x => x.Phase == StepPhase.AwaitingApproval) is { } waiting
        && _test.Approvals.TryGetValue(waiting.Id, out var approved)
        && Write(_machine.Handle(_state, new RunInput.Approval(approved, "test"), View));

    private bool Jump(DateTimeOffset? until)
    {
        if (until is not { } at || at <= _now) return false;
        _now = at;
        return true;
    }

    private bool Write(IReadOnlyList<RunEvent> events)
    {
        foreach (var e in events)
        {
            _state = _state.Apply(e);
            if (e is StepDispatched { Attempt: 1 } dispatched && IsDeclared(dispatched.StepId) && !_ran.Contains(dispatched.StepId)) _ran.Add(dispatched.StepId);
            if (e is UndoEnded { Undone: true } undone) _undone.Add(undone.StepId);
        }

        if (events.Count > 0 && _test.CancelAfter is { } id && _state is { Cancel: null, Ended: false } && _state.Step(id) is { Over: true })
            Write(_machine.Handle(_state, new RunInput.Cancel("test", $"cancelled after {id}"), View));
        return events.Count > 0;
    }

    /// <summary>The notice of an escalation is no step of the playbook.</summary>
    private bool IsDeclared(string id) => _machine.Playbook.Steps.Any(x => x.Id == id) || _machine.Playbook.Finally.Any(x => x.Id == id);
}
