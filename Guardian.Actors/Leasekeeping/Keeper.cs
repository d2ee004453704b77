using System.Text.Json;
using System.Threading.Channels;

namespace Guardian.Actors.Leasekeeping;

/// <summary>
/// The leasekeeper's own process: takes requests from the node on its standard input and undoes what is due. One loop decides;
/// undos run beside it. The end of the input, or a look at the node's pid and start time, tells that the node died: then
/// everything is undone and the keeper ends. While the node lives it goes on without input until nothing is held.
/// </summary>
internal sealed class Keeper : IDisposable
{
    /// <summary>Between looks at the node while its pipe is open: the pipe tells at once, this is for a pipe that somebody inherited.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    /// <summary>Between looks once the pipe has ended.</summary>
    private static readonly TimeSpan CloseLook = TimeSpan.FromMilliseconds(50);

    /// <summary>After the node's death an undo that keeps failing is left to the next keeper on this folder.</summary>
    private static readonly TimeSpan GiveUp = TimeSpan.FromMinutes(10);

    private readonly ProcessIdentity _node;
    private readonly LeaseFiles _files;
    private readonly TimeSpan _longest;
    private readonly TimeProvider _time;
    private readonly Action<KeeperReply> _answer;
    private readonly KeeperLog _log;
    private readonly long _start;
    private readonly LeaseBook _book = new();
    private readonly UndoWork _work = new();
    private readonly Dictionary<string, List<long>> _releasing = new(StringComparer.Ordinal);
    private readonly Channel<Action> _inbox = Channel.CreateUnbounded<Action>(new UnboundedChannelOptions { SingleReader = true });
    private bool _inputEnded;
    private bool _ending;
    private TimeSpan? _nodeGone;

    public Keeper(ProcessIdentity node, LeaseFiles files, TimeSpan longest, TimeProvider time, Action<KeeperReply> answer, KeeperLog log)
    {
        (_node, _files, _longest, _time, _answer, _log) = (node, files, longest, time, answer, log);
        _start = time.GetTimestamp();
    }

    private TimeSpan Now => _time.GetElapsedTime(_start);

    /// <summary>Returns when nothing is left to do.</summary>
    public async Task RunAsync(TextReader input)
    {
        Adopt();
        var reading = Task.Run(() => ReadAsync(input));
        while (true)
        {
            Watch();
            foreach (var (lease, cause) in _book.Due(Now)) Undo(lease, cause);
            if (Over()) break;
            await WaitAsync().ConfigureAwait(false);
            while (_inbox.Reader.TryRead(out var work)) work();
        }

        if (_inputEnded) await reading.ConfigureAwait(false);
    }

    public void Dispose() => _work.Dispose();

    private void Adopt()
    {
        var (leases, damaged) = _files.Read();
        foreach (var problem in damaged) Say($"a lease cannot be read and its effect may remain: {problem}");
        foreach (var lease in leases)
        {
            // A wall clock that was set back while no keeper ran must not lengthen a lease.
            var left = lease.Until - _time.GetUtcNow();
            _book.Take(lease, Now + (left < lease.For ? left : lease.For));
        }

        if (leases.Count > 0) Say($"adopted {string.Join(", ", leases.Select(x => x.Id))}");
    }

    private async Task ReadAsync(TextReader input)
    {
        while (await input.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            KeeperRequest? request;
            try
            {
                request = JsonSerializer.Deserialize(line, LeasekeepingJson.Default.KeeperRequest);
            }
            catch (JsonException e)
            {
                Post(() => Say($"a request cannot be read: {e.Message}"));
                continue;
            }

            if (request is not null) Post(() => Handle(request));
        }

        Post(() => _inputEnded = true);
    }

    private void Post(Action work) => _inbox.Writer.TryWrite(work);

