using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Guardian.Actors.Chaos.Proxies;

/// <summary>How the way to the database is broken.</summary>
internal enum DatabaseTrouble
{
    None,

    /// <summary>As if it were stopped: connections break, and new ones are closed at once.</summary>
    Refused,

    /// <summary>As if it were paused: connections stand, nothing gets through.</summary>
    Hangs,

    /// <summary>Every write is committed, and the connection breaks before its answer.</summary>
    Unacknowledged,
}

/// <summary>Between the nodes of a drill and PostgreSQL; nobody else's connections go through it, so that nobody else feels what it breaks.</summary>
internal sealed class DatabaseProxy : IAsyncDisposable
{
    private const int BufferBytes = 32 * 1024;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10); // for the end of a pause

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Socket, byte> _open = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly EndPoint _server;
    private readonly Task _accepting;
    private volatile DatabaseTrouble _trouble;
    private int _lost;

    /// <param name="connectionString">Of the server itself.</param>
    public DatabaseProxy(string connectionString)
    {
        var server = new NpgsqlConnectionStringBuilder(connectionString);
        _server = server.Host is { } host && host.StartsWith('/')
            ? new UnixDomainSocketEndPoint(Path.Combine(host, FormattableString.Invariant($".s.PGSQL.{server.Port}")))
            : new DnsEndPoint(server.Host ?? "127.0.0.1", server.Port);
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        Through = new NpgsqlConnectionStringBuilder(connectionString)
        {
            Host = "127.0.0.1", Port = Port, SslMode = SslMode.Disable, GssEncryptionMode = GssEncryptionMode.Disable, Timeout = 3, CommandTimeout = 5, CancellationTimeout = 1000,
        }.ConnectionString;
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    /// <summary>Connection string of the way through this proxy.</summary>
    public string Through { get; }

    /// <summary>Answers to committed writes that were lost.</summary>
    public int Lost => _lost;

    public void Begin(DatabaseTrouble trouble)
    {
        _trouble = trouble;
        if (trouble == DatabaseTrouble.Refused) CloseAll();
    }

    public void End() => _trouble = DatabaseTrouble.None;

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync().ConfigureAwait(false);
        _listener.Stop();
        CloseAll();
        await _accepting.ConfigureAwait(false);
        _ending.Dispose();
    }

    private void CloseAll()
    {
        foreach (var client in _open.Keys) client.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = ForwardAsync(await _listener.AcceptSocketAsync(_ending.Token).ConfigureAwait(false));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The end.
        }
    }

    private async Task ForwardAsync(Socket client)
    {
        using (client)
        using (var server = new Socket(_server.AddressFamily == AddressFamily.Unix ? AddressFamily.Unix : AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Unspecified))
        {
            if (_trouble == DatabaseTrouble.Refused) return;
            _open[client] = 0;
            try
            {
                await server.ConnectAsync(_server, _ending.Token).ConfigureAwait(false);
                await (await Task.WhenAny(AskAsync(client, server), AnswerAsync(server, client)).ConfigureAwait(false)).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException or InvalidDataException)
            {
                // Cut, or one side has gone.
            }
            finally
            {
                _open.TryRemove(client, out _);
            }
        }
    }

    private async Task AskAsync(Socket client, Socket server)
    {
        var buffer = new byte[BufferBytes];
        while (await client.ReceiveAsync(buffer, _ending.Token).ConfigureAwait(false) is > 0 and var count)
        {
            await WhileHangingAsync().ConfigureAwait(false);
            await SendAllAsync(server, buffer.AsMemory(0, count)).ConfigureAwait(false);
        }
    }

    private async Task AnswerAsync(Socket server, Socket client)
    {
        var (buffer, watch) = (new byte[BufferBytes], new CommitWatch());
        while (await server.ReceiveAsync(buffer, _ending.Token).ConfigureAwait(false) is > 0 and var count)
        {
            foreach (var (bytes, committed) in watch.Take(buffer.AsSpan(0, count)))
            {
                await WhileHangingAsync().ConfigureAwait(false);
                if (committed && _trouble == DatabaseTrouble.Unacknowledged)
                {
                    Interlocked.Increment(ref _lost);
                    return;
                }

                await SendAllAsync(client, bytes).ConfigureAwait(false);
            }
        }
    }

    private async Task WhileHangingAsync()
    {
        while (_trouble == DatabaseTrouble.Hangs) await Task.Delay(Look, _ending.Token).ConfigureAwait(false);
    }

    private async Task SendAllAsync(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0) bytes = bytes[await socket.SendAsync(bytes, _ending.Token).ConfigureAwait(false)..];
    }
}
