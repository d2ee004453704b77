using System.Net;
using System.Net.Sockets;
using Guardian.Actors.Chaos.Proxies;
using Guardian.Host.Chaos;
using Guardian.Tests.Leasekeeping;
using Guardian.Tests.Node;

namespace Guardian.Tests.Chaos.Proxies;

/// <summary>This process plays node 0, and behind the link listens node 1.</summary>
public sealed class NodeLinksTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    [LinuxFact]
    public async Task A_cut_holds_one_direction_and_what_was_held_gets_through()
    {
        var (entry, bound) = (LoopbackPorts.Free(), new TcpListener(IPAddress.Loopback, 0));
        bound.Start();
        await using var links = new NodeLinks();
        links.Add(1, entry, ((IPEndPoint)bound.LocalEndpoint).Port);
        links.Owner(0, Environment.ProcessId);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, entry);
        using var server = await bound.AcceptTcpClientAsync().WaitAsync(Deadline);
        var (here, there) = (client.GetStream(), server.GetStream());

        await here.WriteAsync(new byte[] { 1 });
        (await OneAsync(there)).Should().Be(1);

        links.Cut(0, 1);
        await here.WriteAsync(new byte[] { 2 });
        await Eventually.HoldsAsync(() => links.Held == 1, "it is held", 20);
        await there.WriteAsync(new byte[] { 3 });
        (await OneAsync(here)).Should().Be(3, "the other direction is whole");
        server.Available.Should().Be(0);

        links.Heal();
        (await OneAsync(there)).Should().Be(2);
        links.Held.Should().Be(0);
        bound.Stop();
    }

    private static async Task<byte> OneAsync(NetworkStream stream)
    {
        var buffer = new byte[1];
        await stream.ReadExactlyAsync(buffer).AsTask().WaitAsync(Deadline);
        return buffer[0];
    }
}
