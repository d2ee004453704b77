using System.Net;
using System.Net.Sockets;

namespace Guardian.Host.Chaos;

/// <summary>Ports for processes that have to be told theirs before they listen.</summary>
internal static class LoopbackPorts
{
    // From the range that no system gives to outgoing connections and to whoever asks for any port (Linux: from 32,768 on, others from
    // 49,152): one of those may be taken by anybody until its owner has started.
    private const int Lowest = 20_000;
    private const int Above = 32_768;

    /// <summary>Far more than can be taken on a machine in order; then something is wrong.</summary>
    private const int Tries = 1_000;

    private static readonly HashSet<int> Given = [];

    /// <summary>A port of 127.0.0.1 on which nobody listens and that this process has not got before.</summary>
    /// <exception cref="IOException">None was found.</exception>
    public static int Free()
    {
        for (var i = 0; i < Tries; i++)
        {
            var port = Random.Shared.Next(Lowest, Above);
            lock (Given)
            {
                if (Given.Add(port) && Listenable(port)) return port;
            }
        }

        throw new IOException($"no port between {Lowest} and {Above - 1} of 127.0.0.1 is free");
    }

    private static bool Listenable(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
