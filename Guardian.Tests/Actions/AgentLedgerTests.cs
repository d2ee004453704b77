using CsCheck;
using Guardian.Actors.Actions;
using Guardian.Playbooks.Execution;

namespace Guardian.Tests.Actions;

public class AgentLedgerTests
{
    private static LedgerVerdict Dispatch(AgentLedger ledger, string key, long epoch = 1, int attempt = 1, string? cancels = null, bool idempotent = false) =>
        ledger.Dispatch(key, "run", epoch, attempt, cancels, idempotent).Verdict;

    private static AgentLedger Ended(OutcomeKind kind)
    {
        var ledger = new AgentLedger();
        ledger.Dispatch("k", "run", 1, 1, null, false);
        ledger.Begin("k", 1, 1);
        ledger.Finish("k", new KeyOutcome(kind));
        return ledger;
    }

    [Theory]
    [InlineData(OutcomeKind.Succeeded, 1, nameof(LedgerVerdict.Replay))]
    [InlineData(OutcomeKind.Succeeded, 2, nameof(LedgerVerdict.Replay))]
    [InlineData(OutcomeKind.Failed, 1, nameof(LedgerVerdict.Replay))]
    [InlineData(OutcomeKind.Failed, 2, nameof(LedgerVerdict.Execute))]
    [InlineData(OutcomeKind.Unknown, 2, nameof(LedgerVerdict.Replay))]
    [InlineData(OutcomeKind.NotDone, 1, nameof(LedgerVerdict.Execute))]
    public void What_a_recorded_outcome_permits(OutcomeKind kind, int attempt, string expected) =>
        Dispatch(Ended(kind), "k", attempt: attempt).ToString().Should().Be(expected);

    [Fact]
    public void An_unknown_idempotent_key_may_be_repeated_by_a_later_epoch_only()
    {
        var ledger = Ended(OutcomeKind.Unknown);
        Dispatch(ledger, "k", idempotent: true).Should().Be(LedgerVerdict.Replay);
        Dispatch(ledger, "k", epoch: 2, idempotent: true).Should().Be(LedgerVerdict.Execute);
    }

    [Fact]
    public void A_cancelled_key_is_refused_for_good_and_its_truth_stays_known()
    {
        var ledger = Ended(OutcomeKind.Succeeded);
        Dispatch(ledger, "k/undo", cancels: "k").Should().Be(LedgerVerdict.Execute);
        Dispatch(ledger, "k", attempt: 9).Should().Be(LedgerVerdict.Refuse);
        ledger.Resolve("k", "run", 1, 1).Outcome!.Kind.Should().Be(OutcomeKind.Succeeded);
    }

    [Fact]
    public void A_cancel_of_a_never_seen_key_refuses_its_late_arrival_but_does_not_say_what_became_of_it()
    {
        var ledger = new AgentLedger();
        Dispatch(ledger, "k/undo", cancels: "k");
        Dispatch(ledger, "k").Should().Be(LedgerVerdict.Refuse);
        ledger.Resolve("k", "run", 1, 1).Verdict.Should().Be(LedgerVerdict.Probe);
    }

    [Fact]
    public void An_undo_waits_for_the_running_act()
    {
        var ledger = new AgentLedger();
        ledger.Begin("k", 1, 1);
        Dispatch(ledger, "k/undo", cancels: "k").Should().Be(LedgerVerdict.AwaitCancelled);
        ledger.Finish("k", new KeyOutcome(OutcomeKind.Unknown));
        Dispatch(ledger, "k/undo", cancels: "k").Should().Be(LedgerVerdict.Execute);
    }

    [Fact]
    public void An_undo_waits_for_every_attempt_that_was_left_behind()
    {
        var ledger = new AgentLedger(2);
        for (var attempt = 1; attempt <= 2; attempt++)
        {
            ledger.Begin("k", 1, attempt);
            ledger.Finish("k", new KeyOutcome(OutcomeKind.Unknown), hangs: true);
        }

        foreach (var i in Enumerable.Range(0, 5)) // what hangs is not forgotten
        {
            ledger.Begin($"k{i}", 1, 1);
            ledger.Finish($"k{i}", new KeyOutcome(OutcomeKind.Succeeded));
        }

        Dispatch(ledger, "k/undo", cancels: "k").Should().Be(LedgerVerdict.AwaitCancelled);
        ledger.Cancel("k", "run", 1).Outcome!.Kind.Should().Be(OutcomeKind.Unknown);
        ledger.Learn("k", 2, new KeyOutcome(OutcomeKind.Failed));
        Dispatch(ledger, "k/undo", cancels: "k").Should().Be(LedgerVerdict.AwaitCancelled);
        ledger.Learn("k", 1, new KeyOutcome(OutcomeKind.Succeeded));
        Dispatch(ledger, "k/undo", cancels: "k").Should().Be(LedgerVerdict.Execute);
    }

