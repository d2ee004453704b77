using System.Diagnostics;
using Akka.Actor;
using Guardian.Actors.Bus;
using Guardian.Actors.Hosting;
using Guardian.Actors.Monitoring;
using Guardian.Actors.Resources;

namespace Guardian.Benchmarks;

/// <summary>
/// What watching costs with 500 processes on the machine: a sample (one a second, four near a limit) at most 0.3 % of a core and
/// 20 KB a second, two looks at all processes at most 30 ms.
/// </summary>
internal static class ResourceSamplingBenchmark
{
    private const int Processes = 500;
    private const int Samples = 2_000;
    private const int Scans = 40;

    private static readonly TimeSpan Starved = TimeSpan.FromSeconds(14);

    public static async Task RunAsync()
    {
        var children = new List<Process>();
        try
        {
            var reader = ResourceSamplers.Processes(TimeProvider.System);
            while (reader.Scan().Processes.Count < Processes) children.Add(Process.Start("sleep", "300"));
            Report(reader);
        }
        finally
        {
            foreach (var child in children)
            {
                child.Kill();
                child.Dispose();
            }
        }

        await StarveAsync();
    }

    /// <summary>All cores busy and every thread of the pool blocked: at least 0.9 samples a second must reach the monitor.</summary>
    private static async Task StarveAsync()
    {
        using var system = ActorSystem.Create("starved", GuardianHocon.Sections);
        var (view, state) = (new ResourceView(), new ResourceMonitorState(new ResourceMonitorOptions(), "n", DateTimeOffset.UtcNow));
        var links = new ResourcePressureMonitor.Links(ActorRefs.Nobody, _ => new TaskCompletionSource<BusPort>().Task,
            () => ResourceSamplers.Create([], TimeProvider.System), ResourceSamplers.Processes(TimeProvider.System), view, TimeProvider.System);
        system.ActorOf(ResourcePressureMonitor.Props(links, state).WithDispatcher(GuardianHocon.Dispatcher));
        Thread.Sleep(TimeSpan.FromSeconds(2)); // the actor system's own start needs the pool
        using var stop = new ManualResetEventSlim();
        for (var i = 0; i < Environment.ProcessorCount; i++)
            new Thread(() => { while (!stop.IsSet) Thread.SpinWait(1_000); }) { IsBackground = true }.Start();
        for (var i = 0; i < 1_000; i++) _ = Task.Run(stop.Wait);
        var (clock, before) = (Stopwatch.StartNew(), view.Samples);
        Thread.Sleep(Starved); // a thread of its own: nothing that needs the pool would come back in time
        Console.WriteLine(FormattableString.Invariant($"starved         {(view.Samples - before) / clock.Elapsed.TotalSeconds:F2} samples a second, {ThreadPool.PendingWorkItemCount} work items waiting; under pressure: {string.Join(", ", state.Detector.Pressed)}"));
        stop.Set();
        await system.Terminate();
    }

    private static void Report(IProcessReader reader)
    {
        using var sampler = ResourceSamplers.Create([], TimeProvider.System);
        for (var i = 0; i < 200; i++) sampler.Sample();
        var (time, bytes) = Cost(Samples, () => sampler.Sample());
        Console.WriteLine(FormattableString.Invariant($"a sample        {time.TotalMicroseconds:F0} µs of processor = {time.TotalSeconds * 100:F3} % of a core at one a second, {bytes:N0} B"));
        for (var i = 0; i < 5; i++) reader.Scan();
        (time, bytes) = Cost(Scans, () => reader.Scan());
        Console.WriteLine(FormattableString.Invariant($"a look at {reader.Scan().Processes.Count} processes   {time.TotalMilliseconds:F2} ms of processor, {bytes:N0} B; processes.top takes two"));
        var (before, after) = (reader.Scan(), reader.Scan());
        (time, _) = Cost(Scans, () => ProcessUsage.Top(ProcessUsage.Between(before, after, 2), 5, byMemory: false));
        Console.WriteLine(FormattableString.Invariant($"ordering them   {time.TotalMilliseconds:F2} ms"));
    }

    /// <summary>Processor time and bytes of one call; other processes on the machine do not count.</summary>
    private static (TimeSpan Time, long Bytes) Cost(int times, Action work)
    {
        GC.Collect();
        using var self = Process.GetCurrentProcess();
        var (cpu, bytes) = (self.TotalProcessorTime, GC.GetAllocatedBytesForCurrentThread());
        for (var i = 0; i < times; i++) work();
        bytes = GC.GetAllocatedBytesForCurrentThread() - bytes;
        self.Refresh();
        return ((self.TotalProcessorTime - cpu) / times, bytes / times);
    }
}
