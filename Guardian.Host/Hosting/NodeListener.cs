using System.Net;
using System.Security.Cryptography.X509Certificates;
using Guardian.Actors.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Guardian.Host.Hosting;

/// <summary>Binds Kestrel to <c>Guardian:Http:Url</c>.</summary>
internal static class NodeListener
{
    /// <summary>Errors besides those of the validator: what only this machine can tell. Each names its key.</summary>
    public static IReadOnlyList<string> Check(HttpOptions options)
    {
        if (!Uri.TryCreate(options.Url, UriKind.Absolute, out var url)) return []; // the validator has said so
        var errors = new List<string>();
        if (url.Host != "localhost" && !IPAddress.TryParse(url.Host.Trim('[', ']'), out _))
            errors.Add($"Guardian:Http:Url: '{url.Host}' is a name; listen on an IP address (0.0.0.0 for all) or localhost");
        if (url.Scheme == "https" && options.Tls is null) errors.Add("Guardian:Http:Url: https needs Guardian:Http:Tls:CertificatePath and KeyPath");
        if (options.Tls is { } tls)
        {
            Readable("Guardian:Http:Tls:CertificatePath", tls.CertificatePath, errors);
            Readable("Guardian:Http:Tls:KeyPath", tls.KeyPath, errors);
        }

        return errors;
    }

    public static void Configure(KestrelServerOptions kestrel, HttpOptions options)
    {
        var url = new Uri(options.Url);
        var address = url.Host == "localhost" ? IPAddress.Loopback : IPAddress.Parse(url.Host.Trim('[', ']'));
        kestrel.AddServerHeader = false;
        kestrel.Listen(address, url.Port, listen =>
        {
            // Clear text carries HTTP/1.1 alone: without TLS nothing negotiates HTTP/2.
            listen.Protocols = options.Tls is null ? HttpProtocols.Http1 : HttpProtocols.Http1AndHttp2;
            if (options.Tls is not { } tls) return;
            using var pem = X509Certificate2.CreateFromPemFile(tls.CertificatePath, tls.KeyPath);
            listen.UseHttps(X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null));
        });
    }

    private static void Readable(string key, string path, List<string> errors)
    {
        if (path.Length > 0 && !File.Exists(path)) errors.Add($"{key}: there is no file {Path.GetFullPath(path)}");
    }
}
