using System.Net;
using System.Net.Sockets;
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
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        new Thread(() => Answer(listener)) { IsBackground = true }.Start();
        await File.WriteAllTextAsync(kernels, $$"""
            kernels:
              - { name: one, type: process, command: [sleep, "1000"], heartbeat: { every: 500ms, missAfter: 1500ms } }
              - { name: two, type: process, command: [sleep, "1000"], replicas: { count: 3, min: 1, max: 3 }, heartbeat: { every: 1s, missAfter: 3s } }
              - { name: web, type: process, command: [sleep, "1000"], heartbeat: { every: 500ms, missAfter: 1500ms, probe: { http: "http://{{listener.LocalEndpoint}}/" } } }
              - { name: port, type: process, command: [sleep, "1000"], heartbeat: { every: 500ms, missAfter: 1500ms, probe: { tcp: "{{listener.LocalEndpoint}}" } } }
              - { name: asked, type: process, command: [sleep, "1000"], heartbeat: { every: 500ms, missAfter: 1500ms, probe: { exec: ["true"] } } }
            """);
        await using var node = await TestNode.StartAsync(options =>
        {
            options.Files.Kernels = kernels;
            options.Monitors.Resources.Enabled = true;
            options.Monitors.Resources.Cpu.Enter = 100; // whether that is pressure is not what this is about
            options.Monitors.Resources.Cpu.Leave = 99;
        });
        var parts = node.Guardian.Parts;
        await Await.UntilAsync(() => parts.Kernels.All is { Count: 5 } all && all.All(x => x.State == KernelState.Running && x.Instances.All(y => y.Heart is not null)), Soon);
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

    /// <summary>A healthy server, on a thread of its own.</summary>
    private static void Answer(TcpListener listener)
    {
        var request = new byte[4_096];
        while (true)
        {
            try
            {
                using var client = listener.AcceptSocket();
                client.ReceiveTimeout = 1_000;
                if (client.Receive(request) > 0) client.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8);
            }
            catch (SocketException e) when (e.SocketErrorCode is not (SocketError.Interrupted or SocketError.OperationAborted or SocketError.NotSocket))
            {
                // that client's matter
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                return; // the test is over
            }
        }
    }

    private static void Spin(ManualResetEventSlim stop)
    {
        while (!stop.IsSet) Thread.SpinWait(1_000);
    }
}
