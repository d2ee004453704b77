using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;
using Guardian.Actors.Hosting;

namespace Guardian.Actors.Leasekeeping;

/// <summary>
/// The node's end: keeps one keeper process running and asks it. A keeper that ends or does not answer is replaced; what was
/// asked and not answered is asked again of the next one, which has read the same leases from disk.
/// </summary>
internal sealed class Leasekeeper : ILeasekeeper, IAsyncDisposable
{
    /// <summary>A keeper answers in milliseconds once it runs; on a starved machine its start alone may take seconds.</summary>
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(10);

    /// <summary>Requests under way at once; further ones are refused.</summary>
    private const int MaxPending = 256;

    private static readonly TimeSpan EndWithin = TimeSpan.FromSeconds(4); // below the 5 s of a shutdown phase
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly GuardianProgram _program;
    private readonly string _directory;
    private readonly TimeSpan _longest;
    private readonly TimeProvider _time;
    private readonly Action<string, bool> _say;
    private readonly ProcessIdentity _self;
    private readonly ConcurrentDictionary<long, Pending> _pending = new();
    private readonly CancellationTokenSource _disposing = new();
    private readonly Lock _gate = new();
    private readonly Task _running;
    private Channel<string>? _outgoing;
    private Process? _process;
    private long _number;
    private volatile bool _ending;

    /// <param name="program">This very program, which serves as keeper under the command <c>leasekeeper</c>.</param>
    /// <param name="directory">Where the leases are.</param>
    /// <param name="longest">Longest lease.</param>
    /// <param name="time">Clock of pauses and time-outs.</param>
    /// <param name="say">Takes one line per event; true: a warning.</param>
    public Leasekeeper(GuardianProgram program, string directory, TimeSpan longest, TimeProvider time, Action<string, bool> say)
    {
        (_program, _directory, _longest, _time, _say) = (program, Path.GetFullPath(directory), longest, time, say);
        _self = ProcessIdentity.Of(Environment.ProcessId) ?? throw new PlatformNotSupportedException(Posix.Unsupported ?? "this process does not find itself in /proc");
        _running = Task.Run(KeepRunningAsync);
    }

    public string? Unsupported => null;

    public TimeSpan Longest => _longest;

    /// <summary>The keeper's process id; null while none runs.</summary>
    public int? ProcessId
    {
        get { lock (_gate) return _process?.Id; }
    }

    public async Task TakeAsync(OsLease lease, CancellationToken cancellation) =>
        _ = await AskAsync(x => new KeeperRequest { Number = x, Op = "take", Lease = lease }, cancellation).ConfigureAwait(false);

    public async Task<bool> RenewAsync(string id, TimeSpan length, CancellationToken cancellation) =>
        (await AskAsync(x => new KeeperRequest { Number = x, Op = "renew", Id = id, For = length }, cancellation).ConfigureAwait(false)).Held;

    public async Task<bool> ReleaseAsync(string id, CancellationToken cancellation) =>
        (await AskAsync(x => new KeeperRequest { Number = x, Op = "release", Id = id }, cancellation).ConfigureAwait(false)).Held;

    public async Task<bool> ForgetAsync(string id, CancellationToken cancellation) =>
        (await AskAsync(x => new KeeperRequest { Number = x, Op = "forget", Id = id }, cancellation).ConfigureAwait(false)).Held;

    public async Task<IReadOnlyList<OsLease>> ListAsync(CancellationToken cancellation) =>
        (await AskAsync(x => new KeeperRequest { Number = x, Op = "list" }, cancellation).ConfigureAwait(false)).Leases ?? [];

    /// <summary>Everything is undone and the keeper ends; an undo that takes longer goes on without being waited for.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_ending) return;
        try
        {
            var end = AskAsync(x => new KeeperRequest { Number = x, Op = "end" }, CancellationToken.None);
            _ending = true;
            await end.ConfigureAwait(false);
            await _running.WaitAsync(EndWithin, _time).ConfigureAwait(false);
        }
        catch (Exception e) when (e is LeaseRefusedException or TimeoutException)
        {
            _say("The leasekeeper has not ended yet; it goes on by itself and ends after this process", true);
        }