    private void Handle(KeeperRequest request)
    {
        switch (request.Op)
        {
            case "take":
                Take(request);
                break;
            case "renew":
                Renew(request);
                break;
            case "release" when request.Id is { } id && _book.Release(id):
                if (!_releasing.TryGetValue(id, out var askers)) _releasing[id] = askers = [];
                askers.Add(request.Number);
                break;
            case "forget" when request.Id is { } id && _book.Forget(id):
                _files.Remove(id);
                _answer(new KeeperReply { Number = request.Number, Held = true });
                break;
            case "list":
                _answer(new KeeperReply { Number = request.Number, Held = true, Leases = [.. _book.Leases] });
                break;
            case "end":
                _ending = true;
                _book.NodeGone();
                _answer(new KeeperReply { Number = request.Number, Held = true });
                break;
            default:
                _answer(new KeeperReply { Number = request.Number });
                break;
        }
    }

    private void Take(KeeperRequest request)
    {
        var lease = request.Lease is { } asked ? asked with { Since = _time.GetUtcNow(), Until = _time.GetUtcNow() + asked.For, Boot = UndoWork.Boot } : null;
        var refusal = lease is null ? "there is no lease in the request" : UndoRules.Refusal(lease, _node, _longest);
        refusal ??= _book.Refusal(lease!.Id); // before the file: what is refused has no effect, and must not be undone by the next keeper
        if (refusal is null) refusal = Keep(lease!, () => _book.Take(lease!, Now + lease!.For));
        _answer(new KeeperReply { Number = request.Number, Held = refusal is null, Error = refusal });
    }

    private void Renew(KeeperRequest request)
    {
        if (request.For <= TimeSpan.Zero || request.For > _longest)
        {
            _answer(new KeeperReply { Number = request.Number, Error = $"a lease lasts longer than nothing and at most {_longest}, not {request.For}" });
            return;
        }

        var renewed = _book.Renew(request.Id ?? "", request.For, _time.GetUtcNow() + request.For, Now + request.For);
        var problem = renewed is null ? null : Keep(renewed, () => null);
        _answer(new KeeperReply { Number = request.Number, Held = renewed is not null && problem is null, Error = problem });
    }

    /// <summary>On disk first: what is answered as taken will be undone, whatever dies.</summary>
    private string? Keep(OsLease lease, Func<string?> then)
    {
        try
        {
            _files.Write(lease);
            return then();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.ComponentModel.Win32Exception)
        {
            return $"the lease cannot be written to disk: {e.Message}";
        }
    }

    private void Undo(OsLease lease, UndoCause cause)
    {
        var work = Task.Run(() => _work.RunAsync(lease));
        work.ContinueWith(done => Post(() => Ended(lease, cause, done.IsCompletedSuccessfully ? done.Result : done.Exception!.GetBaseException().Message)),
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private void Ended(OsLease lease, UndoCause cause, string? problem)
    {
        if (problem is null)
        {
            _book.Undone(lease.Id);
            _files.Remove(lease.Id);
            Say($"undone {lease.Id} of {lease.Owner}: {cause}");
        }
        else
        {
            var failures = _book.Failed(lease.Id, Now);
            if (failures is 1 or 10 || failures % 100 == 0) Say($"undo of {lease.Id} failed {failures} times and is repeated: {problem}");
        }

        if (!_releasing.Remove(lease.Id, out var askers)) return;
        foreach (var number in askers) _answer(new KeeperReply { Number = number, Held = true, Error = problem });
    }

    private void Watch()
    {
        if (_nodeGone is not null || _node.Alive) return;
        _nodeGone = Now;
        _book.NodeGone();
    }

    private bool Over()
    {
        if (_book.Leases.Count == 0) return _ending || _inputEnded || _nodeGone is not null;
        if (_nodeGone is not { } since || Now - since < GiveUp) return false;
        Say("gave up; the next keeper on this folder goes on");
        return true;
    }

    private async Task WaitAsync()
    {
        var look = _inputEnded ? CloseLook : Look;
        var wait = _book.Next() is { } next && next - Now < look ? next - Now : look;
        if (wait <= TimeSpan.Zero) return;
        using var enough = new CancellationTokenSource(wait, _time);
        try
        {
            await _inbox.Reader.WaitToReadAsync(enough.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Something may be due.
        }
    }

    private void Say(string what)
    {
        _log.Write(_time.GetUtcNow(), what);
        _answer(new KeeperReply { Event = what });
    }
}
