using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.ResourceMonitoring;

#pragma warning disable EXTOBS0001 // A snapshot is read on the caller's thread; the instruments that follow it come when their listener's timer says so.

namespace Guardian.Actors.Resources;

/// <summary>
/// Processor and memory as Microsoft.Extensions.Diagnostics.ResourceMonitoring reads them: on Windows those of the job object that
/// this process runs in, else of this process, against what it may use. Read on the caller's thread; its own background service is not started.
/// </summary>
internal sealed class MonitoredResourceSampler : IResourceSampler
{
    private const string Source = "ResourceMonitoring";

    private readonly IReadOnlyList<DiskReader> _disks;
    private readonly TimeProvider _time;
    private readonly ServiceProvider _services;
    private readonly ISnapshotProvider _provider;
    private Reading? _last;

    private MonitoredResourceSampler(IReadOnlyList<DiskReader> disks, TimeProvider time, ServiceProvider services, ISnapshotProvider provider) =>
        (_disks, _time, _services, _provider) = (disks, time, services, provider);

    /// <summary>Null where the library does not know this platform, e.g. macOS.</summary>
    public static MonitoredResourceSampler? TryCreate(IReadOnlyList<DiskReader> disks, TimeProvider time)
    {
        ServiceProvider? services = null;
        try
        {
            services = new ServiceCollection().AddLogging().AddMetrics().AddResourceMonitoring().BuildServiceProvider();
            return new MonitoredResourceSampler(disks, time, services, services.GetRequiredService<ISnapshotProvider>());
        }
        catch (Exception e) when (e is PlatformNotSupportedException or InvalidOperationException)
        {
            services?.Dispose();
            return null;
        }
    }

    public ResourceSample Sample()
    {
        var at = _time.GetUtcNow();
        var disks = _disks.Select(x => x.Latest).ToList();
        var sample = new ResourceSample { At = at, Clock = _time.GetElapsedTime(0, _time.GetTimestamp()), Cpu = Gauge.NotSupported(at), Memory = Gauge.NotSupported(at), Disks = disks };
        try
        {
            var snapshot = _provider.GetSnapshot();
            var now = new Reading(snapshot.KernelTimeSinceStart + snapshot.UserTimeSinceStart, snapshot.TotalTimeSinceStart);
            var resources = _provider.Resources;
            var last = _last;
            _last = now;
            return sample with
            {
                Cpu = Cpu(last, now, resources.MaximumCpuUnits, at),
                Cores = resources.MaximumCpuUnits,
                Memory = resources.MaximumMemoryInBytes > 0
                    ? new Gauge(Math.Clamp(100.0 * snapshot.MemoryUsageInBytes / resources.MaximumMemoryInBytes, 0, 100), Source, at)
                    : Gauge.NotKnown(Source, at, "what may be used is not known"),
                MemoryBytes = resources.MaximumMemoryInBytes > 0 ? (long)resources.MaximumMemoryInBytes : null,
            };
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or UnauthorizedAccessException or System.ComponentModel.Win32Exception)
        {
            _last = null;
            return sample with { Cpu = Gauge.NotKnown(Source, at, e.Message), Memory = Gauge.NotKnown(Source, at, e.Message) };
        }
    }

    public void Dispose()
    {
        _services.Dispose();
        foreach (var disk in _disks) disk.Dispose();
    }

    /// <summary>Pure.</summary>
    internal static Gauge Cpu(Reading? before, Reading now, double cores, DateTimeOffset at)
    {
        if (before is not { } last) return Gauge.NotKnown(Source, at, "the first reading has nothing to compare with");
        var elapsed = (now.Total - last.Total) * cores;
        return elapsed <= TimeSpan.Zero
            ? Gauge.NotKnown(Source, at, "no time has passed since the last reading")
            : new Gauge(Math.Clamp(100 * ((now.Used - last.Used) / elapsed), 0, 100), Source, at);
    }

    /// <summary>Processor time used, and the time that has passed, both since an arbitrary moment.</summary>
    internal readonly record struct Reading(TimeSpan Used, TimeSpan Total);
}
