using System.Diagnostics;
using Akka.Actor;
using Akka.Hosting;
using Guardian.Actors.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Guardian.Benchmarks;

/// <summary>What 1,000 actor kernels with heartbeats of 1 s cost: CPU and memory of the process, with and without them.</summary>
internal static class KernelHeartbeats
{
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(15); // the start is over, and its code compiled for good
    private static readonly TimeSpan Measure = TimeSpan.FromSeconds(20);

    public static async Task RunAsync(string[] args)
    {
        var kernels = args.Length > 0 ? int.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture) : 1_000;
        var (idleCpu, idleMemory) = await OneAsync(0);
        var (cpu, memory) = await OneAsync(kernels);
        Console.WriteLine($"{kernels} actor kernels, 1 s heartbeats: {cpu - idleCpu:F1} % of one core (bound 5), {memory - idleMemory:F0} MB (bound 200); without: {idleCpu:F1} %, {idleMemory:F0} MB");
    }

    private static async Task<(double Cpu, double Memory)> OneAsync(int kernels)
    {
        var data = Directory.CreateTempSubdirectory("guardian-benchmark-");
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddLogging();
        builder.Services.AddAkka("guardian", akka => akka.AddHocon("akka.loglevel = ERROR", HoconAddMode.Prepend).WithGuardian(options =>
        {
            options.Node.DataDirectory = data.FullName;
            options.Files.Kernels = "";
            options.Monitors.Resources.Enabled = false; // what else the machine does is no part of this
            for (var i = 0; i < kernels; i++) options.Kernels.Actor($"kernel-{i}", Props.Create(() => new Idle()));
        }));
        using var host = builder.Build();
        await host.StartAsync();
        await Task.Delay(Settle);
        using var self = Process.GetCurrentProcess();
        var (before, clock) = (self.TotalProcessorTime, Stopwatch.StartNew());
        await Task.Delay(Measure);
        self.Refresh();
        var cpu = (self.TotalProcessorTime - before) / clock.Elapsed * 100;
        GC.Collect();
        var memory = self.WorkingSet64 / 1e6;
        await host.StopAsync();
        data.Delete(recursive: true);
        return (cpu, memory);
    }

    private sealed class Idle : ReceiveActor;
}
