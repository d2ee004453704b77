using Guardian.Actors.Resources;

namespace Guardian.Host.Chaos;

/// <summary>How busy this machine is by itself.</summary>
internal static class HostNoise
{
    /// <summary>Above this, percent, the machine's own load cannot be told from a fault's.</summary>
    public const double Quiet = 50;

    private static readonly TimeSpan Over = TimeSpan.FromSeconds(1);

    /// <summary>Processor in use over a second, percent; null where it cannot be read.</summary>
    public static async Task<double?> MeasureAsync(TimeProvider time, CancellationToken cancellation)
    {
        using var sampler = ResourceSamplers.Create([], time);
        sampler.Sample();
        await Task.Delay(Over, time, cancellation);
        return sampler.Sample().Cpu.Value;
    }
}
