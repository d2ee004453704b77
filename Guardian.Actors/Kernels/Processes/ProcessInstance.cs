using System.Collections;
using System.ComponentModel;
using System.Globalization;
using System.Security.Cryptography;
using Guardian.Actors.Leasekeeping;

namespace Guardian.Actors.Kernels.Processes;

/// <summary>A process could not be started; the message says why and what would help.</summary>
internal sealed class ProcessStartException(string message) : Exception(message);

/// <summary>
/// One living instance of a process kernel: the leader of a session of its own, its output pumps and its record on disk. Its
/// methods wait for the operating system and are called off the actors' threads.
/// </summary>
internal sealed class ProcessInstance
{
    /// <summary>Marks the process and everything that it starts, also what leaves its group.</summary>
    public const string TokenVariable = "GUARDIAN_INSTANCE";

    /// <summary>The replica's folder, where its output goes; it is this node's alone.</summary>
    public const string FolderVariable = "GUARDIAN_FOLDER";

    /// <summary>An adopted process is nobody's child: its end is seen by looking.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    /// <summary>After KILL only a process in an uninterruptible call is still there; it is waited for as long as it takes.</summary>
    private static readonly TimeSpan LookForGroup = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan LookForStuck = TimeSpan.FromSeconds(1); // a process in an uninterruptible call may take minutes

    private static readonly TimeSpan AgainAfter = TimeSpan.FromMilliseconds(500); // doubles, up to the longest: a full disk stays so for a while
    private static readonly TimeSpan AgainAtMost = TimeSpan.FromSeconds(30);

    /// <summary>For records of versions that did not write it down: what is declared where nothing is said.</summary>
    private static readonly TimeSpan DefaultGrace = TimeSpan.FromSeconds(5);

    private static readonly Task Never = new TaskCompletionSource().Task;

    private static readonly HashSet<string> InheritedNames = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR", "DOTNET_ROOT"];

    private readonly InstanceFolder _folder;
    private readonly OutputPump _output;
    private readonly OutputPump _error;
    private readonly TaskCompletionSource _gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _recording;

    private ProcessInstance(InstanceFolder folder, InstanceRecord record, OutputPump output, OutputPump error, Task<string> leader, string? unrecorded = null)
    {
        (_folder, Record, _output, _error, Unrecorded) = (folder, record, output, error, unrecorded);
        _recording = unrecorded is null ? Task.CompletedTask : RecordAsync();
        Ended = EndAsync(leader);
    }

    public InstanceRecord Record { get; }

    public ProcessIdentity Identity => Record.Process!;

    /// <summary>Why it runs without its limits; null where it has them, or none were declared.</summary>
    public string? Unlimited { get; private init; }

    /// <summary>Why the disk did not take its identity at once; it is tried again while it lives. Null where it did.</summary>
    public string? Unrecorded { get; }

    /// <summary>Completes when nothing of it is left, with how its leader ended.</summary>
    public Task<string> Ended { get; }

    /// <summary>Starts one. Nothing else of this replica may be alive.</summary>
    /// <param name="folder">Of the replica.</param>
    /// <param name="kernel">Of which it is one.</param>
    /// <param name="replica">From 0.</param>
    /// <param name="epoch">Of the instance.</param>
    /// <param name="now">UTC.</param>
    /// <param name="group">Keeps the limits that are declared; null where none are, or none can be kept.</param>
    /// <exception cref="ProcessStartException">There is no process.</exception>
    public static ProcessInstance Start(InstanceFolder folder, KernelDefinition kernel, int replica, long epoch, DateTimeOffset now, ControlGroup? group = null)
    {
        var spec = kernel.Process!;
        if (Posix.Unsupported is not null) throw new ProcessStartException("process kernels are not supported on this platform; they need Linux");
        if (spec.WorkingDirectory is { } directory && !Directory.Exists(directory)) throw new ProcessStartException($"its working directory {directory} does not exist");
        var record = new InstanceRecord
        {
            Kernel = kernel.Name, Replica = replica, Epoch = epoch, Boot = InstanceFolder.Boot, Signature = spec.Signature, StartedAt = now, Grace = spec.Grace,
            Token = string.Create(CultureInfo.InvariantCulture, $"{kernel.Name}/{replica}/{epoch}/{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}"),
        };
        OutputPump? output = null, error = null;
        try
        {
            folder.Write(record);
            output = Pump(folder, "stdout", spec.Output);
            error = Pump(folder, "stderr", spec.Output);
            var (command, unlimited) = LimitedCommand.Of(spec, group);
            var (pid, failure) = Posix.Spawn(command, Environment(spec, record, folder), spec.WorkingDirectory, "/dev/null", Pipe(folder, "stdout"), Pipe(folder, "stderr"));
            if (failure != 0) throw new ProcessStartException($"'{spec.Command[0]}' cannot be started: {Posix.Describe(failure)}");
            return Own(folder, record, pid, output, error, group, unlimited);
        }
        catch (Exception e) when (e is ProcessStartException or IOException or UnauthorizedAccessException)
        {
            _ = output?.DisposeAsync().AsTask();
            _ = error?.DisposeAsync().AsTask();
            folder.Clear();
            throw e as ProcessStartException ?? new ProcessStartException($"its folder {folder.Full} cannot be used: {e.Message}");
        }
    }

