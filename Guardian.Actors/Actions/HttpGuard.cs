using System.Net;
using System.Net.Sockets;

namespace Guardian.Actors.Actions;

/// <summary>
/// Connects for actions and probes. The address that is connected to is checked, after the name was looked up, so that no name
/// server can lead around it: link-local, metadata, multicast, unspecified and broadcast addresses are never asked.
/// </summary>
internal static class HttpGuard
{
    private static readonly IPAddress[] Metadata = [IPAddress.Parse("100.100.100.200"), IPAddress.Parse("fd00:ec2::254")];

    /// <summary>Addresses that stand for IPv4 ones, 64:ff9b::/96 (RFC 6052).</summary>
    private static ReadOnlySpan<byte> Nat64 => [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];

#pragma warning disable CA5359 // a node that asks itself sends no secret, and the address is this machine's
    /// <summary>A client to keep: connections are pooled, and recycled so that names are looked up again. No redirects, proxies or cookies.</summary>
    /// <param name="anyCertificate">Whether a certificate of any name is taken; for a node that asks itself.</param>
    public static HttpClient Client(bool anyCertificate = false) => new(new SocketsHttpHandler
    {
        SslOptions = anyCertificate
            ? new System.Net.Security.SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, _, _, _) => true } : new(),
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(1),
        MaxConnectionsPerServer = 16,
        ConnectCallback = ConnectAsync,
    })
    { Timeout = Timeout.InfiniteTimeSpan };
#pragma warning restore CA5359

    /// <summary>True for an address that is never asked.</summary>
    public static bool IsRefused(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        if (length == 16 && bytes[..12].SequenceEqual(Nat64)) return IsRefused(new IPAddress(bytes[12..]));
        if (Metadata.Contains(address) || address.IsIPv6LinkLocal || address.IsIPv6Multicast || address.Equals(IPAddress.IPv6Any)) return true;
        return length == 4 && (bytes[0] == 0 || (bytes[0] == 169 && bytes[1] == 254) || bytes[0] >= 224);
    }

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var endpoint = context.DnsEndPoint;
        var addresses = IPAddress.TryParse(endpoint.Host, out var written) ? [written] : await Dns.GetHostAddressesAsync(endpoint.Host, cancellation).ConfigureAwait(false);
        if (addresses.Any(IsRefused))
            throw new ActionFailedException($"'{endpoint.Host}' leads to a link-local, metadata or multicast address; Guardian never asks those");
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, endpoint.Port, cancellation).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
