using System.Globalization;

namespace Guardian.Actors.Kernels;

/// <summary>
/// The attempts under way in one pool: begins them, looks for those of an earlier life, ends them. Called from the pool's actor alone; the
/// attempts themselves run beside it.
/// </summary>
internal sealed class JobAttempts(KernelDefinition kernel, string folder, TimeProvider time)
{
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromMilliseconds(500); // doubles, up to the longest
    private static readonly TimeSpan LookAgainAtMost = TimeSpan.FromSeconds(30);

    private readonly Dictionary<string, CancellationTokenSource> _underWay = new(StringComparer.Ordinal);

    public int Count => _underWay.Count;

    /// <summary>Counts as under way from now on.</summary>
    public void Reserve(string id) => _underWay[id] = new CancellationTokenSource();

    public void Release(string id)
    {
        if (_underWay.Remove(id, out var cancel)) cancel.Dispose();
    }

    /// <summary>Ends them all; each is heard of when it has ended.</summary>
    public void Cancel()
    {
        foreach (var attempt in _underWay.Values) attempt.Cancel();
    }

    /// <summary>Attempts that a job has in all.</summary>
    public int AllowedFor(JobEntry job) => CommandOf(job)?.Attempts ?? kernel.Jobs!.HandlerAttempts;

    /// <summary>Runs a job's attempt to its end; null where it was given up in between.</summary>
    public Task<JobResult>? Begin(JobEntry job)
    {
        if (!_underWay.TryGetValue(job.Accepted.Id, out var cancel)) return null;
        var token = cancel.Token;
        return Task.Run(() => job.Accepted.Command is null && kernel.Jobs!.Handler is { } handler ? HandleAsync(handler, job, token)
            : CommandOf(job) is { } command ? new JobProcess(folder, job.Accepted.Id).RunAsync(kernel.Name, command, job, token)
            : Task.FromResult(new JobResult(JobState.Failed, Reason: $"command '{job.Accepted.Command}' is not declared any more")));
    }

    /// <summary>What became of an attempt of a life before: it is followed where it runs still; null where nobody can know.</summary>
    /// <param name="job">Its attempt under way, as the journal knows it.</param>
    /// <param name="failed">Told why it cannot be looked for, once for each reason; called on any thread.</param>
    public Task<JobResult?> FindAsync(JobEntry job, Action<string> failed)
    {
        Reserve(job.Accepted.Id);
        var (token, process, command, now) = (_underWay[job.Accepted.Id].Token, new JobProcess(folder, job.Accepted.Id), CommandOf(job), time.GetUtcNow());
        if (job.Accepted.Command is null) return Task.FromResult<JobResult?>(null);
        return Task.Run(() => UntilKnownAsync(async () =>
        {
            if (command is not null) return await process.FindAsync(command, job, now, token).ConfigureAwait(false);
            await process.EndAsync().ConfigureAwait(false); // nobody knows any more how long it may run
            return null;
        }, failed, time, token));
    }

    /// <summary>Looks until that succeeds: what cannot be looked for may be alive, and no attempt is begun beside it.</summary>
    internal static async Task<T> UntilKnownAsync<T>(Func<Task<T>> look, Action<string> failed, TimeProvider time, CancellationToken cancellation)
    {
        string? said = null;
        for (var wait = LookAgainAfter; ; wait = wait * 2 < LookAgainAtMost ? wait * 2 : LookAgainAtMost)
        {
            try
            {
                return await look().ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                if (e.Message != said) failed(said = e.Message);
            }

            await Task.Delay(wait, time, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Deletes what is left on disk of jobs that are not under way.</summary>
    public void Clean(IReadOnlySet<string> underWay) => Task.Run(() => JobProcess.Clean(folder, underWay));

    /// <summary>Its end is in the journal: nothing on disk is needed any more.</summary>
    public void Forget(JobEntry job)
    {
        if (job.Accepted.Command is null) return;
        var process = new JobProcess(folder, job.Accepted.Id);
        Task.Run(process.Forget);
    }

    private JobCommand? CommandOf(JobEntry job) => job.Accepted.Command is { } name ? kernel.Jobs!.Commands.GetValueOrDefault(name) : null;

    /// <summary>A handler cannot be killed: one that does not obey its token at the time-out goes on beside, and its job is over.</summary>
    private async Task<JobResult> HandleAsync(JobHandler handler, JobEntry job, CancellationToken cancellation)
    {
        var timeout = kernel.Jobs!.HandlerTimeout;
        using var late = new CancellationTokenSource(timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellation);
        var context = new JobContext(job.Accepted.Id, job.Accepted.Payload, job.Started!.Attempt);
        try
        {
            var token = both.Token;
            await Task.Run(() => handler(context, token), CancellationToken.None).WaitAsync(late.Token).ConfigureAwait(false);
            return new JobResult(JobState.Succeeded, Output: Text(context));
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            return new JobResult(JobState.TimedOut, Output: Text(context), Reason: string.Create(CultureInfo.InvariantCulture, $"not done within {timeout.TotalSeconds:0.###} s"));
        }
        catch (Exception e) // whatever a handler throws is a failed attempt
        {
            return new JobResult(JobState.Failed, Output: Text(context), Reason: $"{e.GetType().Name}: {e.Message}");
        }
    }

    private static string? Text(JobContext context) => context.Output is { Length: > 0 } text ? text : null;
}
