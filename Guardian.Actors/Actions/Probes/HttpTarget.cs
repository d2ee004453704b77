using System.Net;
using System.Net.Sockets;

namespace Guardian.Actors.Actions.Probes;

/// <summary>
/// Which addresses a probe may ask. A playbook's text can carry values from outside; without these rules it could be made to
/// ask a cloud's metadata service in the node's name.
/// </summary>
internal static class HttpTarget
{
    private static readonly IPAddress[] Metadata = [IPAddress.Parse("100.100.100.200"), IPAddress.Parse("fd00:ec2::254")];

    /// <summary>The absolute address that is meant.</summary>
    /// <exception cref="ActionFailedException">It may not be asked; the message says why.</exception>
    public static Uri Resolve(string url, Uri? baseAddress, IReadOnlyCollection<string> allowedHosts)
    {
        Uri? target;
        if (url.StartsWith('/') && !url.StartsWith("//", StringComparison.Ordinal))
        {
            if (baseAddress is null) throw new ActionFailedException($"'{url}' is relative, and this node has no HTTP address yet");
            target = new Uri(baseAddress, url);
        }
        else if (!Uri.TryCreate(url, UriKind.Absolute, out target) || (target.Scheme != Uri.UriSchemeHttp && target.Scheme != Uri.UriSchemeHttps))
        {
            throw new ActionFailedException($"'{url}' is neither an http(s) address nor a path that begins with '/'");
        }

        if (target.UserInfo.Length > 0) throw new ActionFailedException("an address must not hold a user or password");
        if (IPAddress.TryParse(target.DnsSafeHost, out var address) && IsRefused(address))
            throw new ActionFailedException($"{target.Host} is a link-local or metadata address; a probe never asks those");
        if (!target.IsLoopback && target.Authority != baseAddress?.Authority && !allowedHosts.Contains(target.Host, StringComparer.OrdinalIgnoreCase))
            throw new ActionFailedException($"host '{target.Host}' may not be probed: only loopback, this node, and hosts that were allowed");
        return target;
    }

    /// <summary>Link-local, metadata, or no host at all.</summary>
    public static bool IsRefused(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (Metadata.Contains(address) || address.IsIPv6LinkLocal || address.IsIPv6Multicast) return true;
        if (address.AddressFamily != AddressFamily.InterNetwork) return false;
        Span<byte> bytes = stackalloc byte[4];
        address.TryWriteBytes(bytes, out _);
        return (bytes[0] == 169 && bytes[1] == 254) || bytes[0] >= 224;
    }
}
