using Guardian.Actors.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Guardian.Host.Hosting;

/// <summary>Where this process can ask its own API: what the server really bound, of which the first address counts.</summary>
internal static class OwnAddress
{
    /// <summary>Tells Guardian, once the application listens.</summary>
    public static void Announce(IServiceProvider services, IGuardianAccess access, string prefix) =>
        services.GetService<IHostApplicationLifetime>()?.ApplicationStarted.Register(() =>
        {
            var bound = services.GetService<IServer>()?.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault();
            if (bound is not null && access.ActorSystem is { } system) GuardianSystem.Access(system).Http = Reachable(bound, prefix);
        });

    /// <summary>The address as this machine reaches it: all addresses (<c>0.0.0.0</c>, <c>[::]</c>, <c>*</c>, <c>+</c>) are loopback too. Null for what is no TCP address.</summary>
    public static Uri? Reachable(string bound, string prefix)
    {
        var address = BindingAddress.Parse(bound);
        if (address.IsUnixPipe || address.IsNamedPipe) return null;
        var host = address.Host switch { "0.0.0.0" or "*" or "+" => "127.0.0.1", "[::]" => "[::1]", var other => other };
        return Uri.TryCreate($"{address.Scheme}://{host}:{address.Port}{prefix}", UriKind.Absolute, out var url) ? url : null;
    }
}
