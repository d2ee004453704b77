using Guardian.Actors.Runs;
using Guardian.Playbooks.Execution;

namespace Guardian.Actors.Chaos.Faults;

/// <summary>A point in the first run of a drill: when so many of its steps are done; 0 is when it has begun.</summary>
internal static class RunPoint
{
    /// <summary>Steps of the longest run that scenarios break.</summary>
    public const int MaxSteps = 8;

    /// <summary>As given, else drawn by the seed: 0 to 5, the steps of the playbook against floods.</summary>
    public static int Of(int given, int seed) => given >= 0 ? given : new Random(seed).Next(0, 6);

    /// <summary>Carries <paramref name="act"/> out on the run's own thread, between the event of that point and what follows from it; once. Completes then, or at the token.</summary>
    public static async Task ReachAsync(RunTap tap, int afterSteps, Action act, CancellationToken withdraw)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var steps = new Lock();
        var (run, done) = ((string?)null, 0);
        using var listening = tap.Listen((id, e) =>
        {
            lock (steps)
            {
                if (reached.Task.IsCompleted || (run is not null && run != id)) return;
                run = id;
                if (e is StepSucceeded or StepSkipped or StepFailed { RetryAt: null }) done++;
                else if (e is not RunStarted) return;
                if (done < afterSteps) return;
                reached.SetResult();
            }

            act();
        });
        using var withdrawn = withdraw.Register(() => reached.TrySetResult());
        await reached.Task.ConfigureAwait(false);
    }
}
