using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Guardian.Benchmarks;

/// <summary>A real node process on a free port and an empty data directory; stopped by its own id.</summary>
internal sealed class NodeUnderTest : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly string _directory;

    private NodeUnderTest(Process process, string directory, string url)
    {
        (_process, _directory) = (process, directory);
        _output = process.StandardOutput.ReadToEndAsync();
        Http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 64 }) { BaseAddress = new Uri(url), Timeout = TimeSpan.FromSeconds(30) };
    }

    public HttpClient Http { get; }

    /// <summary>From the process's start until <c>/ready</c> answered 200.</summary>
    public TimeSpan ReadyAfter { get; private set; }

    /// <param name="dll">The built <c>guardian.dll</c>; null: the Debug build, as <c>dotnet run</c> starts it.</param>
    public static async Task<NodeUnderTest> StartAsync(string? dll)
    {
        dll ??= Path.Combine("Guardian.Host", "bin", "Debug", "net10.0", "guardian.dll");
        if (!File.Exists(dll)) throw new FileNotFoundException($"{dll} does not exist; build first, or name the file");
        var directory = Directory.CreateTempSubdirectory("guardian-benchmark-").FullName;
        var url = $"http://127.0.0.1:{FreePort()}";
        var clock = Stopwatch.StartNew();
        var process = Process.Start(new ProcessStartInfo("dotnet", [dll, "run", $"--Guardian:Http:Url={url}", $"--Guardian:Node:DataDirectory={directory}"]) { RedirectStandardOutput = true })!;
        var node = new NodeUnderTest(process, directory, url);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await node.ReadyAsync())
        {
            if (clock.Elapsed > TimeSpan.FromMinutes(1) || process.HasExited) throw new InvalidOperationException("the node did not become ready");
            await timer.WaitForNextTickAsync();
        }

        node.ReadyAfter = clock.Elapsed;
        return node;
    }

    public async Task<HttpStatusCode> PublishAsync(string principal, string topic, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/bus/{topic}") { Content = new StringContent(body) };
        request.Headers.Add("X-Guardian-Principal", principal);
        using var answer = await Http.SendAsync(request);
        return answer.StatusCode;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        await _output;
        _process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task<bool> ReadyAsync()
    {
        try
        {
            using var answer = await Http.GetAsync("/ready");
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false; // not listening yet
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
