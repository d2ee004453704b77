using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Akka.Event;
using Akka.Remote.Transport.DotNetty;
using Guardian.Actors.Hosting;

namespace Guardian.Host.Hosting;

/// <summary>
/// Mutual TLS between the nodes from PEM files. A peer is let in with a certificate that the configured CA signed, directly or through
/// the intermediate certificates that it presents; the system's CAs count for nothing. Names in certificates are not compared with
/// addresses: the CA signs for this cluster alone, and nodes come and go with any address.
/// </summary>
internal static class RemotingTls
{
    /// <summary>What is wrong with the files; each line names its key. Empty where a node can start with them.</summary>
    public static IReadOnlyList<string> Check(ClusterTlsOptions tls, DateTimeOffset now)
    {
        const string At = "Guardian:Cluster:Tls:";
        var errors = new List<string>();
        foreach (var (key, path) in (ReadOnlySpan<(string, string)>)[("CertificatePath", tls.CertificatePath), ("KeyPath", tls.KeyPath), ("CaPath", tls.CaPath)])
        {
            if (path.Length > 0 && !File.Exists(path)) errors.Add($"{At}{key}: there is no file {Path.GetFullPath(path)}");
        }

        if (errors.Count > 0) return errors;
        try
        {
            using var certificate = Load(tls);
            var authorities = Authorities(tls);
            if (authorities.Count == 0) errors.Add($"{At}CaPath: {tls.CaPath} holds no certificate");
            else if (certificate.NotAfter.ToUniversalTime() < now.UtcDateTime) errors.Add($"{At}CertificatePath: the certificate ended at {certificate.NotAfter.ToUniversalTime():O}");
            else if (Reject(certificate, null, authorities, Intermediates(tls)) is { } reason) errors.Add($"{At}CertificatePath: the CA in CaPath does not vouch for it: {reason}");
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            errors.Add($"{At}CertificatePath, KeyPath or CaPath: cannot be used: {e.Message}");
        }

        return errors;
    }

    /// <summary>For the transport; the files have been checked.</summary>
    public static DotNettySslSetup Setup(ClusterTlsOptions tls)
    {
        var authorities = Authorities(tls);
        return new DotNettySslSetup(Load(tls), suppressValidation: false, requireMutualAuthentication: true, customValidator: (certificate, chain, peer, _, log) =>
        {
            var reason = certificate is null ? "it presents none" : Reject(certificate, chain, authorities, []);
            if (reason is not null) log.Warning("The certificate of {0} is refused: {1}", peer, reason);
            return reason is null;
        });
    }

    private static X509Certificate2 Load(ClusterTlsOptions tls)
    {
        using var pem = X509Certificate2.CreateFromPemFile(tls.CertificatePath, tls.KeyPath);
        return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null); // a key that TLS can use on every platform
    }

    private static X509Certificate2Collection Authorities(ClusterTlsOptions tls)
    {
        var all = new X509Certificate2Collection();
        all.ImportFromPemFile(tls.CaPath);
        return all;
    }

    private static X509Certificate2Collection Intermediates(ClusterTlsOptions tls)
    {
        var all = new X509Certificate2Collection();
        all.ImportFromPemFile(tls.CertificatePath);
        return all;
    }

    /// <summary>Why the certificate is not trusted; null where it is.</summary>
    private static string? Reject(X509Certificate2 certificate, X509Chain? presented, X509Certificate2Collection authorities, X509Certificate2Collection intermediates)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck; // a cluster's own CA has no list to ask; a stolen key ends with a new CA
        chain.ChainPolicy.ExtraStore.AddRange(intermediates);
        foreach (var element in presented?.ChainElements ?? Enumerable.Empty<X509ChainElement>()) chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        return chain.Build(certificate) ? null : string.Join("; ", chain.ChainStatus.Select(x => x.StatusInformation.Trim()).Where(x => x.Length > 0).Distinct());
    }
}
