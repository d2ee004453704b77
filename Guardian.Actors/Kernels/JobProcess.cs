using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Guardian.Actors.Kernels.Processes;
using Guardian.Actors.Leasekeeping;

namespace Guardian.Actors.Kernels;

/// <summary>What the disk knows of a job's process, so that another Guardian learns what became of it.</summary>
internal sealed record JobRecord(string Id, int Attempt, string Token, string Boot, ProcessIdentity? Process);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(JobRecord))]
internal sealed partial class JobRecordJson : JsonSerializerContext;

/// <summary>
/// Runs one attempt of a job as a child process. Its exit code is written down beside it by a few fixed words of shell, which see
/// neither payload nor command as text: so another Guardian that finds it ended knows how, and nothing is done twice. The payload is a
/// file on the command's standard input.
/// </summary>
internal sealed class JobProcess
{
    /// <summary>"$@" passes the declared command on word by word; nothing of it is parsed.</summary>
    private const string Wrapper = "\"$@\"; s=$?; echo $s > \"$GUARDIAN_EXIT.new\" && mv \"$GUARDIAN_EXIT.new\" \"$GUARDIAN_EXIT\"; exit $s";

    private const int Tail = 4 * 1024;

    private const string Folder = "jobs";

    /// <summary>What is kept on disk while the job runs; only the end of it is kept with the job.</summary>
    private static readonly OutputSpec Output = new(64 * 1024, 2);

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    private readonly string _base;
    private readonly Action<string, string> _write;

    /// <param name="folder">The pool's folder of jobs.</param>
    /// <param name="id">The job.</param>
    /// <param name="write">Writes the record's text to a path; null: to the disk.</param>
    public JobProcess(string folder, string id, Action<string, string>? write = null) => (_base, _write) = (Path.Combine(folder, id), write ?? File.WriteAllText);