    /// <summary>
    /// From here on there is a process: it is owned, or it is killed and has ended. A disk that does not take its identity is no reason to kill it:
    /// the record that was written before it names its token, by which another Guardian finds it.
    /// </summary>
    private static ProcessInstance Own(InstanceFolder folder, InstanceRecord record, int pid, OutputPump output, OutputPump error, ControlGroup? group, string? unlimited)
    {
        string? unrecorded = null;
        try
        {
            if (!ProcessStat.TryRead(pid, out var stat)) throw new IOException($"/proc/{pid}/stat cannot be read"); // a zombie is listed: it is not reaped yet
            record = record with { Process = new ProcessIdentity(pid, stat.Start) };
            try
            {
                folder.Write(record);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                unrecorded = e.Message;
            }

            return new ProcessInstance(folder, record, output, error, LimitedCommand.SayAsync(Leader(pid), group), unrecorded) { Unlimited = unlimited };
        }
        catch (Exception e)
        {
            Posix.Signal(-pid, Posix.SIGKILL); // it is this process's child and not reaped: the number is still its own
            Children.Instance.Ended(pid).GetAwaiter().GetResult();
            EndedAsync(record.Token, null).GetAwaiter().GetResult();
            throw new ProcessStartException($"'{record.Kernel}' was started and killed again, since it cannot be followed: {e.Message}");
        }
    }

    /// <summary>
    /// What another Guardian has left of this replica: the process itself where it lives and was started with the same definition;
    /// else nothing, and nothing of it is alive any more. Where it throws, nobody knows: nothing may be started beside it.
    /// </summary>
    public static async Task<ProcessInstance?> AdoptAsync(InstanceFolder folder, KernelDefinition kernel)
    {
        if (Posix.Unsupported is not null || folder.Read() is not { } record) return null;
        if (record.Boot == InstanceFolder.Boot)
        {
            var living = record.Process is { } known && known.Alive;
            if (living && record.Signature == kernel.Process!.Signature)
            {
                return Take(folder, record, kernel.Process.Output);
            }

            await SweepAsync(record.Token, record.Process).ConfigureAwait(false);
        }

        folder.Clear();
        return null;
    }

    /// <summary>
    /// Ends what is left of replicas that are not declared any more, all at once: TERM, the grace that was declared, KILL; and of jobs of such
    /// pools. The number of them.
    /// </summary>
    /// <param name="root">The node's folder of kernels.</param>
    /// <param name="declared">All kernels.</param>
    /// <param name="atOnce">KILL without TERM.</param>
    public static async Task<int> SweepAsync(string root, IReadOnlyList<KernelDefinition> declared, bool atOnce = false)
    {
        if (Posix.Unsupported is not null || !Directory.Exists(root)) return 0;
        var most = declared.Where(x => x.Type == KernelType.Process).ToDictionary(x => x.Name, x => x.Replicas.Max, StringComparer.Ordinal);
        var left = Left(root).Where(x => x.Record.Replica >= most.GetValueOrDefault(x.Record.Kernel)).ToList();
        var jobs = JobProcess.SweepAsync(root, declared);
        await Task.WhenAll(left.Select(x => EndAsync(x.Folder, x.Record, atOnce))).ConfigureAwait(false);
        return left.Count + await jobs.ConfigureAwait(false);
    }

