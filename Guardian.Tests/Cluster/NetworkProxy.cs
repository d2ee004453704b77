using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Guardian.Host.Chaos;
using Guardian.Tests.Node;

namespace Guardian.Tests.Clustering;

/// <summary>
/// In front of every node's remoting port. Who connects is found out from the kernel's table of connections, so that two nodes can be
/// cut off from each other, or one be made deaf to another, without root.
/// </summary>
internal sealed class NetworkProxy : IAsyncDisposable
{
    private readonly ConcurrentDictionary<(int From, int To), byte> _cut = new();
    private readonly ConcurrentDictionary<(int From, int To), byte> _deaf = new();
    private readonly ConcurrentDictionary<TcpClient, (int From, int To)> _open = new();
    private readonly ConcurrentDictionary<TcpClient, byte> _torn = new(); // has lost bytes: of no use any more
    private readonly ConcurrentDictionary<int, int> _owners = new(); // process to node
    private readonly List<TcpListener> _listeners = [];
    private readonly CancellationTokenSource _ending = new();

    /// <summary>Listens on the node's public port; the port that the node is to bind.</summary>
    public int Add(int node, int publicPort)
    {
        var listener = new TcpListener(IPAddress.Loopback, publicPort);
        listener.Start();
        _listeners.Add(listener);
        var port = LoopbackPorts.Free();
        _ = AcceptAsync(listener, node, port);
        return port;
    }

    /// <summary>The process of a node; again after it was started again.</summary>
    public void Owner(int node, int process) => _owners[process] = node;

    /// <summary>
    /// What one node sends to the other is lost without a word, whoever opened the connection; what comes the other way arrives.
    /// </summary>
    public void Deafen(int from, int to)
    {
        _deaf[(from, to)] = 0;
        foreach (var client in _open.Where(x => x.Value.From < 0).Select(x => x.Key)) client.Close(); // opened anew it has a name
    }

    /// <summary>No connection that the one opens gets to the other.</summary>
    private void Cut(int from, int to)
    {
        _cut[(from, to)] = 0;
        foreach (var (client, way) in _open)
        {
            if (way == (from, to) || way.From < 0) client.Close();
        }
    }

    /// <summary>No connection between the node and the others, in either direction.</summary>
    public void Isolate(int node, IEnumerable<int> others)
    {
        foreach (var other in others)
        {
            Cut(node, other);
            Cut(other, node);
        }
    }

    public void Heal()
    {
        Mend();
        _cut.Clear();
        _deaf.Clear();
        Mend();

        void Mend()
        {
            foreach (var client in _torn.Keys) client.Close();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        foreach (var listener in _listeners) listener.Stop();
        foreach (var client in _open.Keys) client.Close();
        _ending.Dispose();
    }

    private async Task AcceptAsync(TcpListener listener, int node, int port)
    {
        try
        {
            while (true) _ = ForwardAsync(await listener.AcceptTcpClientAsync(_ending.Token), node, port);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The end.
        }
    }

    private async Task ForwardAsync(TcpClient client, int to, int port)
    {
        using var server = new TcpClient();
        try
        {
            var from = NodeOf(((IPEndPoint)client.Client.RemoteEndPoint!).Port);
            _open[client] = (from, to);
            if (_cut.ContainsKey((from, to)) || (from < 0 && !_cut.IsEmpty)) return;
            await server.ConnectAsync(IPAddress.Loopback, port, _ending.Token);
            var (here, there) = (client.GetStream(), server.GetStream());
            await Task.WhenAny(PumpAsync(client, here, there, (from, to)), PumpAsync(client, there, here, (to, from)));
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
        {
            // Cut, or one side has gone.
        }
        finally
        {
            _open.TryRemove(client, out _);
            _torn.TryRemove(client, out _);
            client.Dispose();
        }
    }

    private async Task PumpAsync(TcpClient client, NetworkStream source, NetworkStream target, (int From, int To) way)
    {
        var buffer = new byte[16 * 1024];
        while (await source.ReadAsync(buffer, _ending.Token) is > 0 and var read)
        {
            if (_deaf.ContainsKey(way)) _torn[client] = 0;
            else await target.WriteAsync(buffer.AsMemory(0, read), _ending.Token);
        }
    }

    /// <summary>Whose end of a connection on loopback has this port; -1: nobody's that is known.</summary>
    private int NodeOf(int port)
    {
        var local = port.ToString("X4", CultureInfo.InvariantCulture);
        foreach (var file in new[] { "/proc/net/tcp", "/proc/net/tcp6" })
        {
            var inode = File.ReadLines(file).Skip(1).Select(x => x.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .FirstOrDefault(x => x[1].EndsWith(':' + local, StringComparison.Ordinal) && x[9] != "0")?[9];
            if (inode is null) continue;
            foreach (var (process, node) in _owners)
            {
                try
                {
                    if (Directory.EnumerateFiles($"/proc/{process}/fd").Any(x => new FileInfo(x).LinkTarget == $"socket:[{inode}]")) return node;
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    // It has ended.
                }
            }
        }

        return -1;
    }
}
