using System.Net;

namespace Guardian.Host.Http.Security;

/// <summary>
/// Keeps web pages out of a node on loopback: a rebound DNS name shows in Host, a foreign page in Origin.
/// </summary>
internal static class HostRules
{
    /// <summary>localhost, 127.0.0.0/8 or [::1].</summary>
    public static bool IsLoopbackName(string host)
    {
        if (host.Equals("localhost", StringComparison.OrdinalIgnoreCase)) return true;
        return IPAddress.TryParse(host.AsSpan().Trim("[]"), out var address) && IPAddress.IsLoopback(address);
    }

    /// <summary>True where the connection comes from this machine; an in-process test server has no address.</summary>
    public static bool IsLocal(IPAddress? remote) => remote is null || IPAddress.IsLoopback(remote);

    /// <summary>True where the page that sent the request was served from elsewhere.</summary>
    public static bool IsForeignOrigin(HttpRequest request, bool keyless)
    {
        var origins = request.Headers.Origin;
        if (origins.Count == 0) return false;
        if (origins.Count > 1 || !Uri.TryCreate(origins[0], UriKind.Absolute, out var origin) || origin.Scheme is not ("http" or "https")) return true;
        if (keyless && IsLoopbackName(origin.Host)) return false;
        return !request.Host.HasValue || !string.Equals(origin.Authority, AuthorityOf(request), StringComparison.OrdinalIgnoreCase);
    }

    // Uri leaves the scheme's default port out, a Host header may carry it.
    private static string AuthorityOf(HttpRequest request) => request.Host.Port is 80 or 443 ? request.Host.Host : request.Host.Value!;
}
