using System.Diagnostics.Metrics;
using Guardian.Actors.Kernels;
using Guardian.Playbooks.Yaml;
using Tag = System.Collections.Generic.KeyValuePair<string, object?>;

namespace Guardian.Actors.Telemetry;

/// <summary>Kernels, by name: what the node shows of them anyway. A kernel of which something is not known has no value there.</summary>
internal static class KernelMetrics
{
    public static void Add(Meter meter, Func<IReadOnlyList<KernelView>> kernels)
    {
        meter.CreateObservableGauge("guardian.kernel.state", () => kernels().Select(x => new Measurement<long>(1, Of(x), new("state", State(x)), new("class", x.Class))),
            "1", "1 for the state that a kernel is in.");
        Gauge("guardian.kernel.replicas", "{replica}", "Replicas that run; of a pool the workers.", x => x.Jobs?.Workers ?? x.Instances.Count(y => y.State == KernelState.Running));
        Gauge("guardian.kernel.wanted", "{replica}", "Replicas that should run.", x => x.Replicas.Count);
        Gauge("guardian.kernel.percent", "%", "Of its workers or CPU that a kernel may use; 0 while it is paused.", x => x.Paused ? 0 : x.Percent);
        Counter("guardian.kernel.restarts", "{restart}", "Times that a replica ended by itself or was replaced.", x => x.Restarts);
        Counter("guardian.kernel.crash_loops", "{loop}", "Times that a replica reached its limit of restarts.", x => x.CrashLoops);
        meter.CreateObservableGauge("guardian.kernel.heartbeat.age", () => kernels().SelectMany(x => x.Instances.Where(y => y.Heart is { Expected: true })
            .Select(y => new Measurement<double>(y.Heart!.Silent.TotalSeconds, Of(x), new("replica", y.Index)))), "s", "Time since a replica's newest heartbeat, where one is expected.");
        meter.CreateObservableGauge("guardian.kernel.jobs", () => Pools().SelectMany(x => (Measurement<long>[])
            [new(x.Jobs!.Waiting, Of(x), new("state", "queued")), new(x.Jobs.Running, Of(x), new("state", "running"))]), "{job}", "A pool's jobs that are not over.");
        meter.CreateObservableCounter("guardian.kernel.jobs.ended", () => Pools().SelectMany(x => (Measurement<long>[])
            [new(x.Jobs!.Over - x.Jobs.Failed, Of(x), new("outcome", "done")), new(x.Jobs.Failed, Of(x), new("outcome", "failed"))]), "{job}", "A pool's jobs that are over, since its journal began.");
        meter.CreateObservableCounter("guardian.kernel.jobs.requeued", () => Pools().Select(x => new Measurement<long>(x.Jobs!.Requeued, Of(x))), "{attempt}", "Attempts that were followed by another one.");

        IEnumerable<KernelView> Pools() => kernels().Where(x => x.Jobs is not null);

        void Gauge(string name, string unit, string description, Func<KernelView, long> read) =>
            meter.CreateObservableGauge(name, () => kernels().Select(x => new Measurement<long>(read(x), Of(x))), unit, description);

        void Counter(string name, string unit, string description, Func<KernelView, long> read) =>
            meter.CreateObservableCounter(name, () => kernels().Select(x => new Measurement<long>(read(x), Of(x))), unit, description);
    }

    private static Tag Of(KernelView kernel) => new("kernel", kernel.Name);

    private static string State(KernelView kernel) => kernel.Paused && kernel.State == KernelState.Running ? "paused" : YamlValues.Snake(kernel.State);
}
