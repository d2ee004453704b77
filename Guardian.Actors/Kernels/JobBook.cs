using System.Globalization;
using Guardian.Actors.Scheduling;
using Guardian.Playbooks.Yaml;

namespace Guardian.Actors.Kernels;

/// <summary>
/// A pool's jobs as their events tell them: what waits in which order, what runs, and the newest that are over. The fold takes its times
/// from the events. Pure.
/// </summary>
internal sealed class JobBook(string kernel, int bound)
{
    /// <summary>Jobs that are over and can still be asked for; with their output some megabytes.</summary>
    public const int MaxEnded = 1_000;

    /// <summary>An attempt of which nobody knows what became is followed by another, but not for ever: the job may be what kills the node.</summary>
    public const int UnknownAttempts = 3;

    private readonly Dictionary<string, JobEntry> _jobs = new(StringComparer.Ordinal);
    private readonly LinkedList<string> _ended = new();
    private readonly HashSet<string> _running = new(StringComparer.Ordinal);
    private JobQueue _queue = new(bound);

    public int Waiting => _queue.Count;

    public int Running => _running.Count;

    public bool Full => _queue.Full;

    public long Accepted { get; private set; }

    public long Over { get; private set; }

    /// <summary>Over without success.</summary>
    public long Failed { get; private set; }

    /// <summary>Attempts that were followed by another one.</summary>
    public long Requeued { get; private set; }

    /// <summary>Jobs that the journal believes to be under way.</summary>
    public IReadOnlyList<JobEntry> UnderWay => [.. _running.Select(x => _jobs[x])];

    public JobEntry? Find(string id) => _jobs.GetValueOrDefault(id);

    public JobView? View(string id) => Find(id) is not { } job ? null : new JobView
    {
        Id = id, Kernel = kernel, Command = job.Accepted.Command, Priority = job.Accepted.Priority, AcceptedAt = job.Accepted.At,
        State = job.Ended is { } ended ? StateOf(ended) : job.Running ? JobState.Running : JobState.Queued,
        StartedAt = job.Started?.At, EndedAt = job.Ended?.At, Attempt = job.Started?.Attempt ?? 0,
        ExitCode = job.Ended?.ExitCode, Output = job.Ended?.Output, Reason = job.Ended?.Reason, Payload = job.Accepted.Payload,
    };

    /// <summary>The newest first.</summary>
    public IReadOnlyList<JobView> List(JobState? state, int limit) =>
        [.. _jobs.Values.OrderByDescending(x => x.Accepted.At).Select(x => View(x.Accepted.Id)!).Where(x => state is null || x.State == state).Take(limit)];

    /// <summary>It is over without success.</summary>
    public bool MayRetry(string id) => Find(id) is { Ended: { } ended } && StateOf(ended) != JobState.Succeeded;

    /// <summary>The most urgent job that waits, taken out of the queue: it is as good as begun.</summary>
    public JobEntry? Take() => _queue.Take() is { } id ? _jobs[id] : null;

    public void Apply(JobEvent e)
    {
        if (e is JobAccepted accepted)
        {
            if (!_jobs.TryAdd(e.Id, new JobEntry { Accepted = accepted })) return;
            Accepted++;
            _queue.Add(e.Id, accepted.Priority, accepted.At);
            return;
        }

        if (!_jobs.TryGetValue(e.Id, out var job)) return;
        if (e is JobRetried && MayRetry(e.Id))
        {
            _jobs[e.Id] = job with { Ended = null };
            _ended.Remove(e.Id);
            (Over, Failed) = (Over - 1, Failed - 1);
            _queue.Add(e.Id, job.Accepted.Priority, job.Accepted.At);
        }

        if (job.Ended is not null) return;
        switch (e)
        {
            case JobStarted started:
                _queue.Remove(e.Id);
                _running.Add(e.Id);
                _jobs[e.Id] = job with { Started = started, Running = true };
                break;
            case JobRequeued:
                _running.Remove(e.Id);
                _jobs[e.Id] = job with { Running = false };
                Requeued++;
                _queue.Add(e.Id, job.Accepted.Priority, job.Accepted.At);
                break;
            case JobEnded ended:
                _queue.Remove(e.Id);
                _running.Remove(e.Id);
                var succeeded = StateOf(ended) == JobState.Succeeded;
                _jobs[e.Id] = job with { Accepted = succeeded ? job.Accepted with { Payload = "" } : job.Accepted, Running = false, Ended = ended };
                (Over, Failed) = (Over + 1, Failed + (succeeded ? 0 : 1));
                _ended.AddLast(e.Id);
                if (_ended.Count <= MaxEnded) break;
                _jobs.Remove(_ended.First!.Value);
                _ended.RemoveFirst();
                break;
        }
    }

