using Akka.Actor;
using Akka.Event;
using Guardian.Actors.Resources;

namespace Guardian.Actors.Monitoring;

/// <summary>
/// The thread that samples. Its own, so that neither a starved thread pool nor a busy dispatcher can blind the monitor. While
/// a resource is near its limit it looks at processes too, so that the evidence is there when an incident is raised.
/// </summary>
internal sealed class ResourceSampling : IDisposable
{
    // A scan of 500 processes allocates 130 KB; two of them fit into the ten seconds before an incident.
    private static readonly TimeSpan ScanEvery = TimeSpan.FromSeconds(8);

    private readonly Func<IResourceSampler> _sampler;
    private readonly IProcessReader _processes;
    private readonly ResourceView _view;
    private readonly IActorRef _monitor;
    private readonly ILoggingAdapter _log;
    private readonly ManualResetEventSlim _stop = new();
    private long _interval;
    private volatile bool _close;

    /// <param name="sampler">Made and used on the thread.</param>
    /// <param name="processes">Evidence.</param>
    /// <param name="view">Gets each sample at once.</param>
    /// <param name="interval">Until the monitor says another.</param>
    /// <param name="monitor">Told of each sample.</param>
    /// <param name="log">Log.</param>
    public ResourceSampling(Func<IResourceSampler> sampler, IProcessReader processes, ResourceView view, TimeSpan interval, IActorRef monitor, ILoggingAdapter log)
    {
        (_sampler, _processes, _view, _monitor, _log) = (sampler, processes, view, monitor, log);
        _interval = interval.Ticks;
        new Thread(Loop) { IsBackground = true, Name = "guardian-resources" }.Start();
    }

    /// <summary>Pace from now on, and whether processes are of interest.</summary>
    public void Pace(TimeSpan interval, bool nearLimit)
    {
        Interlocked.Exchange(ref _interval, interval.Ticks);
        _close = nearLimit;
    }

    /// <summary>The thread ends with its current sample.</summary>
    public void Dispose() => _stop.Set();

    private void Loop()
    {
        while (!_stop.IsSet)
        {
            try
            {
                Sample();
            }
            catch (Exception e) // a defect of a sampler; this thread goes on, and the monitor raises the silence meanwhile
            {
                _log.Error(e, "The resource sampler failed; a new one is made");
                _stop.Wait(TimeSpan.FromTicks(Interlocked.Read(ref _interval)));
            }
        }
    }

    private void Sample()
    {
        using var sampler = _sampler();
        TimeSpan? scanned = null;
        do
        {
            var sample = sampler.Sample();
            _view.Set(sample);
            ProcessSnapshot? processes = null;
            if (!_close) scanned = null;
            else if (scanned is not { } last || sample.Clock - last >= ScanEvery) (scanned, processes) = (sample.Clock, Scan());
            _monitor.Tell(new Sampled(sample, processes), ActorRefs.NoSender);
        }
        while (!_stop.Wait(TimeSpan.FromTicks(Interlocked.Read(ref _interval))));
    }

    private ProcessSnapshot? Scan()
    {
        try
        {
            return _processes.Scan();
        }
        catch (Exception e) when (e is NotSupportedException or IOException or UnauthorizedAccessException)
        {
            return null; // evidence only
        }
    }
}

/// <summary>From the sampling thread.</summary>
internal sealed record Sampled(ResourceSample Sample, ProcessSnapshot? Processes) : INoSerializationVerificationNeeded;
