using Akka.Actor;
using Akka.Event;
using Akka.Persistence;
using Guardian.Actors.Persistence;
using Guardian.Actors.Scheduling;

namespace Guardian.Actors.Kernels;

/// <summary>
/// A pool: takes jobs on, keeps them in the journal until they are over, and runs as many at once as workers, throttle and scheduler mode
/// allow. Events are written in groups: what gathers while a write is under way goes with the next. A job begins once its start is written.
/// </summary>
internal sealed class JobsActor : ReceivePersistentActor, IWithTimers
{
    private const int SnapshotEvery = 1_000; // events at least; more while more jobs are open, so that snapshots cost a constant per job

    private readonly KernelDefinition _kernel;
    private readonly KernelMemory _memory;
    private readonly KernelDirectory _directory;
    private readonly KernelWorld _world;
    private readonly JobBook _book;
    private readonly JobAttempts _attempts;
    private readonly List<(JobEvent Event, Action? Then)> _unwritten = [];
    private HeartbeatBoard.Heart? _heart;
    private KernelState? _told;
    private bool _recovered;
    private bool _writing;
    private long _sinceSnapshot;

    public JobsActor(KernelDefinition kernel, KernelMemory memory, KernelDirectory directory, KernelWorld world)
    {
        JournalPluginId = GuardianPersistence.JournalId;
        SnapshotPluginId = GuardianPersistence.SnapshotsId;
        (_kernel, _memory, _directory, _world) = (kernel, memory, directory, world);
        _book = new JobBook(kernel.Name, kernel.Jobs!.Queue);
        _attempts = new JobAttempts(kernel, JobProcess.FolderOf(world.Folder, kernel.Name), world.Time);
        PersistenceId = $"jobs-{world.Node}-{kernel.Name}";

        Recover<JobEvent>(e => { _book.Apply(e); _sinceSnapshot++; });
        Recover<SnapshotOffer>(x => { _book.Restore((JobsSnapshot)x.Snapshot); _sinceSnapshot = 0; });
        Recover<RecoveryCompleted>(_ => OnRecovered());

        Command<BeginKernel>(_ => { _memory.Begun = true; Advance(); });
        Command<SubmitJob>(OnSubmit);
        Command<GetJob>(OnGet);
        Command<ListJobs>(x => Sender.Tell(new JobAnswer { Jobs = _book.List(x.State, x.Limit) }));
        Command<RetryJob>(OnRetry);
        Command<AttemptEnded>(OnAttemptEnded);
        Command<Found>(OnFound);
        Command<RestartKernel>(OnRestart);
        Command<StopKernel>(OnStop);
        Command<ScaleKernel>(OnScale);
        Command<FindScale>(x => Sender.Tell(KernelScaling.Find(_kernel.Name, _memory.Changes, x.Key)));
        Command<RestrictKernel>(OnRestrict);
        Command<RetireKernel>(OnRetire);
        Command<MuteKernel>(x => { _heart?.Mute(x.For); Sender.Tell(Done()); });
        Command<SchedulerModeChanged>(_ => Advance());
        Command<JobsBeat>(_ => _heart?.Beat());
        Command<SaveSnapshotSuccess>(x => { DeleteMessages(x.Metadata.SequenceNr); DeleteSnapshots(new SnapshotSelectionCriteria(x.Metadata.SequenceNr - 1)); });
        Command<SaveSnapshotFailure>(x => Log.Warning("Kernel {0}: snapshot failed, the journal alone is read at the next start: {1}", _kernel.Name, x.Cause.Message));
        Command<DeleteMessagesSuccess>(_ => { });
        Command<DeleteMessagesFailure>(x => Log.Warning("Kernel {0}: old events stay: {1}", _kernel.Name, x.Cause.Message));
        Command<DeleteSnapshotsSuccess>(_ => { });
        Command<DeleteSnapshotsFailure>(_ => { });
    }

    public override string PersistenceId { get; }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(KernelDefinition kernel, KernelMemory memory, KernelDirectory directory, KernelWorld world) =>
        Akka.Actor.Props.Create(() => new JobsActor(kernel, memory, directory, world));

    private int Allowed => !_memory.Begun || _memory.Retiring || !_recovered ? 0 : JobBook.Allowed(_memory.Wanted, _memory.Restriction.Percent, _kernel.Criticality, _world.Scheduler.Mode);

    protected override void PreStart()
    {
        base.PreStart();
        Context.System.EventStream.Subscribe(Self, typeof(SchedulerModeChanged));
        Show();
    }