    [Fact]
    public void The_oldest_finished_record_falls_out_and_a_running_one_never()
    {
        var ledger = new AgentLedger(3);
        ledger.Begin("running", 1, 1);
        foreach (var i in Enumerable.Range(0, 10))
        {
            ledger.Begin($"k{i}", 1, 1);
            ledger.Finish($"k{i}", new KeyOutcome(OutcomeKind.Succeeded));
        }

        ledger.Count.Should().Be(3);
        ledger.Evicted.Should().Be(8);
        Dispatch(ledger, "running").Should().Be(LedgerVerdict.Running);
        Dispatch(ledger, "k9").Should().Be(LedgerVerdict.Replay);
        ledger.Resolve("k0", "run", 1, 1).Verdict.Should().Be(LedgerVerdict.Probe);
    }

    private sealed record Op(int Verb, int Key, int Epoch, int Attempt, OutcomeKind Kind);

    private static readonly Gen<Op[]> Ops = Gen.Select(Gen.Int[0, 3], Gen.Int[0, 3], Gen.Int[1, 3], Gen.Int[1, 3],
        Gen.Enum<OutcomeKind>(),
        (verb, key, epoch, attempt, kind) => new Op(verb, key, epoch, attempt, kind)).Array[1, 60];

    /// <summary>Any order of dispatches, cancels, questions and ends: the history alone says what may be carried out.</summary>
    [Fact]
    public void No_history_leads_to_a_second_effect() => Ops.Sample(ops =>
    {
        var ledger = new AgentLedger();
        var running = new Dictionary<string, int>();
        var ends = new List<(string Key, int Attempt, OutcomeKind Kind)>();
        var cancelled = new HashSet<string>();
        long greatest = 0;
        foreach (var op in ops)
        {
            var key = $"k{op.Key}";
            if (op.Verb == 2)
            {
                if (running.Remove(key, out var attempt))
                {
                    ledger.Finish(key, new KeyOutcome(op.Kind));
                    ends.Add((key, attempt, op.Kind));
                }

                continue;
            }

            if (op.Verb == 3)
            {
                var answer = ledger.Resolve(key, "run", op.Epoch, 0);
                var last = ends.LastOrDefault(x => x.Key == key);
                var want = op.Epoch < greatest ? LedgerVerdict.Refuse
                    : running.ContainsKey(key) ? LedgerVerdict.Running
                    : last.Key is null || last.Kind == OutcomeKind.Unknown ? LedgerVerdict.Probe : LedgerVerdict.Replay;
                answer.Verdict.Should().Be(want);
                greatest = Math.Max(greatest, op.Epoch);
                continue;
            }

            var cancels = op.Verb == 1 ? $"k{(op.Key + 1) % 4}" : null;
            var verdict = Dispatch(ledger, key, op.Epoch, op.Attempt, cancels);
            (verdict == LedgerVerdict.Refuse).Should().Be(op.Epoch < greatest || (cancelled.Contains(key) && verdict != LedgerVerdict.AwaitCancelled));
            if (op.Epoch < greatest) continue;
            greatest = op.Epoch;
            if (cancels is not null) cancelled.Add(cancels);
            if (verdict != LedgerVerdict.Execute) continue;
            cancelled.Should().NotContain(key);
            running.Should().NotContainKey(key);
            ends.Should().NotContain(x => x.Key == key && (x.Kind == OutcomeKind.Succeeded || x.Kind == OutcomeKind.Unknown));
            var previous = ends.LastOrDefault(x => x.Key == key);
            if (previous.Kind == OutcomeKind.Failed && previous.Key is not null) op.Attempt.Should().BeGreaterThan(previous.Attempt);
            ledger.Begin(key, op.Epoch, op.Attempt);
            running[key] = op.Attempt;
        }
    });
}
