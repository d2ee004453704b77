using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Guardian.Tests.Clustering;

/// <summary>Between nodes and PostgreSQL's Unix socket: TCP that can be cut, so that no other test feels it.</summary>
internal sealed class DatabaseProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<TcpClient, byte> _open = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly string _socket;
    private readonly Task _accepting;
    private volatile bool _cut;
    private volatile TaskCompletionSource? _hanging;

    public DatabaseProxy(string directory)
    {
        _socket = Path.Combine(directory, ".s.PGSQL.5432");
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    /// <summary>Every connection breaks, and no new one is let through.</summary>
    public void Cut()
    {
        _cut = true;
        foreach (var client in _open.Keys) client.Close();
    }

    /// <summary>Nothing gets through, and nothing is refused: what was sent waits, in both directions.</summary>
    public void Hang() => _hanging ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Lets through again, also what waited.</summary>
    public void Restore()
    {
        _cut = false;
        var hanging = _hanging;
        _hanging = null;
        hanging?.SetResult();
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        _listener.Stop();
        Cut();
        _hanging?.SetResult();
        await _accepting;
        _ending.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = ForwardAsync(await _listener.AcceptTcpClientAsync(_ending.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The end.
        }
    }

    private async Task ForwardAsync(TcpClient client)
    {
        using var server = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            if (_cut) return;
            _open[client] = 0;
            if (_hanging is { } hanging) await hanging.Task;
            await server.ConnectAsync(new UnixDomainSocketEndPoint(_socket));
            await using var there = new NetworkStream(server);
            var here = client.GetStream();
            await Task.WhenAny(PumpAsync(here, there), PumpAsync(there, here));
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
        {
            // Cut, or one side has gone.
        }
        finally
        {
            _open.TryRemove(client, out _);
            client.Dispose();
        }
    }

    private async Task PumpAsync(NetworkStream source, NetworkStream target)
    {
        var buffer = new byte[16 * 1024];
        while (await source.ReadAsync(buffer, _ending.Token) is > 0 and var read)
        {
            if (_hanging is { } hanging) await hanging.Task;
            await target.WriteAsync(buffer.AsMemory(0, read), _ending.Token);
        }
    }
}