    public JobsSnapshot ToSnapshot() => new()
    {
        Open = [.. _jobs.Values.Where(x => x.Ended is null).OrderBy(x => x.Accepted.At)],
        Ended = [.. _ended.Select(x => _jobs[x])], Accepted = Accepted, Over = Over, Failed = Failed, Requeued = Requeued,
    };

    public void Restore(JobsSnapshot snapshot)
    {
        _jobs.Clear();
        _ended.Clear();
        _running.Clear();
        _queue = new JobQueue(bound);
        foreach (var job in snapshot.Open)
        {
            _jobs[job.Accepted.Id] = job;
            if (job.Running) _running.Add(job.Accepted.Id);
            else _queue.Add(job.Accepted.Id, job.Accepted.Priority, job.Accepted.At);
        }

        foreach (var job in snapshot.Ended)
        {
            _jobs[job.Accepted.Id] = job;
            _ended.AddLast(job.Accepted.Id);
        }

        (Accepted, Over, Failed, Requeued) = (snapshot.Accepted, snapshot.Over, snapshot.Failed, snapshot.Requeued);
    }

    /// <summary>What follows an attempt: the end, or another attempt.</summary>
    public static JobEvent After(JobEntry job, int attempts, JobResult result, DateTimeOffset now)
    {
        if (result.State != JobState.Succeeded && (job.Started?.Attempt ?? 1) < attempts)
            return new JobRequeued { Id = job.Accepted.Id, At = now, Reason = string.Create(CultureInfo.InvariantCulture, $"attempt {job.Started?.Attempt} of {attempts}: {result.Reason}") };
        return new JobEnded
        {
            Id = job.Accepted.Id, At = now, State = YamlValues.Snake(result.State), ExitCode = result.ExitCode, Output = result.Output, Reason = result.Reason,
        };
    }

    /// <summary>What follows an attempt of which nobody knows what became: its node died in the middle of it.</summary>
    public static JobEvent Unknown(JobEntry job, int attempts, DateTimeOffset now)
    {
        const string Reason = "the node died in the middle of it; what became of the attempt is not known";
        if ((job.Started?.Attempt ?? 1) < Math.Max(attempts, UnknownAttempts)) return new JobRequeued { Id = job.Accepted.Id, At = now, Reason = Reason };
        return new JobEnded
        {
            Id = job.Accepted.Id, At = now, State = YamlValues.Snake(JobState.Failed),
            Reason = string.Create(CultureInfo.InvariantCulture, $"{Reason}, {job.Started?.Attempt} times: it may be what kills the node, and is not begun again by itself"),
        };
    }

    /// <summary>How many jobs may run at once.</summary>
    public static int Allowed(int workers, int percent, KernelCriticality criticality, SchedulerMode mode)
    {
        if (percent == 0) return 0;
        var share = mode switch
        {
            SchedulerMode.CriticalOnly when criticality != KernelCriticality.Critical => 0,
            SchedulerMode.Reduced when criticality == KernelCriticality.Background => 0,
            SchedulerMode.Reduced when criticality == KernelCriticality.Normal => 50,
            _ => 100,
        };
        var allowed = Math.Min(percent, share);
        return allowed == 0 || workers == 0 ? 0 : Math.Max(1, workers * allowed / 100);
    }

    private static JobState StateOf(JobEnded ended) => ended.State switch
    {
        "succeeded" => JobState.Succeeded,
        "timed_out" => JobState.TimedOut,
        _ => JobState.Failed,
    };
}

/// <summary>How an attempt ended.</summary>
internal sealed record JobResult(JobState State, int? ExitCode = null, string? Output = null, string? Reason = null);
