using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Guardian.Actors.Chaos.Targets;
using Guardian.Actors.Hosting;

namespace Guardian.Host.Chaos;

/// <summary>
/// A node of its own for one drill: a child process on loopback with its own folder, ended by its process id. It runs in that
/// folder and without this shell's Guardian settings, so that a drill calls nobody's webhooks; policy and playbooks are those given.
/// </summary>
internal sealed class ThrowawayNode : IAsyncDisposable
{
    /// <summary>A start takes 3 s on a quiet machine.</summary>
    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    private readonly Process _process;
    private readonly StreamWriter _log;
    private readonly Lock _gate = new();
    private bool _logClosed;

    private ThrowawayNode(Process process, StreamWriter log, Uri url, string folder)
    {
        _process = process;
        _log = log;
        Url = url;
        Folder = folder;
    }

    public Uri Url { get; }

    /// <summary>Its data; the caller deletes it or keeps it.</summary>
    public string Folder { get; }

    /// <param name="program">How to start it.</param>
    /// <param name="folder">Its folder; made here.</param>
    /// <param name="policy">Access policy.</param>
    /// <param name="playbooks">Folder of playbooks.</param>
    /// <param name="watchResources">False where the machine is busy already: its pressure is not the drill's.</param>
    /// <param name="time">Clock.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="ChaosTargetException">It did not become ready; the message shows the end of its output.</exception>
    public static async Task<ThrowawayNode> StartAsync(GuardianProgram program, string folder, string policy, string playbooks, bool watchResources, TimeProvider time, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        var url = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort()}"));
        var start = new ProcessStartInfo(program.FileName)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var argument in program.Arguments) start.ArgumentList.Add(argument);
        string[] options =
        [
            "run", $"--Guardian:Node:DataDirectory={Path.Combine(folder, "data")}", $"--Guardian:Http:Url={url.GetLeftPart(UriPartial.Authority)}",
            $"--Guardian:Monitors:Resources:Enabled={watchResources}", "--Guardian:Cluster:Port=0", "--Guardian:Chaos:Enabled=true", $"--Guardian:Files:Policy={policy}", $"--Guardian:Files:Playbooks={playbooks}",
        ];
        foreach (var option in options) start.ArgumentList.Add(option);
        var foreign = start.Environment.Keys.Where(x => x.StartsWith("Guardian__", StringComparison.OrdinalIgnoreCase) || x is "ASPNETCORE_URLS" or "URLS").ToList();
        foreach (var name in foreign) start.Environment.Remove(name);

        var log = new StreamWriter(Path.Combine(folder, "node.log")) { AutoFlush = true };
        Process process;
        try
        {
            process = Process.Start(start) ?? throw new ChaosTargetException($"{program.FileName} did not start");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            await log.DisposeAsync();
            throw new ChaosTargetException($"{program.FileName} cannot be started: {e.Message}", e);
        }

        var node = new ThrowawayNode(process, log, url, folder);
        node.Capture();
        try
        {
            await node.ReadyAsync(time, cancellation);
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (!_process.HasExited) _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync(CancellationToken.None);
        }
        catch (InvalidOperationException)
        {
            // It ended by itself in between.
        }

        lock (_gate)
        {
            _logClosed = true;
            _log.Dispose();
        }

        _process.Dispose();
    }

    private async Task ReadyAsync(TimeProvider time, CancellationToken cancellation)
    {
        var target = new HttpChaosTarget(Url);
        await using (target)
        {
            var began = time.GetTimestamp();
            while (await target.CodeAsync("/ready", cancellation) != 200)
            {
                if (_process.HasExited) throw new ChaosTargetException(string.Create(CultureInfo.InvariantCulture, $"the node ended with {_process.ExitCode} while starting:\n{Tail()}"));
                if (time.GetElapsedTime(began) > ReadyWithin) throw new ChaosTargetException($"the node was not ready within {ReadyWithin.TotalSeconds:0} s:\n{Tail()}");
                await Task.Delay(Poll, time, cancellation);
            }
        }
    }

    private void Capture()
    {
        _process.OutputDataReceived += (_, e) => Keep(e.Data);
        _process.ErrorDataReceived += (_, e) => Keep(e.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    private void Keep(string? line)
    {
        lock (_gate)
        {
            if (line is not null && !_logClosed) _log.WriteLine(line);
        }
    }

    private string Tail()
    {
        lock (_gate)
        {
            _log.Flush();
            using var reader = new StreamReader(new FileStream(Path.Combine(Folder, "node.log"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
            return string.Join('\n', reader.ReadToEnd().TrimEnd().Split('\n').TakeLast(15));
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