    /// <summary>Runs it to its end, or until the time is over or it is cancelled: then it is killed with all that it started.</summary>
    public async Task<JobResult> RunAsync(string kernel, JobCommand command, JobEntry job, CancellationToken cancellation)
    {
        if (Posix.Unsupported is not null) return new JobResult(JobState.Failed, Reason: "commands are not supported on this platform; they need Linux");
        var attempt = job.Started!.Attempt;
        var record = new JobRecord(job.Accepted.Id, attempt, string.Create(CultureInfo.InvariantCulture, $"{kernel}/{job.Accepted.Id}/{attempt}"), InstanceFolder.Boot, null);
        OutputPump? pump = null;
        int pid, error;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_base)!);
            foreach (var old in (string[])[".exit", ".exit.new"]) File.Delete(_base + old); // before the start alone: a short job may have ended by the second record
            Write(record);
            File.WriteAllText(_base + ".in", job.Accepted.Payload);
            pump = OutputPump.Start(_base + ".pipe", _base + ".out", Output);
            (pid, error) = Posix.Spawn(["/bin/sh", "-c", Wrapper, kernel, .. command.Command], Environment(kernel, record), null, _base + ".in", _base + ".pipe", _base + ".pipe");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (pump is not null) await pump.DisposeAsync().ConfigureAwait(false);
            return new JobResult(JobState.Failed, Reason: $"its files cannot be written: {e.Message}");
        }

        if (error != 0)
        {
            await pump.DisposeAsync().ConfigureAwait(false);
            return new JobResult(JobState.Failed, Reason: $"/bin/sh cannot be started: {Posix.Describe(error)}");
        }

        var ended = Children.Instance.Ended(pid);
        try
        {
            Write(record with { Process = ProcessStat.TryRead(pid, out var stat) ? new ProcessIdentity(pid, stat.Start) : null });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It runs and goes on: by the record from before it another Guardian finds its token.
        }

        return await FollowAsync(ended, pump, record, () => Posix.Signal(-pid, Posix.SIGKILL), command.Timeout, cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// What became of an attempt that an earlier Guardian began: follows it where it still runs; null where it cannot be known, and then
    /// nothing of it is alive.
    /// </summary>
    public async Task<JobResult?> FindAsync(JobCommand command, JobEntry job, DateTimeOffset now, CancellationToken cancellation)
    {
        if (Posix.Unsupported is not null || Read() is not { } record || record.Attempt != job.Started?.Attempt) return null;
        if (record.Boot == InstanceFolder.Boot && record.Process is { Alive: true } process)
        {
            var pump = OutputPump.Start(_base + ".pipe", _base + ".out", Output);
            var left = command.Timeout - (now - job.Started.At);
            var result = await FollowAsync(GoneAsync(process), pump, record, () => process.Alive && Posix.Signal(-process.Pid, Posix.SIGKILL), left > TimeSpan.Zero ? left : TimeSpan.Zero, cancellation).ConfigureAwait(false);
            return result.ExitCode is null && result.State == JobState.Failed ? null : result;
        }

        if (record.Boot == InstanceFolder.Boot) await ProcessInstance.SweepAsync(record.Token).ConfigureAwait(false);
        return Exit() is { } code ? Of(code, record) : null;
    }

    /// <summary>The folder of a pool's jobs.</summary>
    /// <param name="root">The node's folder of kernels.</param>
    /// <param name="kernel">The pool.</param>
    public static string FolderOf(string root, string kernel) => Path.Combine(root, kernel, Folder);

    /// <summary>Kills what is left of an attempt that an earlier Guardian began, where nobody follows it any more. False where nothing was.</summary>
    public async Task<bool> EndAsync()
    {
        if (Posix.Unsupported is not null || Read() is not { } record || record.Boot != InstanceFolder.Boot || ProcessTable.OfInstance(record.Token, record.Process).Count == 0) return false;
        await ProcessInstance.SweepAsync(record.Token, record.Process).ConfigureAwait(false);
        return true;
    }

    /// <summary>The same of all jobs of pools that are not declared any more, whose files go too. The number of them that were alive.</summary>
    /// <param name="root">The node's folder of kernels.</param>
    /// <param name="declared">All kernels.</param>
    public static async Task<int> SweepAsync(string root, IReadOnlyList<KernelDefinition> declared)
    {
        var pools = declared.Where(x => x.Type == KernelType.Jobs).Select(x => x.Name).ToHashSet(StringComparer.Ordinal);
        var ended = 0;
        foreach (var folder in Directory.GetDirectories(root).Where(x => !pools.Contains(Path.GetFileName(x))).Select(x => Path.Combine(x, Folder)).Where(Directory.Exists))
        {
            foreach (var id in Directory.GetFiles(folder, "*.json").Select(x => Path.GetFileNameWithoutExtension(x)))
            {
                var job = new JobProcess(folder, id);
                if (await job.EndAsync().ConfigureAwait(false)) ended++;
                job.Forget();
            }
        }

        return ended;
    }

    /// <summary>Deletes what is left of jobs that are not under way.</summary>
    public static void Clean(string folder, IReadOnlySet<string> underWay)
    {
        if (!Directory.Exists(folder)) return;
        foreach (var id in Directory.GetFiles(folder).Select(x => Path.GetFileName(x).Split('.')[0]).Distinct(StringComparer.Ordinal).Where(x => !underWay.Contains(x)))
            new JobProcess(folder, id).Forget();
    }

    /// <summary>Its end is in the journal: nothing on disk is needed any more.</summary>
    public void Forget()
    {
        foreach (var suffix in (string[])[".json", ".in", ".out", ".out.1", ".exit", ".exit.new", ".pipe"]) File.Delete(_base + suffix);
    }

    private async Task<JobResult> FollowAsync(Task<ExitStatus> ended, OutputPump pump, JobRecord record, Func<bool> kill, TimeSpan timeout, CancellationToken cancellation)
    {
        var state = JobState.Succeeded;
        try
        {
            await ended.WaitAsync(timeout, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            state = e is TimeoutException ? JobState.TimedOut : JobState.Failed;
            kill();
            await ended.ConfigureAwait(false);
        }

        var status = await ended.ConfigureAwait(false);
        if (state != JobState.Succeeded) await ProcessInstance.SweepAsync(record.Token).ConfigureAwait(false); // a look through all processes: not for every job
        await pump.DisposeAsync().ConfigureAwait(false);
        return state switch
        {
            JobState.TimedOut => new JobResult(state, null, OutputTail(), string.Create(CultureInfo.InvariantCulture, $"not done within {timeout.TotalSeconds:0.###} s")),
            JobState.Failed => new JobResult(state, null, OutputTail(), "it was ended with its pool"),
            // A full disk takes no file: then the shell's own end tells.
            _ => (Exit() ?? (status is { Signal: 0, Code: >= 0 } ? status.Code : null)) is { } code ? Of(code, record) : new JobResult(JobState.Failed, null, OutputTail(), status.ToString()),
        };
    }

    private JobResult Of(int code, JobRecord record) => code == 0
        ? new JobResult(JobState.Succeeded, 0, OutputTail())
        : new JobResult(JobState.Failed, code, OutputTail(), string.Create(CultureInfo.InvariantCulture, $"exit code {code} in attempt {record.Attempt}"));

    private static async Task<ExitStatus> GoneAsync(ProcessIdentity process)
    {
        using var timer = new PeriodicTimer(LookEvery);
        while (process.Alive) await timer.WaitForNextTickAsync().ConfigureAwait(false);
        return new ExitStatus(-1, 0);
    }

    private int? Exit() => File.Exists(_base + ".exit") && int.TryParse(File.ReadAllText(_base + ".exit"), CultureInfo.InvariantCulture, out var code) ? code : null;

    private string? OutputTail()
    {
        var text = (File.Exists(_base + ".out.1") ? ReadEnd(_base + ".out.1") : "") + (File.Exists(_base + ".out") ? ReadEnd(_base + ".out") : "");
        return text.Length == 0 ? null : text.Length <= Tail ? text : text[^Tail..];
    }

    private static string ReadEnd(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        file.Seek(Math.Max(0, file.Length - Tail), SeekOrigin.Begin);
        using var reader = new StreamReader(file, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    private JobRecord? Read()
    {
        try
        {
            return File.Exists(_base + ".json") ? JsonSerializer.Deserialize(File.ReadAllText(_base + ".json"), JobRecordJson.Default.JobRecord) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private void Write(JobRecord record)
    {
        _write(_base + ".json.new", JsonSerializer.Serialize(record, JobRecordJson.Default.JobRecord));
        File.Move(_base + ".json.new", _base + ".json", overwrite: true);
    }

    private IEnumerable<string> Environment(string kernel, JobRecord record) => ProcessInstance.Inherited().Concat(
    [
        $"{ProcessInstance.TokenVariable}={record.Token}", $"GUARDIAN_KERNEL={kernel}", $"GUARDIAN_JOB={record.Id}",
        string.Create(CultureInfo.InvariantCulture, $"GUARDIAN_ATTEMPT={record.Attempt}"), $"GUARDIAN_EXIT={_base}.exit",
    ]);
}
