using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Guardian.Host.Chaos;

namespace Guardian.Tests.Node;

/// <summary>A real node process on a free port with a data directory of its own. Only what it started is ever stopped, by its id.</summary>
public sealed class NodeProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(60); // a loaded two-core machine; ready in 3 s when quiet
    private readonly ConcurrentQueue<string> _output = new();
    private readonly string[] _options;
    private readonly bool _ownsDirectory;
    private Process? _process;

    private NodeProcess(string directory, bool ownsDirectory, string[] options)
    {
        (Directory, _ownsDirectory, _options) = (directory, ownsDirectory, options);
        Url = $"http://127.0.0.1:{LoopbackPorts.Free()}";
        Http = new HttpClient { BaseAddress = new Uri(Url), Timeout = TimeSpan.FromSeconds(30) };
    }

    public string Directory { get; }
    public string DataDirectory => Path.Combine(Directory, "data");
    public string Url { get; }
    public HttpClient Http { get; }
    public string Output => string.Join('\n', _output);
    public int Id => _process!.Id;

    /// <summary>What it is started with.</summary>
    public IReadOnlyList<string> Options => _options;

    /// <summary>A node that is not started yet.</summary>
    public static NodeProcess Prepare(params string[] options) => new(System.IO.Directory.CreateTempSubdirectory("guardian-node-").FullName, true, options);

    public static async Task<NodeProcess> StartAsync(params string[] options)
    {
        var node = Prepare(options);
        await node.StartAgainAsync();
        return node;
    }

    /// <summary>Starts (again) on the same data directory and waits for <c>/ready</c>.</summary>
    public async Task StartAgainAsync(bool waitReady = true)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            WorkingDirectory = Directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "guardian.dll"));
        start.ArgumentList.Add("run");
        start.ArgumentList.Add($"--Guardian:Http:Url={Url}");
        start.ArgumentList.Add($"--Guardian:Node:DataDirectory={DataDirectory}");
        start.ArgumentList.Add("--Guardian:Monitors:Resources:Enabled=false"); // a busy test machine is under pressure, and that is no news
        foreach (var option in _options) start.ArgumentList.Add(option);
        start.Environment["DOTNET_HOSTBUILDER__RELOADCONFIGONCHANGE"] = "false";
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, e) => { if (e.Data is not null) _output.Enqueue(e.Data); };
        _process.ErrorDataReceived += (_, e) => { if (e.Data is not null) _output.Enqueue(e.Data); };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        if (waitReady) await UntilAsync("ready", async () => (await Http.GetAsync("/ready")).StatusCode == HttpStatusCode.OK, StartDeadline);
        if (waitReady) UseAdminKey();
    }

    private void UseAdminKey()
    {
        var file = Path.Combine(DataDirectory, "admin.key");
        // The same at each start: requests that are under way read the headers.
        if (File.Exists(file) && Http.DefaultRequestHeaders.Authorization is null) Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", File.ReadAllText(file).Trim());
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Waits for the process to end by itself.</summary>
    public async Task<int> ExitAsync(TimeSpan deadline)
    {
        using var timeout = new CancellationTokenSource(deadline);
        await _process!.WaitForExitAsync(timeout.Token);
        return _process.ExitCode;
    }

    /// <summary>Waits for the process to end by itself, however long that takes.</summary>
    public Task WaitForExitAsync(CancellationToken cancellation) => _process!.WaitForExitAsync(cancellation);

    /// <summary>SIGSTOP, SIGCONT and the like.</summary>
    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", ["-" + signal, Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    /// <summary>SIGTERM, then waits for the end.</summary>
    public async Task<int> TerminateAsync()
    {
        await SignalAsync("TERM");
        return await ExitAsync(TimeSpan.FromSeconds(60));
    }

    public Task<HttpResponseMessage> PublishAsync(string principal, string topic, string body = "x") =>
        Http.SendAsync(new HttpRequestMessage(HttpMethod.Post, $"/api/v1/bus/{topic}")
        {
            Headers = { { "X-Guardian-Principal", principal } },
            Content = new StringContent(body),
        });

    /// <summary>Runs the command line against this node.</summary>
    public Task<(int ExitCode, string Output)> CommandAsync(params string[] arguments) =>
        GuardianCommand.RunAsync(Directory, [.. arguments, "--url", Url]);

    public async Task<JsonElement> GetAsync(string path) => await Http.GetFromJsonAsync<JsonElement>(path);

    /// <summary>The items of a list, whichever envelope it has.</summary>
    public async Task<IReadOnlyList<JsonElement>> ListAsync(string path)
    {
        var answer = await GetAsync(path);
        var list = answer.ValueKind == JsonValueKind.Array ? answer : answer.EnumerateObject().First(x => x.Value.ValueKind == JsonValueKind.Array).Value;
        return [.. list.EnumerateArray()];
    }

    /// <summary>Awaits a condition; a failure shows the node's own output.</summary>
    public async Task UntilAsync(string what, Func<Task<bool>> condition, TimeSpan deadline)
    {
        var clock = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            try
            {
                if (await condition()) return;
            }
            catch (HttpRequestException)
            {
                // Not listening yet, or just killed: the deadline decides.
            }

            if (_process!.HasExited) throw new InvalidOperationException($"the node ended with {_process.ExitCode} while waiting for: {what}\n{Output}");
            if (clock.Elapsed > deadline) throw new TimeoutException($"{what}: not within {deadline.TotalSeconds} s\n{Output}");
            await timer.WaitForNextTickAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false }) await KillAsync();
        await Guardian.Actors.Kernels.Processes.KernelLeftovers.EndAsync(DataDirectory); // its kernels outlive a kill
        _process?.Dispose();
        Http.Dispose();
        if (_ownsDirectory) System.IO.Directory.Delete(Directory, recursive: true);
    }
}
