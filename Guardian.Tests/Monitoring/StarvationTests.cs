using Guardian.Actors.Kernels;
using Guardian.Tests.Scenarios;
using Xunit.Abstractions;

namespace Guardian.Tests.Monitoring;

/// <summary>Alone: it takes the processor and the pool of threads away from everybody in this process.</summary>
[CollectionDefinition(nameof(StarvationTests), DisableParallelization = true)]
public sealed class StarvationCollection;

/// <summary>All cores busy and every thread of the pool blocked: the node goes on seeing, and blames nobody for its own weakness.</summary>
[Collection(nameof(StarvationTests))]
public sealed class StarvationTests(ITestOutputHelper output) : IDisposable
{
    private const int Blocked = 1_000; // far more than the pool adds in the time: one or two a second
    private static readonly TimeSpan Starved = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(90);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("guardian-starved-");

    public void Dispose() => _folder.Delete(recursive: true);

    [LinuxFact]
    public async Task A_starved_node_samples_on_and_reports_no_healthy_kernel_missing()
    {
        var kernels = Path.Combine(_folder.FullName, "kernels.yaml");
        await File.WriteAllTextAsync(kernels, """
            kernels:
              - { name: one, type: process, command: [sleep, "1000"], heartbeat: { every: 500ms, missAfter: 1500ms } }
              - { name: two, type: process, command: [sleep, "1000"], replicas: { count: 3, min: 1, max: 3 }, heartbeat: { every: 1s, missAfter: 3s } }
            """);
        await using var node = await TestNode.StartAsync(options =>
        {
            options.Files.Kernels = kernels;
            options.Monitors.Resources.Enabled = true;
            options.Monitors.Resources.Cpu.Enter = 100; // whether that is pressure is not what this is about
            options.Monitors.Resources.Cpu.Leave = 99;
        });
        var parts = node.Guardian.Parts;
        await Await.UntilAsync(() => parts.Kernels.All is { Count: 2 } all && all.All(x => x.State == KernelState.Running && x.Instances.All(y => y.Heart is not null)), Soon);
        await Await.UntilAsync(() => parts.Resources.Samples > 2, Soon);
        var restarts = parts.Kernels.All.Sum(x => x.Restarts);

        using var stop = new ManualResetEventSlim();
        var (before, began) = (parts.Resources.Samples, TimeProvider.System.GetTimestamp());
        var burners = Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(() => Spin(stop)) { IsBackground = true }).ToList();
        burners.ForEach(x => x.Start());
        var waiting = Enumerable.Range(0, Blocked).Select(_ => Task.Run(stop.Wait)).ToList();
        Thread.Sleep(Starved); // nothing that needs the pool would come back
        var rate = (parts.Resources.Samples - before) / TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        var queued = ThreadPool.PendingWorkItemCount;
        stop.Set();
        burners.ForEach(x => x.Join());
        await Task.WhenAll(waiting);

        output.WriteLine(FormattableString.Invariant($"{rate:F2} samples a second, {queued} work items were waiting"));
        queued.Should().BeGreaterThan(Blocked / 2, "the pool was starved");
        rate.Should().BeGreaterThanOrEqualTo(0.9);
        // Whatever was missed meanwhile would be told now that the node is well again.
        var after = parts.Resources.Samples;
        await Await.UntilAsync(() => parts.Resources.Samples >= after + 4, Soon);
        (await parts.ReadModel.IncidentsAsync(null, 10, null, CancellationToken.None)).Should().NotContain(x => x.Type.StartsWith("kernel.", StringComparison.Ordinal));
        parts.Kernels.All.Should().OnlyContain(x => x.State == KernelState.Running);
        parts.Kernels.All.Sum(x => x.Restarts).Should().Be(restarts);
    }

    private static void Spin(ManualResetEventSlim stop)
    {
        while (!stop.IsSet) Thread.SpinWait(1_000);
    }
}
