using Guardian.Actors.Actions;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Tests.Playbooks.Execution;

/// <summary>What goes wrong, from a seed.</summary>
internal sealed record Trouble(int Seed, bool AgentDies)
{
    private readonly Random _random = new(Seed);

    public bool Once(int inSoMany) => _random.Next(inSoMany) == 0;

    public int Next(int below) => _random.Next(below);
}

/// <summary>
/// One run against agents with the product's own ledger. What a key's attempt leads to depends on seed, key and attempt alone, so that a
/// calm and a rough history meet the same world. Checks at every effect what no history may violate.
/// </summary>
internal sealed class ModelRun
{
    private readonly RunBench _bench;
    private readonly int _seed;
    private readonly int _guard;
    private readonly Trouble? _trouble;
    private readonly List<RunCommand.Dispatch> _late = [];
    private readonly HashSet<string> _effects = [];
    private readonly HashSet<string> _calledOff = [];
    private AgentLedger _ledger = new();
    private HashSet<string> _performed = [];
    private long _newest;
    private int _refusals;

    public ModelRun(Playbook playbook, int seed, int guard, Trouble? trouble)
    {
        (_seed, _guard, _trouble) = (seed, guard, trouble);
        _bench = new RunBench(playbook) { Nodes = [new TargetNode("n1", []), new TargetNode("n2", [])] };
        _refusals = guard > 1 ? seed % 3 : 0;
        if (guard == 2) _bench.Kernels["a"] = null;
        _bench.Begin();
    }

    public RunBench Play()
    {
        for (var i = 0; i < 8_000 && !_bench.State.Ended; i++)
        {
            if (_trouble?.Once(6) == true) _bench.Crash();
            if (_trouble?.AgentDies == true) Misfortune();
            var decision = _bench.Machine.Decide(_bench.State, _bench.View);
            if (decision.Events.Count > 0)
            {
                Must(decision.Commands.Count == 0, "what is decided is persisted before anything is done");
                foreach (var e in decision.Events) _bench.Write(e);
                continue;
            }

            Must(_bench.Held is null || _bench.State.Cancel is not null || decision.Commands.Count == 0, "while it is held a run asks for nothing");
            foreach (var command in decision.Commands) Carry(command);
            var jump = TimeSpan.FromMilliseconds(_trouble?.Next(1_500) ?? 50);
            _bench.Now = decision.Commands.Count == 0 && decision.WakeAt > _bench.Now ? decision.WakeAt.Value : _bench.Now + jump;
        }

        Must(_bench.State.Ended, $"every run ends; it is {_bench.State.Phase}, {_bench.State.Reason}, {string.Join(", ", _bench.State.Steps.Select(x => $"{x.Id} {x.Phase} {x.Undo}"))}, last: {string.Join(", ", _bench.Journal.TakeLast(5))}");
        foreach (var late in _late) Deliver(late, answer: false); // and what is still on its way arrives after the end
        return _bench;
    }

    // Called a hundred thousand times; an assertion library would take most of the test's time.
    private static void Must(bool holds, string what)
    {
        if (!holds) throw new InvalidOperationException("violated: " + what);
    }

    private void Misfortune()
    {
        if (_trouble!.Once(25)) _bench.Tell(new RunInput.Cancel("ann", "by chance"));
        if (_trouble.Once(_bench.Held is null ? 40 : 4)) _bench.Held = _bench.Held is null ? "held by ann" : null;
        if (_trouble.Once(40))
        {
            var mode = (OperatingMode)_trouble.Next(3);
            _bench.Autonomy = _ => mode;
        }

        if (_late.Count > 0 && _trouble.Once(4))
        {
            var late = _late[_trouble.Next(_late.Count)];
            _late.Remove(late);
            Deliver(late, answer: _trouble.Once(2));
        }

        if (!_trouble.Once(20)) return;
        _ledger = new AgentLedger(); // its process died; what it did stays done
        _performed = [];
        _newest = 0;
    }

    private void Carry(RunCommand command)
    {
        switch (command)
        {
            case RunCommand.Dispatch x:
                Must(_bench.Journal.Exists(e => e is StepDispatched d && d.Key == x.Key || e is UndoDispatched u && u.Key == x.Key), "an effect is in the journal before it is asked for");
                Must(x.Epoch == _bench.State.Epoch, "commands carry the run's epoch");
                Must(!x.Key.EndsWith("/undo", StringComparison.Ordinal) || x.Cancels == x.Key[..^5], "an undo calls its act off first");
                if (_trouble?.AgentDies == true && _trouble.Once(4)) _late.Add(x);
                else Deliver(x, answer: _trouble?.Once(4) != true);
                break;
            case RunCommand.Resolve x:
                Resolve(x);
                break;
            case RunCommand.Cancel x:
                if (_trouble?.Once(3) == true) break;
                var word = _ledger.Cancel(x.Key, "r", x.Epoch);
                _calledOff.Add(x.Key);
                Tell(x.Key, word.Outcome ?? new KeyOutcome(OutcomeKind.Failed, Reason: word.Reason), 0);
                break;
            case RunCommand.Probe x:
                _bench.Tell(new RunInput.Probed(x.Id, RunFixture.Json($$"""{ "healthy": {{(Healthy(x.Id) ? "true" : "false")}} }"""), null));
                break;
            case RunCommand.Admit x:
                Must(x.Lock == "rogue", "the lock's text is the incident's");
                if (_trouble?.AgentDies == true && _trouble.Once(5)) break; // no answer
                _bench.Tell(_refusals-- > 0 ? new RunInput.Admitted(false, false, "lock/rogue is held") : new RunInput.Admitted(true, _guard == 3, _guard == 3 ? "quota" : null, x.Lock));
                break;
            case RunCommand.Reserve x:
                Must(x.KernelLimit == 2, "half of five kernels are two");
                _bench.Tell(new RunInput.Reserved(x.StepId, Mix(x.StepId, 7) % 5 != 0, "the blast radius is used up"));
                break;
        }
    }

