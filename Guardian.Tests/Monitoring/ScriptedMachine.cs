using Guardian.Actors.Resources;

namespace Guardian.Tests.Monitoring;

/// <summary>A machine that is as busy as the test says. Its samples are a second apart, however fast they are taken.</summary>
internal sealed class ScriptedMachine : IResourceSampler, IProcessReader
{
    private readonly DateTimeOffset _start = DateTimeOffset.UtcNow;
    private long _taken;

    public double? Cpu { get; set; } = 10;

    public double? Memory { get; set; } = 20;

    /// <summary>True: the next reading throws, as none may.</summary>
    public bool Broken { get; set; }

    public long Taken => Interlocked.Read(ref _taken);

    public ResourceSample Sample()
    {
        if (Broken) throw new InvalidOperationException("broken on purpose");
        var clock = TimeSpan.FromSeconds(Interlocked.Increment(ref _taken));
        var at = _start + clock;
        return new ResourceSample { At = at, Clock = clock, Cpu = new Gauge(Cpu, "script", at, "scripted"), Memory = new Gauge(Memory, "script", at, "scripted"), Cores = 2 };
    }

    public ProcessSnapshot Scan() => new(default, TimeSpan.FromSeconds(Taken),
        [new ProcessEntry(1, 0, 1, "init", 0, 1_000), new ProcessEntry(7, 1, 5, "burner", 200 * Taken, 2_000)]);

    public ProcessEntry? Find(int pid) => Scan().Processes.Where(x => x.Pid == pid).Select(x => (ProcessEntry?)x).FirstOrDefault();

    public string? CgroupOf(int pid) => "/group";

    public void Dispose()
    {
    }
}
