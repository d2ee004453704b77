using System.Net;

namespace Guardian.Actors.Actions.Probes;

/// <summary>
/// Which addresses a probe may ask. A playbook's text can carry values from outside; without these rules it could be made to
/// ask a cloud's metadata service in the node's name.
/// </summary>
internal static class HttpTarget
{
    /// <summary>The absolute address that is meant.</summary>
    /// <exception cref="ActionFailedException">It may not be asked; the message says why.</exception>
    public static Uri Resolve(string url, Uri? baseAddress, IReadOnlyCollection<string> allowedHosts)
    {
        Uri? target;
        if (url.StartsWith('/') && !url.StartsWith("//", StringComparison.Ordinal))
        {
            if (baseAddress is null) throw new ActionFailedException($"'{url}' is relative, and this node has no HTTP address yet");
            target = new Uri(baseAddress.AbsoluteUri.TrimEnd('/') + url);
        }
        else if (!Uri.TryCreate(url, UriKind.Absolute, out target) || (target.Scheme != Uri.UriSchemeHttp && target.Scheme != Uri.UriSchemeHttps))
        {
            throw new ActionFailedException($"'{url}' is neither an http(s) address nor a path that begins with '/'");
        }

        if (target.UserInfo.Length > 0) throw new ActionFailedException("an address must not hold a user or password");
        if (IPAddress.TryParse(target.DnsSafeHost, out var address) && HttpGuard.IsRefused(address))
            throw new ActionFailedException($"{target.Host} is a link-local or metadata address; a probe never asks those");
        if (!target.IsLoopback && target.Authority != baseAddress?.Authority && !allowedHosts.Contains(target.Host, StringComparer.OrdinalIgnoreCase))
            throw new ActionFailedException($"host '{target.Host}' may not be probed: only loopback, this node, and hosts that were allowed");
        return target;
    }
}
