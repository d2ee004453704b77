using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Guardian.Benchmarks;

/// <summary>Whole-process start of a node on an empty data directory until <c>/ready</c> answers 200; five times.</summary>
internal static class StartupBenchmark
{
    private const int Runs = 5;

    /// <param name="args">Path of the built <c>guardian.dll</c>; default is the Debug build, as <c>dotnet run</c> starts it.</param>
    public static async Task<int> RunAsync(string[] args)
    {
        var dll = args.Length > 0 ? args[0] : Path.Combine("Guardian.Host", "bin", "Debug", "net10.0", "guardian.dll");
        if (!File.Exists(dll))
        {
            await Console.Error.WriteLineAsync($"{dll} does not exist; build first, or name the file");
            return 2;
        }

        var times = new List<double>();
        for (var i = 0; i < Runs; i++) times.Add(await OnceAsync(dll));
        times.Sort();
        Console.WriteLine($"start to ready: median {times[Runs / 2]:F2} s, worst {times[^1]:F2} s, all {string.Join(' ', times.Select(x => x.ToString("F2")))}");
        return 0;
    }

    private static async Task<double> OnceAsync(string dll)
    {
        var directory = Directory.CreateTempSubdirectory("guardian-startup-").FullName;
        var url = $"http://127.0.0.1:{FreePort()}";
        var clock = Stopwatch.StartNew();
        using var node = Process.Start(new ProcessStartInfo("dotnet", [dll, "run", $"--Guardian:Http:Url={url}", $"--Guardian:Node:DataDirectory={directory}"]) { RedirectStandardOutput = true })!;
        var output = node.StandardOutput.ReadToEndAsync();
        try
        {
            using var http = new HttpClient { BaseAddress = new Uri(url) };
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
            while (clock.Elapsed < TimeSpan.FromMinutes(1) && !node.HasExited)
            {
                try
                {
                    using var answer = await http.GetAsync("/ready");
                    if (answer.StatusCode == HttpStatusCode.OK) return clock.Elapsed.TotalSeconds;
                }
                catch (HttpRequestException)
                {
                    // Not listening yet.
                }

                await timer.WaitForNextTickAsync();
            }

            throw new InvalidOperationException("the node did not become ready");
        }
        finally
        {
            if (!node.HasExited) node.Kill();
            await node.WaitForExitAsync();
            await output;
            Directory.Delete(directory, recursive: true);
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
