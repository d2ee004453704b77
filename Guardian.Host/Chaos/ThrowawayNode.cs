using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Guardian.Actors.Chaos.Drills;
using Guardian.Actors.Chaos.Faults;
using Guardian.Actors.Chaos.Targets;
using Guardian.Actors.Hosting;
using Guardian.Actors.Kernels.Processes;
using Guardian.Actors.Leasekeeping;

namespace Guardian.Host.Chaos;

/// <summary>
/// A node of its own for one drill: a child process on loopback with its own folder, ended by its process id. It runs in that
/// folder and without this shell's Guardian settings, so that a drill calls nobody's webhooks; policy and playbooks are those given.
/// When this process dies, the leasekeeper ends the node and deletes its folder.
/// </summary>
internal sealed class ThrowawayNode : IAsyncDisposable, INodeControl
{
    /// <summary>A start takes 3 s on a quiet machine.</summary>
    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan GroupGoneWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ExitPoll = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    /// <summary>No drill lasts longer; a node of a run that hangs is ended then.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(30);

    private readonly NodePlan _plan;
    private readonly StreamWriter _log;
    private readonly Lock _gate = new();
    private Process? _process;
    private bool _logClosed;
    private bool _again;

    private ThrowawayNode(NodePlan plan, Uri url, string folder)
    {
        (_plan, Url, Folder) = (plan, url, folder);
        DataDirectory = Path.Combine(folder, "data");
        _log = new StreamWriter(Path.Combine(folder, "node.log")) { AutoFlush = true };
    }

    public Uri Url { get; }

    /// <summary>Its folder; the caller deletes it or keeps it.</summary>
    public string Folder { get; }

    public string DataDirectory { get; }

    public string Name => Path.GetFileName(Folder);

    public bool Running => _process is { HasExited: false };

    /// <summary>Of the process that ended last; null while it runs.</summary>
    public int? ExitCode => _process is { HasExited: true } process ? process.ExitCode : null;

    /// <summary>The key for chaos inside the node.</summary>
    public string AdminKey => File.ReadAllText(KeyFile).Trim();

    /// <summary>Its memory limit; null: none of its own.</summary>
    public MemoryGroup? Memory { get; private set; }

    private string KernelsFile => Path.Combine(Folder, "kernels.yaml");

    private string KeyFile => Path.Combine(DataDirectory, "admin.key");

    /// <summary>How another process withdraws a fault inside the node.</summary>
    public LeaseUndo Withdraw(string fault) => new CallLoopback("DELETE", new Uri(Url, $"/api/v1/chaos/faults/{Uri.EscapeDataString(fault)}"), KeyFile);

