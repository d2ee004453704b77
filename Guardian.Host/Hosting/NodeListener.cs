using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Akka.Remote;
using Guardian.Actors.Hosting;
using Guardian.Host.Http;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Guardian.Host.Hosting;

/// <summary>Binds Kestrel to <c>Guardian:Http:Url</c> and <c>ProbeUrl</c>.</summary>
internal static class NodeListener
{
    /// <summary>Errors besides those of the validator: what only this machine can tell. Each names its key.</summary>
    public static IReadOnlyList<string> Check(HttpOptions options)
    {
        var errors = new List<string>();
        Listenable("Guardian:Http:Url", options.Url, errors);
        if (options.ProbeUrl.Length > 0) Listenable("Guardian:Http:ProbeUrl", options.ProbeUrl, errors);
        if (options.Url.StartsWith("https:", StringComparison.Ordinal) && options.Tls is null) errors.Add("Guardian:Http:Url: https needs Guardian:Http:Tls:CertificatePath and KeyPath");
        if (options.Tls is { } tls)
        {
            Readable("Guardian:Http:Tls:CertificatePath", tls.CertificatePath, errors);
            Readable("Guardian:Http:Tls:KeyPath", tls.KeyPath, errors);
            if (errors.Count == 0) Usable(tls, errors);
        }

        return errors;
    }

    /// <summary>One line that names the key of an address that cannot be listened on.</summary>
    public static string Describe(HttpOptions options, Exception failure)
    {
        // An address in use is named by the message, what the system refuses is not.
        var (key, url) = options.ProbeUrl.Length == 0 ? ("Url", options.Url)
            : failure.Message.Contains(options.ProbeUrl.TrimEnd('/'), StringComparison.OrdinalIgnoreCase) ? ("ProbeUrl", options.ProbeUrl)
            : failure is IOException ? ("Url", options.Url)
            : ("Url or ProbeUrl", $"{options.Url} or {options.ProbeUrl}");
        return $"Guardian:Http:{key}: {url} cannot be listened on: {failure.Message}";
    }

    public static string Describe(ClusterOptions options, RemoteTransportException failure)
    {
        var (key, port) = options.BindPort > 0 ? ("BindPort", options.BindPort) : ("Port", options.EffectivePort);
        var host = options.BindHostname.Length > 0 ? options.BindHostname : options.Hostname;
        return string.Create(CultureInfo.InvariantCulture, $"Guardian:Cluster:{key}: {host}:{port} cannot be listened on for the other nodes: {(failure.InnerException ?? failure).Message}");
    }

    public static void Configure(KestrelServerOptions kestrel, HttpOptions options)
    {
        kestrel.AddServerHeader = false;
        Listen(kestrel, options.Url, options, static _ => { });
        if (options.ProbeUrl.Length > 0) Listen(kestrel, options.ProbeUrl, options, static listen => listen.Use(static next => connection =>
        {
            connection.Features.Set(ProbeConnection.Instance);
            return next(connection);
        }));
    }

    /// <summary>What came in for probes gets nothing but health.</summary>
    public static void UseProbes(WebApplication app) => app.Use(static (http, next) =>
        http.Features.Get<ProbeConnection>() is null || http.Request.Path.Value is "/alive" or "/ready"
            ? next(http)
            : Problems.NotFound(http, "this address serves /alive and /ready alone"));

    private static void Listen(KestrelServerOptions kestrel, string at, HttpOptions options, Action<ListenOptions> more)
    {
        var url = new Uri(at);
        var tls = url.Scheme == "https" ? options.Tls : null;
        var address = url.Host == "localhost" ? IPAddress.Loopback : IPAddress.Parse(url.Host.Trim('[', ']'));
        kestrel.Listen(address, url.Port, listen =>
        {
            // Clear text carries HTTP/1.1 alone: without TLS nothing negotiates HTTP/2.
            listen.Protocols = tls is null ? HttpProtocols.Http1 : HttpProtocols.Http1AndHttp2;
            more(listen);
            if (tls is null) return;
            listen.UseHttps(new HttpsConnectionAdapterOptions { ServerCertificate = Load(tls), ServerCertificateChain = Chain(tls) });
        });
    }

    private static X509Certificate2 Load(TlsOptions tls)
    {
        using var pem = X509Certificate2.CreateFromPemFile(tls.CertificatePath, tls.KeyPath);
        return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null); // a key that TLS can use on every platform
    }

    /// <summary>All of the file: clients know the root alone, so the intermediate certificates are presented with the node's.</summary>
    private static X509Certificate2Collection Chain(TlsOptions tls)
    {
        var all = new X509Certificate2Collection();
        all.ImportFromPemFile(tls.CertificatePath);
        return all;
    }

    private static void Usable(TlsOptions tls, List<string> errors)
    {
        try
        {
            using var certificate = Load(tls);
            foreach (var each in Chain(tls)) each.Dispose();
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            errors.Add($"Guardian:Http:Tls:CertificatePath or KeyPath: cannot be used: {e.Message.Split('\n', 2)[0].Trim()}");
        }
    }

    private static void Listenable(string key, string value, List<string> errors)
    {
        if (Uri.TryCreate(value, UriKind.Absolute, out var url) && url.Host != "localhost" && !IPAddress.TryParse(url.Host.Trim('[', ']'), out _)) // the validator has said what is no address
            errors.Add($"{key}: '{url.Host}' is a name; listen on an IP address (0.0.0.0 for all) or localhost");
    }

    private static void Readable(string key, string path, List<string> errors)
    {
        if (path.Length > 0 && !File.Exists(path)) errors.Add($"{key}: there is no file {Path.GetFullPath(path)}");
    }

    /// <summary>Marks connections to the address for probes.</summary>
    private sealed class ProbeConnection
    {
        public static readonly ProbeConnection Instance = new();
    }
}
