using Guardian.Actors.Chaos.Targets;

namespace Guardian.Actors.Chaos.Drills;

/// <summary>The fault <c>bus.flood</c>. It lives in this process: when the runner dies, the flood is over.</summary>
internal sealed class BusFlood(ScenarioPlan plan, IChaosTarget target, DrillClock clock, string drill)
{
    /// <summary>Forbidden messages under way at once.</summary>
    private const int InFlight = 32;

    /// <summary>Sends everything at its time and waits for all answers; ends early with the token or the time to live.</summary>
    public async Task RunAsync(FloodTally? tally, CancellationToken cancellation)
    {
        var fault = plan.Scenario.Fault!;
        using var ttl = new CancellationTokenSource(fault.Ttl, clock.Time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, ttl.Token);
        using var room = new SemaphoreSlim(InFlight);
        var start = clock.Now;
        var answers = new List<Task>(fault.Count);
        try
        {
            for (var i = 0; i < fault.Count; i++)
            {
                var (due, principal) = plan.FloodMessage(i);
                await clock.UntilAsync(start + due, stop.Token).ConfigureAwait(false);
                await room.WaitAsync(stop.Token).ConfigureAwait(false);
                var id = Operations.Flood(drill, i);
                // On the pool: an in-process target answers on the caller's thread, the flood is still concurrent.
                answers.Add(Task.Run(() => SendAsync(principal, id, tally, room, stop.Token), CancellationToken.None));
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Withdrawn early: what is under way is still awaited below.
        }

        await Task.WhenAll(answers).ConfigureAwait(false);
    }

    private async Task SendAsync(string principal, string id, FloodTally? tally, SemaphoreSlim room, CancellationToken cancellation)
    {
        try
        {
            var answer = await target.PublishAsync(principal, plan.Scenario.Fault!.Topic, id, cancellation).ConfigureAwait(false);
            tally?.Answered(principal, answer, clock.Now);
        }
        finally
        {
            room.Release();
        }
    }
}
