using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Guardian.Actors.Hosting;

namespace Guardian.Tests.Host;

public sealed class HttpsChainTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("guardian-chain-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_client_that_knows_the_root_alone_trusts_the_node()
    {
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var root = Authority("CN=root", rootKey).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        using var middleKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var signed = Authority("CN=middle", middleKey).Create(root, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(20), RandomNumberGenerator.GetBytes(8));
        using var middle = signed.CopyWithPrivateKey(middleKey);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var leaf = new CertificateRequest("CN=node", key, HashAlgorithmName.SHA256).Create(middle, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(10), RandomNumberGenerator.GetBytes(8));
        var tls = new TlsOptions { CertificatePath = Path.Combine(_folder.FullName, "chain.pem"), KeyPath = Path.Combine(_folder.FullName, "node.key") };
        await File.WriteAllTextAsync(tls.CertificatePath, leaf.ExportCertificatePem() + "\n" + middle.ExportCertificatePem() + "\n");
        await File.WriteAllTextAsync(tls.KeyPath, key.ExportPkcs8PrivateKeyPem());

        await using var host = await HostFixture.StartAsync(x => (x.Options.Http.Url, x.Options.Http.Tls) = ("https://127.0.0.1:0", tls));
        using var client = new TcpClient();
        await client.ConnectAsync(host.Url.Host, host.Url.Port);
        List<string>? presented = null;
        using var stream = new SslStream(client.GetStream(), leaveInnerStreamOpen: false, (_, _, chain, _) =>
        {
            presented = [.. chain!.ChainPolicy.ExtraStore.Select(x => x.Subject)];
            return true;
        });
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.CustomTrustStore.Add(root);
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "node", CertificateChainPolicy = policy });
        presented.Should().Contain("CN=middle");
    }

    private static CertificateRequest Authority(string name, ECDsa key)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request;
    }
}
