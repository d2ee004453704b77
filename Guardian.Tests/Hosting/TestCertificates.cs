using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Guardian.Actors.Hosting;

namespace Guardian.Tests.Hosting;

/// <summary>A CA in a directory of its own, and certificates that it signs.</summary>
internal sealed class TestCertificates : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("guardian-ca-");
    private readonly X509Certificate2 _ca;

    public TestCertificates()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=test cluster", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _ca = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        File.WriteAllText(CaPath, _ca.ExportCertificatePem());
    }

    public string CaPath => Path.Combine(_directory.FullName, "ca.pem");

    /// <summary>Files of a node; valid until <paramref name="days"/> from now.</summary>
    public ClusterTlsOptions Node(string name, int days = 10)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        using var certificate = request.Create(_ca, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(days), RandomNumberGenerator.GetBytes(8));
        var options = new ClusterTlsOptions { CertificatePath = Path.Combine(_directory.FullName, name + ".pem"), KeyPath = Path.Combine(_directory.FullName, name + ".key"), CaPath = CaPath };
        File.WriteAllText(options.CertificatePath, certificate.ExportCertificatePem());
        File.WriteAllText(options.KeyPath, key.ExportPkcs8PrivateKeyPem());
        return options;
    }

    public void Dispose()
    {
        _ca.Dispose();
        _directory.Delete(recursive: true);
    }
}
