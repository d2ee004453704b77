using System.Text.Json;
using Guardian.Actors.Actions;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Tests.Simulation;

/// <summary>NodeAgent without Akka: the real ledger, effects on the simulated world, and a crash that loses what it remembers.</summary>
internal sealed class SimulatedAgent(World world, Vocabulary vocabulary, Func<string, bool> isDispatched, Action<string, JsonElement> effect)
{
    private static readonly JsonElement Assessed = JsonElement.Parse("""{ "severity": "high", "score": 50 }""");
    private static readonly JsonElement Empty = JsonElement.Parse("{}");

    private AgentLedger _ledger = new();
    private int _life;

    /// <summary>How often each key's effect took place, and in which lives of the agent.</summary>
    public Dictionary<string, List<int>> Effects { get; } = [];

    public void Crash()
    {
        world.Note("crash", "agent");
        _life++;
        _ledger = new AgentLedger();
    }

    public void Dispatch(RunCommand.Dispatch x, string runId, Action<RunInput.Outcome> answer)
    {
        var idempotent = vocabulary.Actions[x.Action].Idempotent;
        var decision = world.Options.ForgetfulAgent
            ? new LedgerDecision(LedgerVerdict.Execute)
            : _ledger.Dispatch(x.Key, runId, x.Epoch, x.Attempt, x.Cancels, idempotent);
        switch (decision.Verdict)
        {
            case LedgerVerdict.Execute:
                Execute(x, answer);
                break;
            case LedgerVerdict.Replay:
                Answer(x.Key, decision.Outcome!, x.Attempt, answer);
                break;
            case LedgerVerdict.Refuse:
                Answer(x.Key, new KeyOutcome(OutcomeKind.Failed, Reason: decision.Reason), x.Attempt, answer);
                break;
        }
    }

    public void Resolve(RunCommand.Resolve x, string runId, Action<RunInput.Outcome> answer)
    {
        var decision = _ledger.Resolve(x.Key, runId, x.Epoch, x.Attempt);
        var outcome = decision.Verdict switch
        {
            LedgerVerdict.Replay => decision.Outcome!,
            LedgerVerdict.Refuse => new KeyOutcome(OutcomeKind.Failed, Reason: decision.Reason),
            LedgerVerdict.Running => null,
            _ => Effects.ContainsKey(x.Key) ? new KeyOutcome(OutcomeKind.Succeeded, OutputOf(x.Action)) : new KeyOutcome(OutcomeKind.NotDone),
        };
        if (outcome is not null) Answer(x.Key, outcome, 0, answer);
    }

    public void Cancel(RunCommand.Cancel x, string runId, Action<RunInput.Outcome> answer)
    {
        var decision = _ledger.Cancel(x.Key, runId, x.Epoch);
        if (decision.Verdict == LedgerVerdict.AwaitCancelled) return;
        Answer(x.Key, decision.Outcome ?? new KeyOutcome(OutcomeKind.NotDone, Reason: decision.Reason), 0, answer);
    }

    private void Execute(RunCommand.Dispatch x, Action<RunInput.Outcome> answer)
    {
        if (!isDispatched(x.Key)) throw new BrokenInvariantException($"{x.Key} was brought about before its dispatch was in the journal");
        if (!world.Options.ForgetfulAgent) _ledger.Begin(x.Key, x.Epoch, x.Attempt);
        var (life, fails) = (_life, vocabulary.Actions[x.Action].Risk != RiskClass.None && world.Troubled && world.Chance(0.15));
        world.At(World.Ms(0.5 + world.Draw(60)), () =>
        {
            // The process may die between the effect and its record.
            var died = life != _life;
            if (died && world.Chance(0.5)) return;
            if (!fails) Bring(x, life);
            if (died) return;
            var outcome = fails ? new KeyOutcome(OutcomeKind.Failed, Reason: "simulated") : new KeyOutcome(OutcomeKind.Succeeded, OutputOf(x.Action));
            if (!world.Options.ForgetfulAgent) _ledger.Finish(x.Key, outcome);
            Answer(x.Key, outcome, x.Attempt, answer);
        });
    }

    private void Bring(RunCommand.Dispatch x, int life)
    {
        world.Note("effect", x.Key);
        if (!Effects.TryGetValue(x.Key, out var lives)) Effects[x.Key] = lives = [];
        if (lives.Contains(life)) throw new BrokenInvariantException($"the effect of {x.Key} took place twice while the agent's record lived");
        if (lives.Count > 0 && !vocabulary.Actions[x.Action].Idempotent) throw new BrokenInvariantException($"the effect of {x.Key} ({x.Action}, not idempotent) took place twice");
        lives.Add(life);
        effect(x.Action, x.Input);
    }

    private void Answer(string key, KeyOutcome outcome, int attempt, Action<RunInput.Outcome> answer) =>
        world.Send("outcome " + key, () => answer(new RunInput.Outcome(key, outcome.Kind, outcome.Output ?? Empty, outcome.Reason, attempt)));

    private static JsonElement OutputOf(string action) => action == "severity.assess" ? Assessed : Empty;
}