    /// <summary>
    /// Living replicas that would be ended if just these kernels were declared, each as <c>kernel/replica (pid n)</c>: those of other kernels, and
    /// those that were started with another definition.
    /// </summary>
    /// <param name="root">The node's folder of kernels.</param>
    /// <param name="declared">All kernels.</param>
    public static IReadOnlyList<string> Survivors(string root, IReadOnlyList<KernelDefinition> declared)
    {
        if (Posix.Unsupported is not null || !Directory.Exists(root)) return [];
        var known = declared.Where(x => x.Type == KernelType.Process).ToDictionary(x => x.Name, StringComparer.Ordinal);
        return [.. Left(root).Where(x => !(known.TryGetValue(x.Record.Kernel, out var kernel) && x.Record.Replica < kernel.Replicas.Max && x.Record.Signature == kernel.Process!.Signature))
            .Where(x => x.Record.Boot == InstanceFolder.Boot && x.Folder.Processes().Count > 0)
            .Select(x => string.Create(CultureInfo.InvariantCulture, $"{x.Record.Kernel}/{x.Record.Replica} (pid {x.Record.Process?.Pid.ToString(CultureInfo.InvariantCulture) ?? "unknown"})")).Order(StringComparer.Ordinal)];
    }

    /// <summary>Every instance on record.</summary>
    private static IEnumerable<(InstanceFolder Folder, InstanceRecord Record)> Left(string root)
    {
        foreach (var path in Directory.GetDirectories(root).SelectMany(Directory.GetDirectories))
        {
            var (kernel, index) = (Path.GetFileName(Path.GetDirectoryName(path)!), Path.GetFileName(path));
            if (!int.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out var replica)) continue;
            var folder = new InstanceFolder(root, kernel, replica);
            if (folder.Read() is { } record) yield return (folder, record with { Kernel = kernel, Replica = replica });
        }
    }

    private static async Task EndAsync(InstanceFolder folder, InstanceRecord record, bool atOnce)
    {
        if (record.Boot == InstanceFolder.Boot)
        {
            if (!atOnce && record.Process is { Alive: true }) await StopAsync(folder, record).ConfigureAwait(false);
            await SweepAsync(record.Token, record.Process).ConfigureAwait(false);
        }

        folder.Clear(record.Token);
    }

    /// <summary>Takes it over to end it: its last words are read, for who writes into a full pipe does not end in order.</summary>
    private static async Task StopAsync(InstanceFolder folder, InstanceRecord record)
    {
        try
        {
            await Take(folder, record, new OutputSpec()).StopAsync(record.Grace ?? DefaultGrace, Never).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Its pipes cannot be opened: it is killed.
        }
    }

    /// <summary>It lives, and this Guardian takes it over.</summary>
    private static ProcessInstance Take(InstanceFolder folder, InstanceRecord record, OutputSpec spec)
    {
        var output = Pump(folder, "stdout", spec);
        try
        {
            return new ProcessInstance(folder, record, output, Pump(folder, "stderr", spec), Adopted(record.Process!));
        }
        catch
        {
            _ = output.LetGoAsync(); // the process goes on, and so must its pipe
            throw;
        }
    }

    /// <summary>TERM to the group, KILL after the grace or once <paramref name="hurry"/> completes. Completes when nothing of it is left.</summary>
    public async Task StopAsync(TimeSpan grace, Task hurry)
    {
        // What is stopped cannot act on TERM, and must not be woken: its last effects were refused long ago.
        if (grace > TimeSpan.Zero && !ProcessTable.IsStopped(Identity))
        {
            Signal(Posix.SIGTERM);
            await Task.WhenAny(Ended, hurry, Task.Delay(grace)).ConfigureAwait(false);
            if (Ended.IsCompleted) return;
        }

        Signal(Posix.SIGKILL);
        await Ended.ConfigureAwait(false);
    }

    /// <summary>To the whole group, as long as its leader is the one that was started.</summary>
    public bool Signal(int signal) => Identity.Alive && Posix.Signal(-Identity.Pid, signal);

    private async Task<string> EndAsync(Task<string> leader)
    {
        var how = await leader.ConfigureAwait(false);
        await EndedAsync(Record.Token, null).ConfigureAwait(false);
        _gone.TrySetResult();
        await _recording.ConfigureAwait(false);
        try
        {
            await _output.DisposeAsync().ConfigureAwait(false);
            await _error.DisposeAsync().ConfigureAwait(false);
            _folder.Clear(Record.Token);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A record that stays names processes that are gone, and is replaced by the next one.
        }

        return how;
    }

    /// <summary>Writes the record as soon as the disk takes it, so that another Guardian can adopt the process and need not end it.</summary>
    private async Task RecordAsync()
    {
        for (var wait = AgainAfter; ; wait = Longer(wait))
        {
            await Task.WhenAny(_gone.Task, Task.Delay(wait)).ConfigureAwait(false);
            if (_gone.Task.IsCompleted) return;
            try
            {
                _folder.Write(Record);
                return;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Not yet.
            }
        }
    }

    /// <summary>Completes when nothing of the instance is left, however often looking fails: what cannot be looked for is not gone.</summary>
    private static async Task EndedAsync(string token, ProcessIdentity? leader)
    {
        for (var wait = AgainAfter; ; wait = Longer(wait))
        {
            try
            {
                await SweepAsync(token, leader).ConfigureAwait(false);
                return;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                await Task.Delay(wait).ConfigureAwait(false);
            }
        }
    }

    private static TimeSpan Longer(TimeSpan wait) => wait * 2 < AgainAtMost ? wait * 2 : AgainAtMost;

    /// <summary>
    /// Kills the leader, its session and what bears the token, until nothing is left. The leader is looked at by itself: in the moment of its
    /// exec a process shows no environment yet.
    /// </summary>
    public static async Task SweepAsync(string token, ProcessIdentity? leader = null)
    {
        var left = new HashSet<ProcessIdentity>(); // what was of its session is so after the leader's end too
        for (var wait = LookForGroup; ; wait = wait * 2 < LookForStuck ? wait * 2 : LookForStuck)
        {
            left.UnionWith(ProcessTable.OfInstance(token, leader));
            left.RemoveWhere(x => !x.Alive);
            if (left.Count == 0) return;
            foreach (var process in left) Kill(process);
            await Task.Delay(wait).ConfigureAwait(false);
        }
    }

    private static void Kill(ProcessIdentity process)
    {
        try
        {
            Posix.Signal(process, Posix.SIGKILL);
        }
        catch (Win32Exception) // a kernel before 5.3 has no handles of processes
        {
            if (process.Alive) Posix.Signal(process.Pid, Posix.SIGKILL);
        }
    }

    /// <summary>Living processes of the instance, its leader and all that it started.</summary>
    public IReadOnlyList<ProcessIdentity> Processes() => ProcessTable.OfInstance(Record.Token, Identity);

    /// <summary>What a program needs to find its way. Nothing else of Guardian's own environment: it holds secrets.</summary>
    public static IEnumerable<string> Inherited() => System.Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
        .Where(x => InheritedNames.Contains((string)x.Key) || ((string)x.Key).StartsWith("LC_", StringComparison.Ordinal))
        .Select(x => $"{x.Key}={x.Value}");

    private static async Task<string> Leader(int pid) => (await Children.Instance.Ended(pid).ConfigureAwait(false)).ToString();

    private static async Task<string> Adopted(ProcessIdentity process)
    {
        using var timer = new PeriodicTimer(LookEvery);
        while (process.Alive) await timer.WaitForNextTickAsync().ConfigureAwait(false);
        return "it ended; its exit code is not known, since another Guardian had started it";
    }

    private static OutputPump Pump(InstanceFolder folder, string stream, OutputSpec spec)
    {
        Directory.CreateDirectory(folder.Full);
        return OutputPump.Start(Pipe(folder, stream), Path.Combine(folder.Full, stream + ".log"), spec);
    }

    private static string Pipe(InstanceFolder folder, string stream) => Path.Combine(folder.Full, stream + ".pipe");

    /// <summary>What is inherited, what was declared, and who it is.</summary>
    private static IEnumerable<string> Environment(ProcessSpec spec, InstanceRecord record, InstanceFolder folder)
    {
        var all = Inherited().ToDictionary(x => x[..x.IndexOf('=', StringComparison.Ordinal)], x => x[(x.IndexOf('=', StringComparison.Ordinal) + 1)..], StringComparer.Ordinal);
        foreach (var (name, value) in spec.Environment) all[name] = value;
        all[TokenVariable] = record.Token;
        all[FolderVariable] = folder.Full;
        all["GUARDIAN_KERNEL"] = record.Kernel;
        all["GUARDIAN_REPLICA"] = record.Replica.ToString(CultureInfo.InvariantCulture);
        all["GUARDIAN_EPOCH"] = record.Epoch.ToString(CultureInfo.InvariantCulture);
        return all.Select(x => $"{x.Key}={x.Value}");
    }
}
