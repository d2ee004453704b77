using System.Globalization;
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
    private readonly string _folder;
    private readonly List<(JobEvent Event, Action? Then)> _unwritten = [];
    private readonly Dictionary<string, CancellationTokenSource> _attempts = new(StringComparer.Ordinal);
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
        _folder = Path.Combine(world.Folder, kernel.Name, "jobs");
        PersistenceId = $"jobs-{world.Node}-{kernel.Name}";

        Recover<JobEvent>(e => { _book.Apply(e); _sinceSnapshot++; });
        Recover<SnapshotOffer>(x => { _book.Restore((JobsSnapshot)x.Snapshot); _sinceSnapshot = 0; });
        Recover<RecoveryCompleted>(_ => OnRecovered());

        Command<BeginKernel>(_ => { _memory.Begun = true; Advance(); });
        Command<SubmitJob>(OnSubmit);
        Command<GetJob>(OnGet);
        Command<AttemptEnded>(OnAttemptEnded);
        Command<Found>(OnFound);
        Command<RestartKernel>(OnRestart);
        Command<StopKernel>(OnStop);
        Command<ScaleKernel>(OnScale);
        Command<RestrictKernel>(OnRestrict);
        Command<RetireKernel>(OnRetire);
        Command<MuteKernel>(x => { _heart?.Mute(x.For); Sender.Tell(Done()); });
        Command<SchedulerModeChanged>(_ => Advance());
        Command<BeatNow>(_ => _heart?.Beat());
        Command<SaveSnapshotSuccess>(x =>
        {
            DeleteMessages(x.Metadata.SequenceNr);
            DeleteSnapshots(new SnapshotSelectionCriteria(x.Metadata.SequenceNr - 1));
        });
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
        foreach (var attempt in _attempts.Values) attempt.Cancel(); // without a journal nothing may go on; what becomes of them is looked for
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
        Timers.StartPeriodicTimer("beat", BeatNow.Instance, _kernel.Heartbeat.Every);
        if (_book.Waiting + _book.Running > 0) Log.Info("Kernel {0}: {1} jobs wait and {2} were under way", _kernel.Name, _book.Waiting, _book.Running);
        var underWay = _book.UnderWay;
        foreach (var job in underWay) LookFor(job);
        var (folder, keep) = (_folder, underWay.Select(x => x.Accepted.Id).ToHashSet(StringComparer.Ordinal));
        Task.Run(() => JobProcess.Clean(folder, keep));
        Advance();
    }

    /// <summary>An attempt of a life before: it runs still, has ended, or nobody can know.</summary>
    private void LookFor(JobEntry job)
    {
        var cancel = _attempts[job.Accepted.Id] = new CancellationTokenSource();
        var (token, process) = (cancel.Token, new JobProcess(_folder, job.Accepted.Id));
        var command = CommandOf(job.Accepted.Command);
        var now = Now;
        Task.Run(() => command is null ? Task.FromResult<JobResult?>(null) : process.FindAsync(command, job, now, token))
            .PipeTo(Self, success: x => new Found(job.Accepted.Id, x), failure: _ => new Found(job.Accepted.Id, null));
    }

    private void OnFound(Found found)
    {
        if (found.Result is { } result)
        {
            OnAttemptEnded(new AttemptEnded(found.Id, result));
            return;
        }

        // The effect may have been brought about or not. The same job under the same id goes on as its next attempt.
        Release(found.Id);
        Write(new JobRequeued { Id = found.Id, At = Now, Reason = "the node died in the middle of it; what became of the attempt is not known" });
        Flush();
    }

    private void OnSubmit(SubmitJob submit)
    {
        if (Refusal(submit) is { } refusal)
        {
            Sender.Tell(refusal);
            return;
        }

        var (sender, id) = (Sender, $"job-{Guid.CreateVersion7():N}");
        Write(new JobAccepted { Id = id, At = Now, Command = submit.Command ?? OnlyCommand, Payload = submit.Payload, Priority = submit.Priority, By = submit.By },
            () => sender.Tell(new JobAnswer { Job = _book.View(id) }));
        Flush();
    }

    private JobAnswer? Refusal(SubmitJob submit)
    {
        if (_memory.Retiring) return Refused("stopping", $"kernel '{_kernel.Name}' is being ended");
        if (submit.Payload.Length > SubmitJob.MaxPayload) return Refused("invalid", string.Create(CultureInfo.InvariantCulture, $"a payload has at most {SubmitJob.MaxPayload} characters"));
        if (submit.Priority is < JobQueue.Lowest or > JobQueue.Highest) return Refused("invalid", "a priority is from 0 to 9, the higher the sooner");
        var commands = _kernel.Jobs!.Commands;
        if (submit.Command is { } name && !commands.ContainsKey(name))
            return Refused("invalid", $"kernel '{_kernel.Name}' declares no command '{name}'{Guardian.Playbooks.Yaml.Spelling.Hint(name, commands.Keys)}");
        if (submit.Command is null && _kernel.Jobs.Handler is null && commands.Count != 1)
            return Refused("invalid", $"name a command; kernel '{_kernel.Name}' declares {string.Join(", ", commands.Keys.Order(StringComparer.Ordinal))}");
        if (_book.Waiting + _unwritten.Count(x => x.Event is JobAccepted) >= _kernel.Jobs.Queue)
            return Refused("full", string.Create(CultureInfo.InvariantCulture, $"{_kernel.Jobs.Queue} jobs of kernel '{_kernel.Name}' wait already"));
        return null;
    }

    private string? OnlyCommand => _kernel.Jobs!.Handler is null ? _kernel.Jobs.Commands.Keys.First() : null;

    private static JobAnswer Refused(string refusal, string reason) => new() { Refusal = refusal, Reason = reason };

    private void OnGet(GetJob get) => Sender.Tell(_book.View(get.Id) is { } job
        ? new JobAnswer { Job = job }
        : Refused("not_found", $"kernel '{_kernel.Name}' knows no job '{get.Id}'; the newest {JobBook.MaxEnded} that are over are kept"));

    /// <summary>Begins as many jobs as are allowed.</summary>
    private void Advance()
    {
        while (_attempts.Count < Allowed && _book.Take() is { } job)
        {
            var id = job.Accepted.Id;
            _attempts[id] = new CancellationTokenSource();
            Write(new JobStarted { Id = id, At = Now, Attempt = (job.Started?.Attempt ?? 0) + 1 }, () => Run(id));
        }

        Flush();
        Show();
    }

    private void Run(string id)
    {
        if (!_attempts.TryGetValue(id, out var cancel) || _book.Find(id) is not { } job) return;
        var token = cancel.Token;
        Task.Run(() => AttemptAsync(job, token)).PipeTo(Self, success: x => new AttemptEnded(id, x), failure: e => new AttemptEnded(id, new JobResult(JobState.Failed, Reason: e.GetBaseException().Message)));
    }

    private Task<JobResult> AttemptAsync(JobEntry job, CancellationToken cancellation)
    {
        if (job.Accepted.Command is null && _kernel.Jobs!.Handler is { } handler) return HandleAsync(handler, job, cancellation);
        return CommandOf(job.Accepted.Command) is { } command
            ? new JobProcess(_folder, job.Accepted.Id).RunAsync(_kernel.Name, command, job, cancellation)
            : Task.FromResult(new JobResult(JobState.Failed, Reason: $"command '{job.Accepted.Command}' is not declared any more"));
    }

    private static async Task<JobResult> HandleAsync(JobHandler handler, JobEntry job, CancellationToken cancellation)
    {
        var context = new JobContext(job.Accepted.Id, job.Accepted.Payload, job.Started!.Attempt);
        try
        {
            await handler(context, cancellation).ConfigureAwait(false);
            return new JobResult(JobState.Succeeded, Output: Text(context));
        }
        catch (Exception e) // whatever a handler throws is a failed attempt
        {
            return new JobResult(JobState.Failed, Output: Text(context), Reason: $"{e.GetType().Name}: {e.Message}");
        }
    }

    private static string? Text(JobContext context) => context.Output is { Length: > 0 } text ? text : null;

    private JobCommand? CommandOf(string? name) => name is not null ? _kernel.Jobs!.Commands.GetValueOrDefault(name) : null;

    private void OnAttemptEnded(AttemptEnded ended)
    {
        Release(ended.Id);
        if (_book.Find(ended.Id) is not { Ended: null } job) return;
        var retire = _memory.Retiring || _memory.Wanted == 0;
        JobEvent e = retire && ended.Result is { State: JobState.Failed, ExitCode: null }
            ? new JobRequeued { Id = ended.Id, At = Now, Reason = ended.Result.Reason ?? "ended with its pool" }
            : JobBook.After(job, Attempts(job), ended.Result, Now);
        if (e is JobEnded { State: not "succeeded" } failed) Log.Warning("Kernel {0}: job {1} {2}: {3}", _kernel.Name, ended.Id, failed.State, failed.Reason ?? "");
        Write(e, () => Forget(e));
        Advance();
    }

    private int Attempts(JobEntry job) => CommandOf(job.Accepted.Command)?.Attempts ?? 1;

    private void Forget(JobEvent e)
    {
        if (e is not JobEnded || _book.Find(e.Id)?.Accepted.Command is null) return;
        var process = new JobProcess(_folder, e.Id);
        Task.Run(process.Forget);
    }

    private void Release(string id)
    {
        if (_attempts.Remove(id, out var cancel)) cancel.Dispose();
    }

    private void OnRestart(RestartKernel restart)
    {
        if (_memory.Wanted == 0) _memory.Wanted = Math.Max(1, _kernel.Replicas.Count);
        _memory.Begun = true;
        Sender.Tell(Done());
        Advance();
    }

    /// <summary>Nothing new begins; what runs is ended and begins anew when the pool does.</summary>
    private void OnStop(StopKernel stop)
    {
        var before = _memory.Wanted;
        _memory.Wanted = 0;
        foreach (var attempt in _attempts.Values) attempt.Cancel();
        Sender.Tell(Done() with { Replicas = (before, 0) });
        Show();
    }

    private void OnScale(ScaleKernel scale)
    {
        var (answer, wanted) = KernelScaling.Decide(_kernel, _memory.Wanted, scale);
        _memory.Wanted = wanted;
        Sender.Tell(answer);
        Advance();
    }

    /// <summary>What runs may end by itself; told again with a kill, it is ended. What waits stays in the journal.</summary>
    private void OnRetire(RetireKernel retire)
    {
        _memory.Retiring = true;
        if (retire.Kill)
            foreach (var attempt in _attempts.Values) attempt.Cancel();
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
        var state = !_memory.Begun ? KernelState.Waiting
            : !_recovered ? KernelState.Starting
            : _memory.Retiring || (_memory.Wanted == 0 && _attempts.Count > 0) ? KernelState.Stopping
            : _memory.Wanted == 0 ? KernelState.Stopped : KernelState.Running;
        _directory.Set(new KernelView
        {
            Name = _kernel.Name, Type = _kernel.Type, Criticality = _kernel.Criticality, Class = _kernel.Class, Remediation = _kernel.Remediation,
            State = state, Reason = state == KernelState.Waiting ? $"waits for {string.Join(", ", _kernel.DependsOn)}" : null,
            Paused = _memory.Restriction.Percent == 0, Percent = _memory.Restriction.Percent == 0 ? 100 : _memory.Restriction.Percent, Replicas = _kernel.Replicas with { Count = _memory.Wanted },
            Jobs = new JobTotals(_book.Waiting, _attempts.Count, Allowed, _book.Accepted, _book.Over),
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

    private sealed record BeatNow : INoSerializationVerificationNeeded
    {
        public static readonly BeatNow Instance = new();
    }
}
