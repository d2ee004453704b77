using System.Collections.Concurrent;
using Guardian.Actors.Leasekeeping;
using Guardian.Actors.Resources;

namespace Guardian.Actors.Chaos.Drills;

/// <summary>How busy this machine was over the last second, percent of all that may be used.</summary>
/// <param name="Machine">By everybody.</param>
/// <param name="Fault">By the faults' processes and what they started.</param>
/// <param name="Others">By processes that have nothing to do with the drill.</param>
internal readonly record struct LoadShares(double Machine, double Fault, double Others)
{
    /// <summary>Pure.</summary>
    /// <param name="machine">Percent, of everybody.</param>
    /// <param name="uses">Of every process.</param>
    /// <param name="faults">Leaders of the faults' processes.</param>
    /// <param name="drill">The process that the drill, its nodes and its faults descend from.</param>
    public static LoadShares Of(double machine, IReadOnlyList<ProcessUse> uses, IReadOnlySet<ProcessIdentity> faults, int drill)
    {
        double fault = 0, ours = 0;
        foreach (var x in uses)
        {
            if (faults.Contains(new ProcessIdentity(x.Process.Pid, x.Process.StartTicks))) fault += x.TreePercent;
            if (x.Process.Pid == drill) ours = x.TreePercent;
        }

        return new LoadShares(machine, fault, Math.Max(0, machine - ours));
    }
}

/// <summary>
/// Measures this machine during a drill, past all that is under test: proof of a fault of the processor, and whether others made
/// a noise meanwhile. On a thread of its own, so that it sees a machine with no processor left. Thread-safe.
/// </summary>
internal sealed class HostLoad : IDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(500); // a look at all processes costs some milliseconds
    private const int Looks = 3; // which span the last second

    private readonly Func<IResourceSampler> _sampler;
    private readonly IProcessReader _processes;
    private readonly int _drill;
    private readonly ConcurrentDictionary<ProcessIdentity, bool> _faults = new();
    private readonly ManualResetEventSlim _stop = new();
    private readonly Lock _gate = new();
    private readonly Thread _thread;
    private LoadShares? _latest;
    private string? _unknown = "not measured yet";
    private double _othersSum;
    private int _readings;

    /// <param name="sampler">Reads the machine.</param>
    /// <param name="processes">Reads processes.</param>
    /// <param name="drill">The process that the drill, its nodes and its faults descend from.</param>
    public HostLoad(Func<IResourceSampler> sampler, IProcessReader processes, int drill)
    {
        (_sampler, _processes, _drill) = (sampler, processes, drill);
        _thread = new Thread(Loop) { IsBackground = true, Name = "chaos-host-load" };
        _thread.Start();
    }

    public static HostLoad OfThisMachine(TimeProvider time) => new(() => ResourceSamplers.Create([], time), ResourceSamplers.Processes(time), Environment.ProcessId);

    /// <summary>The last second; null, with the reason, where it is not known.</summary>
    public (LoadShares? Shares, string? Unknown) Latest
    {
        get
        {
            lock (_gate) return (_latest, _unknown);
        }
    }

    /// <summary>What others used on average since the beginning; null where that is not known.</summary>
    public double? Others
    {
        get
        {
            lock (_gate) return _readings == 0 ? null : _othersSum / _readings;
        }
    }

    /// <summary>A fault's process; what it starts counts too.</summary>
    public void Add(ProcessIdentity process) => _faults[process] = true;

    public void Dispose()
    {
        _stop.Set();
        _thread.Join();
        _stop.Dispose();
    }

    private void Loop()
    {
        using var sampler = _sampler();
        var looks = new Queue<(ResourceSample Sample, ProcessSnapshot Processes)>();
        do
        {
            try
            {
                looks.Enqueue((sampler.Sample(), _processes.Scan()));
                while (looks.Count > Looks) looks.Dequeue();
                Read([.. looks]);
            }
            catch (Exception e) when (e is NotSupportedException or IOException or UnauthorizedAccessException)
            {
                lock (_gate) (_latest, _unknown) = (null, e.Message);
            }
        }
        while (!_stop.Wait(Every));
    }

    private void Read(IReadOnlyList<(ResourceSample Sample, ProcessSnapshot Processes)> looks)
    {
        if (looks.Count < Looks) return;
        var (first, last) = (looks[0], looks[^1]);
        var known = looks.Skip(1).Select(x => x.Sample.Cpu.Value).OfType<double>().ToList();
        if (known.Count < Looks - 1 || last.Sample.Cores is not { } cores)
        {
            lock (_gate) (_latest, _unknown) = (null, last.Sample.Cpu.Unknown ?? "the processor is not known");
            return;
        }

        var shares = LoadShares.Of(known.Average(), ProcessUsage.Between(first.Processes, last.Processes, cores), _faults.Keys.ToHashSet(), _drill);
        lock (_gate)
        {
            (_latest, _unknown) = (shares, null);
            _othersSum += shares.Others;
            _readings++;
        }
    }
}