    /// <summary>As the agent does it: the ledger decides, an effect takes place, its answer may get lost.</summary>
    private void Deliver(RunCommand.Dispatch x, bool answer)
    {
        var idempotent = x.Undo || x.Action != "disrupt";
        var decision = _ledger.Dispatch(x.Key, "r", x.Epoch, x.Attempt, x.Cancels, idempotent);
        var newest = _newest;
        _newest = Math.Max(_newest, x.Epoch);
        if (x.Cancels is not null && decision.Verdict != LedgerVerdict.Refuse) _calledOff.Add(x.Cancels);
        if (decision.Verdict != LedgerVerdict.Execute)
        {
            if (answer) Tell(x.Key, decision.Outcome ?? new KeyOutcome(OutcomeKind.Failed, Reason: decision.Reason), x.Attempt);
            return;
        }

        KeyOutcome outcome;
        if (_bench.Now >= x.Deadline)
        {
            outcome = new KeyOutcome(OutcomeKind.Failed, Reason: "too late");
        }
        else if (Mix(x.Key, x.Attempt) % 4 == 0)
        {
            outcome = new KeyOutcome(OutcomeKind.Failed, Reason: "by chance");
        }
        else
        {
            Must(x.Epoch >= newest, "an epoch that was taken over acts no more");
            Must(_performed.Add(x.Key), $"a key is carried out once while its record lives: {x.Key}");
            Must(_trouble?.AgentDies == true || !_calledOff.Contains(x.Key), $"what was called off is not carried out: {x.Key}");
            _effects.Add(x.Key);
            // The effect is there, and the answer does not say so.
            var unknown = _trouble?.AgentDies == true && _trouble.Once(8);
            if (unknown && idempotent) _performed.Remove(x.Key); // asked for once more, it may be done once more
            outcome = unknown ? new KeyOutcome(OutcomeKind.Unknown, Reason: "a lost answer") : new KeyOutcome(OutcomeKind.Succeeded, RunFixture.Json("""{ "value": 1 }"""));
        }

        _ledger.Begin(x.Key, x.Epoch, x.Attempt);
        _ledger.Finish(x.Key, outcome);
        if (answer) Tell(x.Key, outcome, x.Attempt);
    }

    private void Resolve(RunCommand.Resolve x)
    {
        var decision = _ledger.Resolve(x.Key, "r", x.Epoch, x.Attempt);
        _newest = Math.Max(_newest, x.Epoch);
        if (decision.Verdict != LedgerVerdict.Probe)
        {
            Found(x.Key, decision.Outcome ?? new KeyOutcome(OutcomeKind.Failed, Reason: decision.Reason));
            return;
        }

        var there = _effects.Contains(x.Key);
        var kind = x.Undo ? (there || !_effects.Contains(x.Key[..^5]) ? OutcomeKind.Succeeded : OutcomeKind.NotDone) : there ? OutcomeKind.Succeeded : OutcomeKind.NotDone;
        var outcome = new KeyOutcome(kind, kind == OutcomeKind.Succeeded ? RunFixture.Json("""{ "value": 1 }""") : null);
        _ledger.Begin(x.Key, x.Epoch, 0);
        _ledger.Finish(x.Key, outcome);
        Found(x.Key, outcome);
    }

    /// <summary>The answer to a question; where that was repeated, the answer comes twice, the second time when the step may be under way again.</summary>
    private void Found(string key, KeyOutcome outcome)
    {
        Tell(key, outcome, 0);
        if (_trouble?.Once(2) == true) Tell(key, outcome, 0);
    }

    private void Tell(string key, KeyOutcome outcome, int attempt) =>
        _bench.Tell(new RunInput.Outcome(key, outcome.Kind, outcome.Output ?? default, outcome.Reason, attempt));

    private bool Healthy(string id) => id == "v" ? _seed % 3 != 0 : Mix(id, 0) % 2 == 0;

    private uint Mix(string key, int attempt)
    {
        var hash = (uint)_seed * 2654435761u;
        foreach (var c in key) hash = (hash ^ c) * 16777619u;
        hash = (hash ^ (uint)attempt) * 0x85ebca6bu;
        return hash ^ (hash >> 15);
    }
}
