using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Guardian.Host.Chaos;

namespace Guardian.Tests.Notifications;

/// <summary>Skips where Debian's prometheus-alertmanager is not installed.</summary>
public sealed class AlertmanagerFactAttribute : FactAttribute
{
    public const string Binary = "/usr/bin/prometheus-alertmanager";

    public AlertmanagerFactAttribute()
    {
        if (!File.Exists(Binary)) Skip = $"needs {Binary}: apt-get install prometheus-alertmanager";
    }
}

/// <summary>A real Alertmanager on a free port with its own storage; killed with the test.</summary>
public sealed class Alertmanager : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("guardian-alertmanager-");
    private readonly Process _process;
    private readonly HttpClient _client;

    private Alertmanager(int port)
    {
        Url = new Uri($"http://127.0.0.1:{port}");
        var config = Path.Combine(_folder.FullName, "alertmanager.yml");
        File.WriteAllText(config, "route: { receiver: none, group_by: ['...'] }\nreceivers: [ { name: none } ]\n");
        _process = Process.Start(new ProcessStartInfo(AlertmanagerFactAttribute.Binary,
        [
            $"--config.file={config}", $"--storage.path={_folder.FullName}/data", $"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", "--log.level=error",
        ]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        _client = new HttpClient { BaseAddress = Url };
    }

    public Uri Url { get; }

    public static async Task<Alertmanager> StartAsync()
    {
        var alertmanager = new Alertmanager(LoopbackPorts.Free());
        await Persistence.Eventually.HoldsAsync(async () => (await alertmanager._client.GetAsync("/-/ready")).IsSuccessStatusCode.Should().BeTrue());
        return alertmanager;
    }

    /// <summary>The alerts that fire now, as its API shows them.</summary>
    public async Task<JsonElement[]> FiringAsync() => [.. JsonDocument.Parse(await _client.GetStringAsync("/api/v2/alerts")).RootElement.EnumerateArray()];

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Delete(recursive: true);
    }
}
