using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Guardian.Actors.Chaos.Proxies;

/// <summary>
/// In front of every node's remoting port, so that the network between any two nodes can be cut, in one direction alone too, without
/// root. What is under way while it is cut is held, as packets that are sent again and again are, and gets through once it is whole.
/// Who connects is read from the kernel's table of connections: Linux only.
/// </summary>
internal sealed class NodeLinks : IAsyncDisposable
{
    private const int BufferBytes = 32 * 1024;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20); // for the end of a cut

    private readonly ConcurrentDictionary<(int From, int To), byte> _cut = new();
    private readonly ConcurrentDictionary<int, int> _owners = new(); // process to node
    private readonly List<TcpListener> _listeners = [];
    private readonly CancellationTokenSource _ending = new();
    private int _held;

    /// <summary>Why it cannot be had here; null where it can.</summary>
    public static string? Unsupported => OperatingSystem.IsLinux() ? null : "which node a connection comes from can be told on Linux only";

    /// <summary>Pieces of traffic that a cut holds back at this moment.</summary>
    public int Held => Volatile.Read(ref _held);

    /// <summary>Listens on the node's public port and forwards to the port that the node binds.</summary>
    public void Add(int node, int publicPort, int boundPort)
    {
        var listener = new TcpListener(IPAddress.Loopback, publicPort);
        listener.Start();
        _listeners.Add(listener);
        _ = AcceptAsync(listener, node, boundPort);
    }

    /// <summary>The node's process; again after it was started again.</summary>
    public void Owner(int node, int process) => _owners[process] = node;

    /// <summary>Nothing gets from one node to the other any more.</summary>
    public void Cut(int from, int to) => _cut[(from, to)] = 0;

    public void Heal() => _cut.Clear();

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync().ConfigureAwait(false);
        foreach (var listener in _listeners) listener.Stop();
        _ending.Dispose();
    }

    private async Task AcceptAsync(TcpListener listener, int node, int port)
    {
        try
        {
            while (true) _ = ForwardAsync(await listener.AcceptSocketAsync(_ending.Token).ConfigureAwait(false), node, port);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The end.
        }
    }

    private async Task ForwardAsync(Socket client, int to, int port)
    {
        using (client)
        using (var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            try
            {
                client.NoDelay = server.NoDelay = true;
                var from = SocketOwner.Of(((IPEndPoint)client.RemoteEndPoint!).Port, _owners) ?? -1;
                await WhileCutAsync(from, to).ConfigureAwait(false);
                await server.ConnectAsync(IPAddress.Loopback, port, _ending.Token).ConfigureAwait(false);
                await Task.WhenAny(PumpAsync(client, server, from, to), PumpAsync(server, client, to, from)).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
            {
                // One side has gone.
            }
        }
    }

    private async Task PumpAsync(Socket here, Socket there, int from, int to)
    {
        var buffer = new byte[BufferBytes];
        try
        {
            while (await here.ReceiveAsync(buffer, _ending.Token).ConfigureAwait(false) is > 0 and var count)
            {
                await WhileCutAsync(from, to).ConfigureAwait(false);
                for (var rest = buffer.AsMemory(0, count); rest.Length > 0;) rest = rest[await there.SendAsync(rest, _ending.Token).ConfigureAwait(false)..];
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // One side has gone.
        }
    }

    private async Task WhileCutAsync(int from, int to)
    {
        if (!_cut.ContainsKey((from, to))) return;
        Interlocked.Increment(ref _held);
        try
        {
            while (_cut.ContainsKey((from, to))) await Task.Delay(Look, _ending.Token).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _held);
        }
    }
}