        await _disposing.CancelAsync().ConfigureAwait(false);
    }

    private async Task<KeeperReply> AskAsync(Func<long, KeeperRequest> request, CancellationToken cancellation)
    {
        if (_ending) throw new LeaseRefusedException("the node is ending");
        if (_pending.Count >= MaxPending) throw new LeaseRefusedException(string.Create(CultureInfo.InvariantCulture, $"{MaxPending} requests to the leasekeeper are under way"));
        var number = Interlocked.Increment(ref _number);
        var pending = new Pending(JsonSerializer.Serialize(request(number), LeasekeepingJson.Default.KeeperRequest));
        Process? asked;
        lock (_gate)
        {
            _pending[number] = pending;
            asked = _process;
            _outgoing?.Writer.TryWrite(pending.Line);
        }

        KeeperReply reply;
        try
        {
            reply = await pending.Reply.Task.WaitAsync(AnswerWithin, _time, cancellation).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Replace(asked);
            throw new LeaseRefusedException(string.Create(CultureInfo.InvariantCulture, $"the leasekeeper did not answer within {AnswerWithin.TotalSeconds:0} s"));
        }
        finally
        {
            _pending.TryRemove(number, out _);
        }

        return reply.Error is { } error ? throw new LeaseRefusedException(error) : reply;
    }

    /// <summary>Ends a keeper that hangs; only the one that was asked.</summary>
    private void Replace(Process? asked)
    {
        lock (_gate)
        {
            if (asked is null || asked != _process) return;
            _say("The leasekeeper does not answer and is replaced", true);
            asked.Kill();
        }
    }

    private async Task KeepRunningAsync()
    {
        var pause = FirstPause;
        while (!_ending)
        {
            var began = _time.GetTimestamp();
            try
            {
                await OneProcessAsync().ConfigureAwait(false);
            }
            catch (Exception e) when (e is System.ComponentModel.Win32Exception or IOException or InvalidOperationException)
            {
                _say($"The leasekeeper cannot be started: {e.Message}", true);
            }

            if (_ending) return;
            pause = _time.GetElapsedTime(began) > LongestPause ? FirstPause : pause * 2 < LongestPause ? pause * 2 : LongestPause;
            await Task.Delay(pause, _time, _disposing.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task OneProcessAsync()
    {
        using var process = Start();
        var outgoing = Channel.CreateUnbounded<string>(new UnboundedChannelOptions { SingleReader = true });
        lock (_gate)
        {
            (_process, _outgoing) = (process, outgoing);
            foreach (var (_, pending) in _pending.OrderBy(x => x.Key)) outgoing.Writer.TryWrite(pending.Line);
        }

        var writing = Task.Run(() => WriteAsync(process, outgoing.Reader));
        var errors = process.StandardError.ReadToEndAsync();
        while (await process.StandardOutput.ReadLineAsync().ConfigureAwait(false) is { } line) Take(line);
        await process.WaitForExitAsync().ConfigureAwait(false);
        lock (_gate) (_process, _outgoing) = (null, null);
        outgoing.Writer.Complete();
        await writing.ConfigureAwait(false);
        if (_ending) return;
        var why = (await errors.ConfigureAwait(false)).Trim();
        _say(string.Create(CultureInfo.InvariantCulture, $"The leasekeeper ended with {process.ExitCode}; a new one takes its leases over. {why}"), true);
    }

    private Process Start()
    {
        var start = new ProcessStartInfo(_program.FileName) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        foreach (var argument in _program.Arguments.Concat(KeeperProgram.Arguments(_directory, _self, _longest))) start.ArgumentList.Add(argument);
        // Small: it waits most of its life.
        start.Environment["DOTNET_gcServer"] = "0";
        start.Environment["DOTNET_gcConcurrent"] = "0";
        start.Environment["DOTNET_TieredPGO"] = "0";
        return Process.Start(start) ?? throw new InvalidOperationException($"{_program.FileName} did not start");
    }

    private static async Task WriteAsync(Process process, ChannelReader<string> lines)
    {
        try
        {
            await foreach (var line in lines.ReadAllAsync().ConfigureAwait(false))
            {
                await process.StandardInput.WriteLineAsync(line).ConfigureAwait(false);
                await process.StandardInput.FlushAsync().ConfigureAwait(false);
            }
        }
        catch (IOException)
        {
            // It died; what it did not answer goes to the next one.
        }
    }

    private void Take(string line)
    {
        try
        {
            var reply = JsonSerializer.Deserialize(line, LeasekeepingJson.Default.KeeperReply)!;
            if (reply.Number > 0 && _pending.TryGetValue(reply.Number, out var pending)) pending.Reply.TrySetResult(reply);
            else if (reply.Event is { } what) _say($"Leasekeeper: {what}", what.Contains("fail", StringComparison.Ordinal));
        }
        catch (JsonException e)
        {
            _say($"The leasekeeper's answer cannot be read: {e.Message}", true);
        }
    }

    private sealed record Pending(string Line)
    {
        public TaskCompletionSource<KeeperReply> Reply { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
