using System.Collections.Concurrent;
using Guardian.Actors.Bus;
using Guardian.Actors.Chaos.Targets;

namespace Guardian.Actors.Chaos.Drills;

/// <summary>
/// Legitimate traffic: each load principal sends one operation after another, so that its order is known. Bounded by the
/// scenario's rate; a slow answer delays the principal's next operation instead of piling up.
/// </summary>
internal sealed class LoadGenerator(ScenarioPlan plan, IChaosTarget target, DrillClock clock, string drill)
{
    /// <summary>Guardrail: of so many latest answers …</summary>
    private const int ErrorWindow = 100;

    /// <summary>… more than this share went wrong: the drill hurts what it must not.</summary>
    private const double ErrorLimit = 0.5;

    private readonly ConcurrentQueue<Operation> _operations = new();
    private readonly Lock _gate = new();
    private readonly Queue<bool> _latest = new();
    private int _errors;

    public IReadOnlyList<Operation> Operations => [.. _operations];

    /// <summary>Why the drill must stop; null while the load is well.</summary>
    public string? Breach { get; private set; }

    /// <summary>Runs until the token; operations under way are finished, so that their outcome is known.</summary>
    public Task RunAsync(CancellationToken stop)
    {
        var start = clock.Now;
        return Task.WhenAll(Enumerable.Range(0, plan.LoadPrincipals.Count).Select(x => Task.Run(() => PrincipalAsync(x, start, stop), CancellationToken.None)));
    }

    private async Task PrincipalAsync(int index, TimeSpan start, CancellationToken stop)
    {
        var principal = plan.LoadPrincipals[index];
        var topic = plan.LoadTopic(index);
        var next = start + plan.LoadOffset(index);
        try
        {
            for (var sequence = 1; ; sequence++)
            {
                await clock.UntilAsync(next, stop).ConfigureAwait(false);
                stop.ThrowIfCancellationRequested();
                await OperateAsync(principal, topic, sequence).ConfigureAwait(false);
                next = plan.NextTurn(next, clock.Now);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The drill is over.
        }
    }

    private async Task OperateAsync(string principal, string topic, int sequence)
    {
        var id = Chaos.Operations.Load(drill, principal, sequence);
        var sent = clock.Now;
        var answer = await target.PublishAsync(principal, topic, id, CancellationToken.None).ConfigureAwait(false);
        var outcome = answer.Outcome switch
        {
            PublishOutcome.Accepted => OperationOutcome.Ok,
            null => OperationOutcome.Info,
            _ => OperationOutcome.Fail,
        };
        _operations.Enqueue(new Operation(id, principal, topic, sequence, outcome, answer.Text, sent, clock.Now) { Node = answer.Node });
        // Where the node is killed on purpose, broken connections and refusals of a starting node are what is to be seen.
        Guard(outcome != OperationOutcome.Ok && !plan.EndsNode && !plan.Scenario.Expect.MayRefuse.Contains(answer.Text), answer.Text, principal, topic);
    }

    private void Guard(bool wrong, string answer, string principal, string topic)
    {
        lock (_gate)
        {
            _latest.Enqueue(wrong);
            if (wrong) _errors++;
            if (_latest.Count > ErrorWindow && _latest.Dequeue()) _errors--;
            if (_latest.Count >= ErrorWindow && _errors > ErrorWindow * ErrorLimit)
                Breach ??= $"guardrail: {_errors} of the last {_latest.Count} legitimate operations went wrong, the last one for {principal} on {topic}: {answer}";
        }
    }
}