    protected override void PostStop()
    {
        if (_heart is not null) _world.Hearts.Remove(_heart);
        _attempts.Cancel(); // without a journal nothing may go on; what becomes of them is looked for
        base.PostStop();
    }

    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr)
    {
        base.OnPersistRejected(cause, @event, sequenceNr);
        Context.Stop(Self); // start again from what is written
    }

    private void OnRecovered()
    {
        _recovered = true;
        _heart = _world.Hearts.Register(_kernel.Name, 0, _world.Time.GetUtcNow().ToUnixTimeMilliseconds(), _kernel.Heartbeat);
        Timers.StartPeriodicTimer("beat", JobsBeat.Instance, _kernel.Heartbeat.Every);
        if (_book.Waiting + _book.Running > 0) Log.Info("Kernel {0}: {1} jobs wait and {2} were under way", _kernel.Name, _book.Waiting, _book.Running);
        var underWay = _book.UnderWay;
        foreach (var job in underWay) LookFor(job);
        _attempts.Clean(underWay.Select(x => x.Accepted.Id).ToHashSet(StringComparer.Ordinal));
        Advance();
    }

    /// <summary>An attempt of a life before: it runs still, has ended, or nobody can know.</summary>
    private void LookFor(JobEntry job)
    {
        var (log, kernel) = (Log, _kernel.Name); // the context is not there on another thread
        _attempts.FindAsync(job, x => log.Error("Kernel {0}: what became of job {1} cannot be looked for, so it waits: {2}", kernel, job.Accepted.Id, x))
            .PipeTo(Self, success: x => new Found(job.Accepted.Id, x), failure: _ => new Found(job.Accepted.Id, null));
    }

    private void OnFound(Found found)
    {
        if (found.Result is { } result)
        {
            OnAttemptEnded(new AttemptEnded(found.Id, result));
            return;
        }

        // The effect may have been brought about or not. The same job under the same id goes on as its next attempt, but not for ever: it may be what kills the node.
        _attempts.Release(found.Id);
        if (_book.Find(found.Id) is not { Ended: null } job) return;
        WriteEnd(JobBook.Unknown(job, _attempts.AllowedFor(job), Now));
        Flush();
    }

    private void OnSubmit(SubmitJob submit)
    {
        if ((Stopping() ?? JobRules.Refusal(_kernel, submit, Waiting)) is { } refusal)
        {
            Sender.Tell(refusal);
            return;
        }

        var (sender, id) = (Sender, $"job-{Guid.CreateVersion7():N}");
        Write(new JobAccepted { Id = id, At = Now, Command = submit.Command ?? JobRules.OnlyCommand(_kernel), Payload = submit.Payload, Priority = submit.Priority, By = submit.By },
            () => sender.Tell(new JobAnswer { Job = _book.View(id) }));
        Flush();
    }

    /// <summary>An operator's word: one more attempt for a job that is over without success, with the payload that it had.</summary>
    private void OnRetry(RetryJob retry)
    {
        var refusal = Stopping() ?? (_book.Find(retry.Id) is null ? NotKnown(retry.Id)
            : !_book.MayRetry(retry.Id) || _unwritten.Exists(x => x.Event.Id == retry.Id) ? JobRules.Refused("invalid", $"job '{retry.Id}' is not over, or has succeeded")
            : JobRules.Full(_kernel, Waiting));
        if (refusal is not null)
        {
            Sender.Tell(refusal);
            return;
        }

        var sender = Sender;
        Write(new JobRetried { Id = retry.Id, At = Now, By = retry.By }, () => sender.Tell(new JobAnswer { Job = _book.View(retry.Id) }));
        Flush();
    }

    private JobAnswer? Stopping() => _memory.Retiring ? JobRules.Refused("stopping", $"kernel '{_kernel.Name}' is being ended") : null;

    private JobAnswer NotKnown(string id) => JobRules.Refused("not_found", $"kernel '{_kernel.Name}' knows no job '{id}'; the newest {JobBook.MaxEnded} that are over are kept");

    private int Waiting => _book.Waiting + _unwritten.Count(x => x.Event is JobAccepted or JobRetried);

    private void OnGet(GetJob get) => Sender.Tell(_book.View(get.Id) is { } job ? new JobAnswer { Job = job } : NotKnown(get.Id));

    /// <summary>Begins as many jobs as are allowed.</summary>
    private void Advance()
    {
        while (_attempts.Count < Allowed && _book.Take() is { } job)
        {
            var id = job.Accepted.Id;
            _attempts.Reserve(id);
            Write(new JobStarted { Id = id, At = Now, Attempt = (job.Started?.Attempt ?? 0) + 1 }, () => Run(id));
        }

        Flush();
        Show();
    }

    private void Run(string id)
    {
        if (_book.Find(id) is { } job && _attempts.Begin(job) is { } attempt)
            attempt.PipeTo(Self, success: x => new AttemptEnded(id, x), failure: e => new AttemptEnded(id, new JobResult(JobState.Failed, Reason: e.GetBaseException().Message)));
    }

    private void OnAttemptEnded(AttemptEnded ended)
    {
        _attempts.Release(ended.Id);
        if (_book.Find(ended.Id) is not { Ended: null } job) return;
        var retire = _memory.Retiring || _memory.Wanted == 0;
        JobEvent e = retire && ended.Result is { State: JobState.Failed, ExitCode: null }
            ? new JobRequeued { Id = ended.Id, At = Now, Reason = ended.Result.Reason ?? "ended with its pool" }
            : JobBook.After(job, _attempts.AllowedFor(job), ended.Result, Now);
        WriteEnd(e);
        Advance();
    }

    private void WriteEnd(JobEvent e)
    {
        if (e is JobEnded { State: not "succeeded" } failed) Log.Warning("Kernel {0}: job {1} {2}: {3}", _kernel.Name, e.Id, failed.State, failed.Reason ?? "");
        Write(e, () =>
        {
            if (e is not JobEnded ended || _book.Find(e.Id) is not { } job) return;
            _attempts.Forget(job);
            if (job.Accepted.By.StartsWith(JobsOverBus.Owner, StringComparison.Ordinal)) Context.System.EventStream.Publish(new JobOver(_book.View(e.Id)!, job.Accepted.By));
        });
    }

    private void OnRestart(RestartKernel restart)
    {
        _memory.Want(_memory.AtLeastOne, _memory.Wanted > 0 ? _memory.Changes : [], Sender, Done());
        _memory.Begun = true;
        Advance();
    }

    /// <summary>Nothing new begins; what runs is ended and begins anew when the pool does.</summary>
    private void OnStop(StopKernel stop)
    {
        _memory.Want(0, [], Sender, Done() with { Replicas = (_memory.Wanted, 0) });
        _attempts.Cancel();
        Show();
    }

    private void OnScale(ScaleKernel scale)
    {
        var (answer, wanted, changes) = KernelScaling.Decide(_kernel, _memory.Wanted, _memory.Changes, scale);
        _memory.Want(wanted, changes, Sender, answer);
        Advance();
    }

    /// <summary>What runs may end by itself; told again with a kill, it is ended. What waits stays in the journal.</summary>
    private void OnRetire(RetireKernel retire)
    {
        _memory.Retire();
        if (retire.Kill) _attempts.Cancel();
        Show();
    }

    private void OnRestrict(RestrictKernel restrict)
    {
        _memory.Restriction = restrict.What;
        Sender.Tell(new KernelRestricted(_kernel.Name, null));
        Advance();
    }

    private void Write(JobEvent e, Action? then = null) => _unwritten.Add((e, then));

    private void Flush()
    {
        if (_writing || _unwritten.Count == 0) return;
        _writing = true;
        var batch = _unwritten.ToList();
        _unwritten.Clear();
        var left = batch.Count;
        PersistAllAsync(batch.Select(x => x.Event), e =>
        {
            _book.Apply(e);
            batch[batch.Count - left].Then?.Invoke();
            if (--left > 0) return;
            _writing = false;
            Snapshot(batch.Count);
            Advance();
        });
    }

    private void Snapshot(int events)
    {
        _sinceSnapshot += events;
        if (_sinceSnapshot < Math.Max(SnapshotEvery, _book.Waiting + _book.Running)) return;
        _sinceSnapshot = 0;
        SaveSnapshot(_book.ToSnapshot());
    }

    private void Show()
    {
        var state = JobRules.State(_memory, _recovered, _attempts.Count);
        _directory.Set(KernelViews.Of(_kernel, _memory, state) with
        {
            Jobs = new JobTotals(_book.Waiting, _attempts.Count, Allowed, _book.Accepted, _book.Over, _book.Failed, _book.Requeued),
            Instances = [new ReplicaView { Index = 0, State = state, Epoch = 0, Heart = _heart }],
        });
        if (_memory.Retiring && _attempts.Count == 0 && !_writing && _unwritten.Count == 0 && _recovered) Context.Stop(Self);
        if (state == _told) return;
        _told = state;
        Context.Parent.Tell(new KernelChanged(_kernel.Name, state));
    }

    private DateTimeOffset Now => _world.Time.GetUtcNow();

    private KernelAnswer Done() => new() { Done = true, Kernels = [_kernel.Name] };

    private sealed record AttemptEnded(string Id, JobResult Result) : INoSerializationVerificationNeeded;

    private sealed record Found(string Id, JobResult? Result) : INoSerializationVerificationNeeded;
}