    /// <exception cref="ChaosTargetException">It did not become ready; the message shows the end of its output.</exception>
    /// <exception cref="ChaosUnsupportedException">This machine cannot give it what the scenario needs.</exception>
    public static async Task<ThrowawayNode> StartAsync(NodePlan plan, string folder, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        var node = new ThrowawayNode(plan, new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{LoopbackPorts.Free()}")), folder);
        try
        {
            if (plan.MemoryLimit > 0) node.LimitMemory();
            await node.LeaseAsync(cancellation);
            if (plan.MemoryDisk > 0) node.MountMemory();
            if (plan.Kernels is { } kernels) await File.WriteAllTextAsync(node.KernelsFile, node.Here(kernels), cancellation);
            await node.LaunchAsync(cancellation);
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    public async Task ExitedAsync(CancellationToken cancellation)
    {
        // Not WaitForExitAsync: that also waits for children that have inherited its output.
        while (Running && !cancellation.IsCancellationRequested) await Task.Delay(ExitPoll, _plan.Time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public async Task InjectAsync(InNodeFault fault, CancellationToken withdraw)
    {
        var target = new HttpChaosTarget(Url, AdminKey);
        await using (target) await target.InjectAsync(fault, withdraw);
    }

    public async Task KillAsync()
    {
        if (_process is not { } process) return;
        try
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
        }
        catch (InvalidOperationException)
        {
            // It ended by itself in between.
        }
    }

    public async Task StartAgainAsync(CancellationToken cancellation)
    {
        var before = _process;
        _again = true;
        await LaunchAsync(cancellation);
        before?.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        await KernelLeftovers.EndAsync(DataDirectory);
        _process?.Dispose();
        lock (_gate)
        {
            _logClosed = true;
            _log.Dispose();
        }

        if (_plan.MemoryDisk > 0) Posix.Unmount(DataDirectory);
        if (Memory is { } group) await RemoveAsync(group);
        try
        {
            await _plan.Keeper.ForgetAsync(Folder, CancellationToken.None);
        }
        catch (LeaseRefusedException)
        {
            // The keeper hangs: at the lease's end it finds the process gone and deletes what a failed drill would have kept.
        }
    }

    /// <summary>Its last processes take moments to be gone.</summary>
    private async Task RemoveAsync(MemoryGroup group)
    {
        var began = _plan.Time.GetTimestamp();
        while (true)
        {
            try
            {
                group.Remove();
                return;
            }
            catch (IOException) when (_plan.Time.GetElapsedTime(began) < GroupGoneWithin)
            {
                await Task.Delay(Poll, _plan.Time);
            }
            catch (IOException)
            {
                return; // something is in it still; it limits nothing but that
            }
        }
    }

    private async Task LaunchAsync(CancellationToken cancellation)
    {
        var process = Start();
        _process = process;
        _plan.Started(process.Id);
        Capture(process);
        await LeaseAsync(cancellation);
        await ReadyAsync(process, cancellation);
    }

    /// <summary>What must go when this process dies: the node, its memory disk, its folder.</summary>
    private async Task LeaseAsync(CancellationToken cancellation)
    {
        if (_plan.Keeper.Unsupported is not null) return; // not Linux: the node outlives a runner that is killed, as it always did there
        List<LeaseUndo> undo = [];
        if (_process is { HasExited: false } process && ProcessIdentity.Of(process.Id) is { } identity) undo.Add(new KillProcess(identity));
        undo.Add(new KillKernels(DataDirectory));
        if (_plan.MemoryDisk > 0) undo.Add(new Unmount(DataDirectory));
        if (Memory is { } group) undo.Add(new DeletePath(group.Folder));
        undo.Add(new DeletePath(Folder));
        try
        {
            await _plan.Keeper.TakeAsync(new OsLease { Id = Folder, Owner = "chaos", Reason = "throw-away node", For = Longest, Undo = undo }, cancellation);
        }
        catch (LeaseRefusedException e)
        {
            throw new ChaosTargetException($"the node's end cannot be secured, so it is not started: {e.Message}", e);
        }
    }

    private void LimitMemory()
    {
        try
        {
            Memory = MemoryGroup.Create("guardian-" + Path.GetFileName(Folder) + "-" + Path.GetRandomFileName(), _plan.MemoryLimit);
        }
        catch (IOException e)
        {
            throw new ChaosUnsupportedException($"the scenario needs a memory limit: {e.Message}");
        }
    }

    private void MountMemory()
    {
        Directory.CreateDirectory(DataDirectory);
        try
        {
            Posix.MountMemory(DataDirectory, _plan.MemoryDisk);
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or DllNotFoundException or EntryPointNotFoundException)
        {
            throw new ChaosUnsupportedException($"the scenario needs a memory disk, which needs root on Linux: {e.Message}");
        }
    }

    private Process Start()
    {
        var start = new ProcessStartInfo(_plan.Program.FileName) { WorkingDirectory = Folder, RedirectStandardOutput = true, RedirectStandardError = true };
        string[] options =
        [
            "run", $"--Guardian:Node:DataDirectory={DataDirectory}", $"--Guardian:Http:Url={Url.GetLeftPart(UriPartial.Authority)}",
            $"--Guardian:Monitors:Resources:Enabled={_plan.WatchResources}", "--Guardian:Cluster:Port=0", "--Guardian:Chaos:Enabled=true", $"--Guardian:Files:Policy={_plan.Policy}", $"--Guardian:Files:Playbooks={_plan.Playbooks}",
        ];
        var further = _plan.Options.Concat(_again ? _plan.OptionsAgain : []).Select(x => $"--{x.Key}={Here(x.Value)}");
        if (_plan.Kernels is not null) further = further.Append($"--Guardian:Files:Kernels={KernelsFile}");
        foreach (var argument in _plan.Program.Arguments.Concat(options).Concat(further)) start.ArgumentList.Add(argument);
        var foreign = start.Environment.Keys.Where(x => x.StartsWith("Guardian__", StringComparison.OrdinalIgnoreCase) || x is "ASPNETCORE_URLS" or "URLS").ToList();
        foreach (var name in foreign) start.Environment.Remove(name);
        foreach (var (name, value) in _plan.Environment) start.Environment[name] = value;
        Memory?.Enter(start);
        try
        {
            return Process.Start(start) ?? throw new ChaosTargetException($"{_plan.Program.FileName} did not start");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new ChaosTargetException($"{_plan.Program.FileName} cannot be started: {e.Message}", e);
        }
    }

    private string Here(string text) => text.Replace("{data}", DataDirectory, StringComparison.Ordinal);

    private async Task ReadyAsync(Process process, CancellationToken cancellation)
    {
        var target = new HttpChaosTarget(Url);
        await using (target)
        {
            var began = _plan.Time.GetTimestamp();
            while (await target.CodeAsync("/ready", cancellation) != 200)
            {
                if (process.HasExited) throw new ChaosTargetException(string.Create(CultureInfo.InvariantCulture, $"the node ended with {process.ExitCode} while starting:\n{Tail()}"));
                if (_plan.Time.GetElapsedTime(began) > ReadyWithin) throw new ChaosTargetException($"the node was not ready within {ReadyWithin.TotalSeconds:0} s:\n{Tail()}");
                await Task.Delay(Poll, _plan.Time, cancellation);
            }
        }
    }

    private void Capture(Process process)
    {
        process.OutputDataReceived += (_, e) => Keep(e.Data);
        process.ErrorDataReceived += (_, e) => Keep(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    private void Keep(string? line)
    {
        lock (_gate)
        {
            if (line is not null && !_logClosed) _log.WriteLine(line);
        }
    }

    private string Tail()
    {
        lock (_gate)
        {
            _log.Flush();
            using var reader = new StreamReader(new FileStream(Path.Combine(Folder, "node.log"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
            return string.Join('\n', reader.ReadToEnd().TrimEnd().Split('\n').TakeLast(15));
        }
    }
}

/// <summary>What a throw-away node is made of.</summary>
/// <param name="Program">The executable.</param>
/// <param name="Policy">Its policy.</param>
/// <param name="Playbooks">Its playbooks.</param>
/// <param name="MemoryDisk">Bytes of the memory disk for its data; 0: none.</param>
/// <param name="MemoryLimit">Bytes that it and its kernels may use; 0: no limit of their own.</param>
/// <param name="Options">Further options; <c>{data}</c> is the data directory.</param>
/// <param name="Kernels">Text of its <c>kernels.yaml</c>, <c>{data}</c> likewise; null: those that ship.</param>
/// <param name="WatchResources">False where the machine is busy already: its pressure is not the drill's.</param>
/// <param name="Keeper">Ends it when this process dies.</param>
/// <param name="Time">The clock.</param>
internal sealed record NodePlan(GuardianProgram Program, string Policy, string Playbooks, long MemoryDisk, long MemoryLimit, IReadOnlyDictionary<string, string> Options, string? Kernels, bool WatchResources, ILeasekeeper Keeper, TimeProvider Time)
{
    /// <summary>Options with which it is started again, over the others.</summary>
    public IReadOnlyDictionary<string, string> OptionsAgain { get; init; } = new Dictionary<string, string>();

    /// <summary>Secrets, which a command line would show to everybody.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Called with the process id as soon as there is one.</summary>
    public Action<int> Started { get; init; } = static _ => { };
}

/// <summary>The drill cannot be run on this machine; it is inconclusive.</summary>
internal sealed class ChaosUnsupportedException(string message) : Exception(message);
